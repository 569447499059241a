"""Whatever error the server raises, each dialect answers it as the document shows."""

from collections.abc import Mapping

import pytest
from support.fake_engine import FakeEngine
from support.http_app import ask
from support.openapi_reading import Node, answer_examples, mapping, resolve

from earmark.web.openapi.parts import Json
from earmark.web.openapi.shared_answers import SAMPLES

_MODEL = "earmark/sentiment"
_RUN = "/client/v4/accounts/{account}/ai/run"
_ADDRESSES: Mapping[str, bytes] = {
    "/models/{id}": b'{"inputs": "a"}',
    f"{_RUN}/{{model}}": b'{"text": "a"}',
    f"{_RUN}/proxy": b'{"inputs": {"text": "a"}}',
    "/predict": b'{"inputs": "a"}',
}
"""One of each dialect, and what is sent there."""


_SHOWN = [
    (path, name)
    for path in _ADDRESSES
    for name in SAMPLES
    # Of these Workers AI has its own: who lacks a key gets no run, and 55 s are the longest.
    if not (path.startswith(_RUN) and name in {"noAccessKey", "noAnswerInTime"})
]


@pytest.fixture(scope="module")
def document() -> Node:
    """Fetch the document as a client does."""
    found: Node = ask("GET", "/openapi.json", engines=(FakeEngine(),)).json()
    return found


@pytest.fixture(scope="module")
def shown(document: Node) -> Mapping[str, Json]:
    """List its answers, by where they stand."""
    return {each.place: each.value for each in answer_examples(document)}


@pytest.mark.parametrize(("path", "name"), _SHOWN)
def test_an_error_is_answered_as_the_document_shows(
    document: Node, shown: Mapping[str, Json], path: str, name: str
) -> None:
    """Word for word, with no header that is not described."""
    answer = ask(
        "POST",
        path.replace("{id}", _MODEL).replace("{model}", _MODEL),
        _ADDRESSES[path],
        engines=(FakeEngine(_MODEL, failure=SAMPLES[name].error),),
        headers={"x-request-id": "bf64e82976a648e0a0fb2be1739e5698", "cf-consn-model-id": _MODEL},
    )
    assert answer.json() == shown[f"POST {path} {answer.status_code} {name}"]
    operation = mapping(mapping(mapping(document["paths"])[path])["post"])
    described = resolve(document, mapping(operation["responses"])[str(answer.status_code)])
    beside = set(answer.headers) - {"content-type", "content-length"}
    assert beside <= set(mapping(described["headers"]))


_LATE = "no answer within 60.0 s; send fewer texts at once or allow more time"
_BUSY = "the server is busy: 256 requests are in flight, of 256 at most; try again in 2 s"
_RUN_LATE = "Request timeout: no answer within 55.0 s; send fewer texts at once or allow more time"
_UUID = "bf64e829-76a6-48e0-a0fb-2be1739e5698"
_KEY = "an access key of this server"


def _failure(code: int, message: str, result: Json = None) -> Json:
    error: Json = {"code": code, "message": message}
    return {"result": result, "success": False, "errors": [error], "messages": []}


@pytest.mark.parametrize(
    ("place", "body"),
    [
        ("/models/{id} 400 badRequest", {"error": "`parameters.top_k`: expected `int` >= 1"}),
        (
            "/models/{id} 401 noAccessKey",
            {
                "error": "Invalid credentials in Authorization header: no access key was sent;"
                f" expected Bearer and {_KEY}"
            },
        ),
        ("/models/{id} 429 tooMuchToDo", {"error": _BUSY}),
        (
            "/models/{id} 500 fault",
            {"error": "unknown error (request bf64e82976a648e0a0fb2be1739e5698)"},
        ),
        (
            "/models/{id} 503 loading",
            {"error": "Model org/name is currently loading", "estimated_time": 20.0},
        ),
        (
            "/models/{id} 504 noAnswerInTime",
            {"error": f"Model earmark/sentiment time out: {_LATE}"},
        ),
        (
            "/rerank 401 noAccessKey",
            {
                "error": f"no access key was sent; expected Bearer and {_KEY} in the Authorization"
                " header",
                "error_type": "Unauthorized",
                "message": f"no access key was sent; expected Bearer and {_KEY} in the"
                " Authorization header",
            },
        ),
        (
            "/rerank 504 noAnswerInTime",
            {"error": _LATE, "error_type": "Overloaded", "message": _LATE},
        ),
        (f"{_RUN} 401 wrongKey", _failure(10000, "Authentication error")),
        (
            f"{_RUN} 405 wrongMethod",
            _failure(7001, "Method DELETE not available for that URI."),
        ),
        (
            f"{_RUN} 408 noAnswerInTime",
            _failure(3007, f"AiError: {_RUN_LATE} ({_UUID})", {}),
        ),
        (
            f"{_RUN}/proxy 408 noAnswerInTime",
            {
                "name": "AiError",
                "internalCode": 3007,
                "httpCode": 408,
                "message": f"AiError: {_RUN_LATE} ({_UUID})",
                "description": _RUN_LATE,
                "requestId": _UUID,
            },
        ),
        (
            f"{_RUN} 500 fault",
            _failure(5000, f"AiError: Internal error: unknown error ({_UUID})", {}),
        ),
    ],
)
def test_an_error_is_shown_in_the_words_of_its_dialect(
    shown: Mapping[str, Json], place: str, body: Json
) -> None:
    """As they were written down by hand: the document has them from the dialect itself."""
    assert shown[f"POST {place}"] == body


def test_an_error_is_shown_with_the_headers_that_it_carries(document: Node) -> None:
    """No other answer of a run is said to have them."""
    answers = mapping(
        mapping(mapping(mapping(document["paths"])["/models/{id}"])["post"])["responses"]
    )
    carried = {
        "401": "www-authenticate",
        "405": "allow",
        "415": "accept-encoding",
        "429": "retry-after",
        "503": "retry-after",
    }
    for status, answer in answers.items():
        headers = set(mapping(resolve(document, answer).get("headers", {})))
        assert headers & set(carried.values()) == (
            {carried[status]} if status in carried else set()
        )
