"""What the document shows of the rerank dialect is what the server does."""

import json
from collections.abc import Mapping

import pytest
from support.fake_engine import FakeEngine, odds, probabilities, reranker
from support.http_app import ask
from support.openapi_reading import answer_examples, rounded

from earmark.batching.queue import too_late
from earmark.domain.texts import TextInput
from earmark.errors import EngineError, QueueFull, ShuttingDown
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.keys import new_key
from earmark.serving.access.store import KeysInMemory
from earmark.web.openapi.json_files import read_exchanges
from earmark.web.openapi.parts import Json

_MODEL = "org/reranker"
_PACKAGE = "earmark.web.dialects.rerank"

RERANKINGS = read_exchanges(_PACKAGE, "rerank")
PREDICTIONS = read_exchanges(_PACKAGE, "predict")


@pytest.fixture(scope="module")
def shown() -> Mapping[str, Json]:
    """Fetch the answers of the document, by where they stand."""
    document = ask("GET", "/openapi.json", engines=(FakeEngine(),)).json()
    return {each.place: each.value for each in answer_examples(document)}


@pytest.mark.parametrize("name", RERANKINGS)
@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank"])
def test_the_reranking_shown_is_what_the_server_answers(
    shown: Mapping[str, Json], path: str, name: str
) -> None:
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
    assert rounded(found) == rounded(shown[f"POST {path} 200 {name}"])


@pytest.mark.parametrize("name", PREDICTIONS)
def test_the_labels_shown_are_what_the_server_answers(shown: Mapping[str, Json], name: str) -> None:
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
    assert rounded(answer.json()) == rounded(shown[f"POST /predict 200 {name}"])


_BODY = '{"query": "q", "documents": ["a"]}'
_BUSY = "the server is busy: 256 requests are in flight, of 256 at most; try again in 2 s"


def test_the_error_shown_of_a_coding_is_what_the_server_says(shown: Mapping[str, Json]) -> None:
    """Word for word, and the header names what is accepted."""
    headers = {"content-encoding": "br"}
    answer = ask("POST", "/rerank", _BODY, engines=(reranker(_MODEL),), headers=headers)
    assert (answer.status_code, answer.json()) == (
        415,
        shown["POST /rerank 415 unsupportedCoding"],
    )
    assert answer.headers["accept-encoding"].startswith("gzip, deflate, ")


@pytest.mark.parametrize(
    ("status", "name", "body", "failure"),
    [
        (400, "empty", '{"query": "q", "texts": []}', None),
        (404, "unknownModel", '{"model": "rerank-v3.5", "query": "q", "documents": ["a"]}', None),
        (413, "tooLarge", " " * (2 * 1024 * 1024 + 1), None),
        (422, "invalid", '{"query": "q", "documents": ["a"], "top_n": 0}', None),
        (429, "tooMuchToDo", _BODY, QueueFull(_BUSY, retry_after_s=2.0)),
        (500, "fault", _BODY, EngineError("nobody's business")),
        (503, "shuttingDown", _BODY, ShuttingDown("the server is shutting down")),
        (504, "noAnswerInTime", _BODY, too_late(60.0)),
    ],
)
def test_the_error_shown_is_what_the_server_says(
    shown: Mapping[str, Json], status: int, name: str, body: str, failure: Exception | None
) -> None:
    """Word for word, under all three names."""
    engine = reranker(_MODEL)
    engine.failure = failure
    headers = {"x-request-id": "bf64e82976a648e0a0fb2be1739e5698"}
    answer = ask("POST", "/rerank", body, engines=(engine,), headers=headers)
    assert (answer.status_code, answer.json()) == (
        status,
        shown[f"POST /rerank {status} {name}"],
    )


def test_the_error_shown_without_a_key_is_what_the_server_says(shown: Mapping[str, Json]) -> None:
    """Word for word, at every address."""
    keys = KeysInMemory()
    keys.add(new_key("someone", now_s=0.0).kept)
    for path in ("/rerank", "/v1/rerank", "/v2/rerank", "/predict"):
        answer = ask("POST", path, _BODY, engines=(reranker(_MODEL),), gate=AccessGate(keys))
        assert (answer.status_code, answer.json()) == (
            401,
            shown[f"POST {path} 401 noAccessKey"],
        )
        assert answer.headers["www-authenticate"] == "Bearer"
