"""How clients in other languages write booleans, numbers and objects."""

import gzip
import json

import pytest
from support.fake_engine import FakeEngine, reranker, token_labeller, zero_shot_model
from support.http_app import ask

from earmark.domain.texts import TextInput

_TOKENS = {"inputs": "Sarah"}


@pytest.mark.parametrize("options", [{"wait_for_model": "true"}, {"use_cache": 0}, [], None, {}])
@pytest.mark.parametrize("parameters", [{"top_k": "1"}, {"top_k": 1.0, "truncation": "True"}])
def test_a_text_is_classified(options: object, parameters: object) -> None:
    """Lax parameters and options are accepted: `top_k` 1 as text or float gives one label."""
    body = {"inputs": "a", "options": options, "parameters": parameters}
    answer = ask("POST", "/", json.dumps(body), engines=(FakeEngine(),))
    assert answer.status_code == 200, answer.text
    assert [len(each) for each in answer.json()] == [1]


@pytest.mark.parametrize(
    ("engine", "path"), [(FakeEngine(), "/"), (token_labeller(), "/"), (reranker(), "/")]
)
def test_parameters_may_be_an_empty_array(engine: FakeEngine, path: str) -> None:
    """`parameters: []`, as PHP writes an empty object, is accepted."""
    body = {"inputs": "a", "parameters": [], "options": []}
    assert ask("POST", path, json.dumps(body), engines=(engine,)).status_code == 200
    refused = ask("POST", path, json.dumps({**body, "parameters": [1]}), engines=(engine,))
    assert refused.status_code == 400


@pytest.mark.parametrize("value", ["true", "1", 1, True])
def test_several_labels_may_hold_however_it_is_written(value: object) -> None:
    """`multi_label` in every spelling scores each label by itself: 1 / (1 + e^-2) of 0 and 2."""
    logits = {TextInput("a", f"This example is {label}."): (0.0, 0.0, 2.0) for label in ("x", "y")}
    parameters = {"candidate_labels": ["x", "y"], "multi_label": value}
    body = json.dumps({"inputs": "a", "parameters": parameters})
    answer = ask("POST", "/", body, engines=(zero_shot_model(logits=logits),))
    assert [each["score"] for each in answer.json()] == [pytest.approx(0.880797)] * 2


@pytest.mark.parametrize(
    "body",
    [
        {**_TOKENS, "stream": "true"},
        {**_TOKENS, "parameters": {"stream": True}},
        {**_TOKENS, "parameters": {"stream": 1}, "stream": None},
    ],
)
def test_a_stream_may_be_asked_for_among_the_parameters(body: object) -> None:
    """`stream` among the parameters counts where the top of the body has none."""
    answer = ask("POST", "/", json.dumps(body), engines=(token_labeller(),))
    assert answer.headers["content-type"] == "text/event-stream"
    plain = {**_TOKENS, "stream": False, "parameters": {"stream": True}}
    answer = ask("POST", "/", json.dumps(plain), engines=(token_labeller(),))
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/rerank", {"query": "q", "texts": ["a"], "raw_scores": "true", "return_text": None}),
        ("/rerank", {"query": "q", "texts": ["a"], "documents": None, "model": None}),
        ("/v2/rerank", {"query": "q", "documents": ["a"], "top_n": "1", "return_documents": 0}),
        ("/models/acme/rr", {"query": "q", "texts": ["a"], "inputs": None}),
        (
            "/client/v4/accounts/mine/ai/run/acme/rr",
            {"query": "q", "contexts": [{"text": "a"}], "top_k": "1"},
        ),
    ],
)
def test_a_ranking_is_asked_for_as_laxly(path: str, body: object) -> None:
    """Parameters of a ranking are read as laxly, and null counts as absent."""
    answer = ask("POST", path, json.dumps(body), engines=(reranker(),))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", ["/", "/models/acme/rr", "/rerank"])
def test_a_compressed_body_is_answered_as_a_plain_one(path: str) -> None:
    """A compressed body has the answer of the plain one; an unknown coding is refused."""
    body = json.dumps({"query": "q", "texts": ["a", "b"]}).encode()
    plain = ask("POST", path, body, engines=(reranker(),))
    headers = {"content-encoding": "gzip"}
    packed = ask("POST", path, gzip.compress(body), engines=(reranker(),), headers=headers)
    assert (plain.status_code, plain.json()) == (packed.status_code, packed.json())
    refused = ask("POST", path, body, engines=(reranker(),), headers={"content-encoding": "br"})
    assert refused.status_code == 415
    assert refused.headers["accept-encoding"].startswith("gzip, deflate, ")
