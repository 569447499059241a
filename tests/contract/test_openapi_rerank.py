"""What the document shows of the rerank dialect is what the server does."""

import json

import pytest
from support.fake_engine import FakeEngine, odds, probabilities, reranker
from support.http_app import ask
from support.openapi_reading import rounded

from earmark.batching.queue import too_late
from earmark.domain.texts import TextInput
from earmark.errors import EngineError, QueueFull, ShuttingDown
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.keys import new_key
from earmark.serving.access.store import KeysInMemory
from earmark.web.dialects.rerank.errors import FORMS
from earmark.web.dialects.rerank.openapi.examples import ERRORS, PREDICTIONS, RERANKINGS

_MODEL = "org/reranker"


def _error(status: int) -> dict[str, str]:
    kinds = {form.status: form.kind for form in FORMS.values()}
    text = ERRORS[status]
    return {"error": text, "error_type": kinds[status], "message": text}


@pytest.mark.parametrize("name", RERANKINGS)
@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank"])
def test_the_reranking_shown_is_what_the_server_answers(path: str, name: str) -> None:
    """To the request shown beside it, by a model that is exactly so sure."""
    question = "What is the capital of France?"
    engine = reranker(
        _MODEL,
        logits={
            TextInput(question, "Bananas are yellow."): (odds(0.0625),),
            TextInput(question, "Paris is the capital of France."): (odds(0.9375),),
        },
    )
    body = json.dumps(RERANKINGS[name].request)
    headers = {"x-request-id": "bf64e82976a648e0a0fb2be1739e5698"}
    answer = ask("POST", path, body, engines=(engine,), headers=headers)
    assert answer.status_code == 200
    found = answer.json()
    if "meta" in found:
        assert found["meta"]["api_version"]["version"] == ("1" if "v1" in path else "2")
        found["meta"]["api_version"]["version"] = "2"
    assert rounded(found) == rounded(RERANKINGS[name].answer)


@pytest.mark.parametrize("name", PREDICTIONS)
def test_the_labels_shown_are_what_the_server_answers(name: str) -> None:
    """To the request shown beside them, by a model that is exactly so sure."""
    engine = FakeEngine(
        logits={
            TextInput("I like you. I love you"): probabilities(0.9734),
            TextInput("I like you.", "I love you"): probabilities(0.9548),
            TextInput("I do not"): probabilities(0.0315),
        }
    )
    answer = ask("POST", "/predict", json.dumps(PREDICTIONS[name].request), engines=(engine,))
    assert answer.status_code == 200
    assert rounded(answer.json()) == rounded(PREDICTIONS[name].answer)


_BODY = '{"query": "q", "documents": ["a"]}'
_BUSY = "the server is busy: 256 requests are in flight, of 256 at most; try again in 2 s"


def test_the_error_shown_of_a_coding_is_what_the_server_says() -> None:
    """Word for word, and the header names what is accepted."""
    headers = {"content-encoding": "br"}
    answer = ask("POST", "/rerank", _BODY, engines=(reranker(_MODEL),), headers=headers)
    assert (answer.status_code, answer.json()) == (415, _error(415))
    assert answer.headers["accept-encoding"].startswith("gzip, deflate, ")


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (400, '{"query": "q", "texts": []}', None),
        (404, '{"model": "rerank-v3.5", "query": "q", "documents": ["a"]}', None),
        (413, " " * (2 * 1024 * 1024 + 1), None),
        (422, '{"query": "q", "documents": ["a"], "top_n": 0}', None),
        (429, _BODY, QueueFull(_BUSY, retry_after_s=2.0)),
        (500, _BODY, EngineError("nobody's business")),
        (503, _BODY, ShuttingDown("the server is going down")),
        (504, _BODY, too_late(60.0)),
    ],
)
def test_the_error_shown_is_what_the_server_says(
    status: int, body: str, failure: Exception | None
) -> None:
    """Word for word, under all three names."""
    engine = reranker(_MODEL)
    engine.failure = failure
    headers = {"x-request-id": "bf64e82976a648e0a0fb2be1739e5698"}
    answer = ask("POST", "/rerank", body, engines=(engine,), headers=headers)
    assert (answer.status_code, answer.json()) == (status, _error(status))


def test_the_error_shown_without_a_key_is_what_the_server_says() -> None:
    """Word for word, at every address."""
    keys = KeysInMemory()
    keys.add(new_key("someone", now_s=0.0).kept)
    for path in ("/rerank", "/v1/rerank", "/v2/rerank", "/predict"):
        answer = ask("POST", path, _BODY, engines=(reranker(_MODEL),), gate=AccessGate(keys))
        assert (answer.status_code, answer.json()) == (401, _error(401))
        assert answer.headers["www-authenticate"] == "Bearer"
