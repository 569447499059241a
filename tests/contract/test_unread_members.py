"""Members that nothing reads cause a warning in each dialect's own place, or a refusal."""

import json
from collections.abc import Mapping

import httpx
import pytest
from support.fake_engine import FakeEngine, reranker
from support.http_app import ask

from earmark.web.options import WebOptions

DOCUMENTS = {"query": "q", "documents": ["a", "b"]}
TEXTS = {"query": "q", "texts": ["a", "b"]}
CLASSIFIER = "/client/v4/accounts/x/ai/run/acme/tc"
RERANKER = "/client/v4/accounts/x/ai/run/acme/rr"
STRICT = WebOptions(strict=True)


def post(
    path: str,
    body: Mapping[str, object],
    *,
    web: WebOptions | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Send a request to a classifier and a reranker."""
    engines = (FakeEngine(), reranker())
    return ask("POST", path, json.dumps(body), headers=headers, engines=engines, web=web)


def told(answer: httpx.Response) -> list[str]:
    """Read the header as `huggingface_hub` does."""
    return [line.split(";", 1)[1].strip() for line in answer.headers.get_list("x-hf-warning")]


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank"])
def test_coheres_clients_are_told_in_warnings_of_meta(path: str) -> None:
    """`meta.warnings` is a list of strings (cohere-python, types/api_meta.py)."""
    answer = post(path, {**DOCUMENTS, "return_document": True, "rank_fields": ["title"]})
    found = [
        "`return_document` is not read; did you mean `return_documents`?",
        (
            "`rank_fields` is not read; a body with `documents` holds query, documents, model,"
            " top_n, top_k, return_documents, truncate, truncation, raw_scores"
        ),
    ]
    assert answer.status_code == 200
    assert answer.json()["meta"]["warnings"] == told(answer) == found


@pytest.mark.parametrize(
    "extra",
    [
        {"max_tokens_per_doc": 4096},
        {"max_chunks_per_doc": 10, "rank_fields": ["text"]},
        {"priority": 0, "user": "me", "unknown": None},
        {"raw_scores": False, "return_documents": False, "top_n": None},
    ],
)
def test_what_asks_for_nothing_is_no_reason_to_warn(extra: Mapping[str, object]) -> None:
    """Defaults, `null` and members that change no answer cause no warning."""
    answer = post("/v2/rerank", {**DOCUMENTS, **extra}, web=STRICT)
    assert answer.status_code == 200
    assert "x-hf-warning" not in answer.headers
    assert "warnings" not in answer.json()["meta"]


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        (
            "/rerank",
            {**TEXTS, "return_texts": True},
            "`return_texts` is not read; did you mean `return_text`?",
        ),
        (
            "/rerank",
            {**TEXTS, "is_truncated": True},
            (
                "`is_truncated` is not read; a body with `texts` holds model, truncate,"
                " truncation_direction, raw_scores, query, texts, return_text, top_n"
            ),
        ),
        (
            "/predict",
            {"inputs": "a", "model": "acme/tc", "raw_score": True},
            "`raw_score` is not read; did you mean `raw_scores`?",
        ),
        (
            "/rerank",
            {**DOCUMENTS, "topn": 1},
            "`topn` is not read; did you mean `top_n`?",
        ),
    ],
)
def test_an_answer_without_room_is_told_in_the_header_and_refused_where_strict(
    path: str, body: Mapping[str, object], text: str
) -> None:
    """An answer that is a list has the warning in the header; a strict server answers 400."""
    answer = post(path, body)
    assert (answer.status_code, told(answer)) == (200, [text])
    refused = post(path, body, web=STRICT)
    assert refused.status_code == 400
    assert refused.json() == {"error": text, "error_type": "Validation", "message": text}


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        (
            CLASSIFIER,
            {"text": "a", "top_k": 1},
            "`top_k` is not read; a text classifier's input holds text",
        ),
        (
            RERANKER,
            {"query": "q", "contexts": [{"text": "a"}], "topk": 1},
            "`topk` is not read; did you mean `top_k`?",
        ),
    ],
)
def test_workers_ai_is_told_in_messages(path: str, body: Mapping[str, object], text: str) -> None:
    """Workers AI gets warnings in `messages`, each with a code and a text."""
    answer = post(path, body)
    assert answer.status_code == 200
    assert answer.json()["success"] is True
    assert answer.json()["messages"] == [{"code": 5006, "message": text, "type": None}]
    assert told(answer) == [text]
    refused = post(path, body, web=STRICT)
    assert refused.status_code == 400
    assert refused.json()["success"] is False
    assert text in refused.json()["errors"][0]["message"]


def test_workers_ai_is_told_nothing_of_what_is_read() -> None:
    """Members that are read, and `stream: false`, cause no message."""
    body = {"text": "a", "stream": False, "lora": None, "external_reference": "1"}
    answer = post(CLASSIFIER, body, web=STRICT)
    assert (answer.status_code, answer.json()["messages"]) == (200, [])


def test_workers_ai_is_told_of_a_slip_that_leaves_something_missing() -> None:
    """The error for a missing member also names the misspelt one, after the validator's words."""
    answer = post(RERANKER, {"query": "q", "context": [{"text": "a"}]})
    assert answer.status_code == 400
    assert (
        "required properties at '/' are 'contexts'; `context` is not read; did you mean `contexts`?"
    ) in answer.json()["errors"][0]["message"]


def test_a_binding_is_told_in_the_header() -> None:
    """A binding, whose answer has no envelope, gets the warning in the header."""
    address = "/client/v4/accounts/x/ai/run/proxy"
    body = {"inputs": {"text": "a", "topk": 1}}
    answer = post(address, body, headers={"cf-consn-model-id": "acme/tc"})
    assert answer.status_code == 200
    assert told(answer) == ["`topk` is not read; a text classifier's input holds text"]


def test_what_stands_beside_an_input_is_told_as_well() -> None:
    """Unread members beside the input cause a warning, also in a binding's body."""
    run = "/client/v4/accounts/x/ai/run"
    named = {"model": "acme/tc", "input": {"text": "a"}, "inputs": {"text": "b"}}
    text = "`inputs` is not read; did you mean `input`?"
    answer = post(run, named)
    assert [each["message"] for each in answer.json()["messages"]] == told(answer) == [text]
    bound = {"inputs": {"text": "a"}, "option": {"queueRequest": True}}
    by = {"cf-consn-model-id": "acme/tc"}
    assert told(post(f"{run}/proxy", bound, headers=by)) == [
        "`option` is not read; did you mean `options`?"
    ]
    assert post(run, named, web=STRICT).status_code == 400
    assert post(f"{run}/proxy", bound, web=STRICT, headers=by).status_code == 400


def test_a_batch_is_told_of_its_inputs_when_it_is_taken() -> None:
    """A batch gets warnings with the inputs' places when it is taken, or a strict refusal."""
    batch = {"requests": [{"text": "a"}, {"text": "b", "texts": "c"}]}
    address = f"{CLASSIFIER}?queueRequest=true"
    answer = post(address, batch)
    text = "`requests[1].texts` is not read; did you mean `text`?"
    assert answer.json()["result"]["status"] == "queued"
    assert [each["message"] for each in answer.json()["messages"]] == [text]
    refused = post(address, batch, web=STRICT)
    assert refused.status_code == 400
    assert text in refused.json()["errors"][0]["message"]


def test_a_batch_of_many_tells_of_eight_at_most() -> None:
    """A batch gets at most eight warnings, however many inputs it has."""
    batch = {"requests": [{"text": "a", "no": 1}] * 99}
    answer = post(f"{CLASSIFIER}?queueRequest=true", batch)
    assert len(answer.json()["messages"]) == len(told(answer)) == 8


def test_a_body_with_neither_documents_nor_texts_is_told_both_names() -> None:
    """The error for a body without `documents` and `texts` names both."""
    answer = post("/v2/rerank", {"query": "q", "document": ["a"]})
    assert answer.status_code == 422
    assert answer.json()["message"] == (
        "the body: object missing required field `texts`, or `documents`; expected a list of texts"
        " by one of these names"
    )
