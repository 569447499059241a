"""Every request has an id and a log line, which holds none of its texts."""

import asyncio
from typing import cast

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.testing import capture_logs
from support.fake_engine import FakeEngine, reranker
from support.http_app import ask

from earmark.web.request_log import RequestLog

_SECRET = "a text that is nobody's business"  # noqa: S105 - no password


def test_a_request_is_logged_with_its_figures_and_without_its_text() -> None:
    """The line has method, path, status, milliseconds, model and number of texts, and no text."""
    with capture_logs() as lines:
        body = f'{{"inputs": ["{_SECRET}", "{_SECRET}"]}}'
        ask(
            "POST",
            "/models/acme/tc?q=1",
            body,
            engines=(FakeEngine(),),
            headers={"x-request-id": "r1"},
        )
    (line,) = lines
    assert line.pop("ms") >= 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "POST",
        "path": "/models/acme/tc",
        "status": 200,
        "model": "acme/tc",
        "texts": 2,
        "request_id": "r1",
    }


def test_a_refused_request_is_logged_without_its_text() -> None:
    """The line of a refused request holds no text, also where the text is what is wrong."""
    with capture_logs() as lines:
        ask("POST", "/", f'{{"inputs": ["{_SECRET}", 3]}}', engines=(FakeEngine(),))
    assert [line["status"] for line in lines] == [400]
    assert _SECRET not in repr(lines)


@pytest.mark.parametrize("given", ["r1", "!" * 128, "a/b:c"])
def test_a_sane_request_id_is_kept(given: str) -> None:
    """A request id of up to 128 visible ASCII characters is kept."""
    answer = ask("GET", "/", engines=(FakeEngine(),), headers={"x-request-id": given})
    assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "\x7f", "caf\xe9"])
def test_any_other_request_id_is_replaced(given: str) -> None:
    """A request id that is unfit for a header or a log line is replaced."""
    header = {"x-request-id": given.encode("latin-1")}
    transport = httpx.ASGITransport(RequestLog(_empty))

    async def scenario() -> str:
        async with httpx.AsyncClient(transport=transport) as client:
            request = client.build_request("GET", "http://earmark.test/")
            request.headers = httpx.Headers([(b"x-request-id", header["x-request-id"])])
            return (await client.send(request)).headers["x-request-id"]

    made = asyncio.run(scenario())
    assert len(made) == 32
    assert made.isalnum()


async def _empty(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise RuntimeError(_SECRET)


async def _broken_midway(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError(_SECRET)


def _get(app: ASGIApp) -> httpx.Response:
    async def scenario() -> httpx.Response:
        transport = httpx.ASGITransport(RequestLog(app))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.get("http://earmark.test/", headers={"x-request-id": "r1"})

    return asyncio.run(scenario())


def test_a_fault_is_answered_by_its_id_and_logged_with_its_traceback() -> None:
    """A fault is answered with the request's id alone, and logged with its traceback."""
    with capture_logs() as lines:
        answer = _get(_broken)
    assert answer.status_code == 500
    assert answer.json() == {"error": "unknown error (request r1)"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"] == "r1"
    fault, line = lines
    assert (fault["event"], fault["log_level"]) == ("fault", "error")
    assert isinstance(fault["exc_info"], RuntimeError)
    assert line["status"] == 500


def test_a_fault_after_the_answer_has_begun_is_left_to_the_server() -> None:
    """A fault after the answer has begun is raised to the server, and no second answer is sent."""
    with capture_logs() as lines, pytest.raises(RuntimeError):
        _get(_broken_midway)
    assert [line["event"] for line in lines] == ["fault", "request"]


def test_what_is_not_http_passes_through() -> None:
    """Messages of the lifespan pass through without an id."""
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(_: Message) -> None:
        return

    asyncio.run(RequestLog(app)({"type": "lifespan"}, receive, send))
    assert seen == ["lifespan"]


class _Panic(BaseException):
    """A panic of a library written in Rust, which is no `Exception`."""


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/models/acme/tc", '{"inputs": "a"}'),
        ("/rerank", '{"query": "a", "texts": ["b"]}'),
        ("/client/v4/accounts/a/ai/run/acme/tc", '{"text": "a"}'),
    ],
)
def test_what_is_no_exception_is_answered_in_the_dialects_form(path: str, body: str) -> None:
    """A panic is answered in the dialect's form, and the connection stays open."""
    engine = reranker("acme/tc")
    engine.failure = cast("Exception", _Panic("of a library"))  # the fake raises what it is given
    answer = ask("POST", path, body, engines=(engine,))
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("application/json")
    assert "of a library" not in answer.text
