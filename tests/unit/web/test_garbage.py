"""Requests leave no reference cycles to Python's garbage collector."""

import asyncio
import gc
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from starlette.types import ASGIApp, Message
from support.http_server import running_server
from support.instant_models import instant_engines

from earmark.models.registry import Registry
from earmark.serving.service import Service
from earmark.web.app import create_app

WARM_UP = 5
REQUESTS = 20
MOST_IN_ALL = REQUESTS // 2
"""Objects in cycles that do not grow with the requests: less than one for each."""

_RUN = "/client/v4/accounts/x/ai/run"


def _post(path: str, status: int, body: object) -> tuple[str, int, Callable[[int], bytes]]:
    written = json.dumps(body)
    return path, status, lambda index: written.replace("#", str(index)).encode()


REQUESTS_OF = {
    "texts": _post("/models/acme/tc", 200, {"inputs": ["hello #", "bye #"]}),
    "a known text": _post("/models/acme/tc", 200, {"inputs": "hello"}),
    "a long text": _post("/models/acme/tc", 200, {"inputs": "hello # " * 3000}),
    "labels": _post(
        "/models/acme/zs",
        200,
        {"inputs": "hello #", "parameters": {"candidate_labels": ["a", "b"]}},
    ),
    "entities": _post("/models/acme/tk", 200, {"inputs": "Berlin # is"}),
    "windows": _post(
        "/models/acme/tk", 200, {"inputs": "Berlin # is " * 400, "parameters": {"stride": 16}}
    ),
    "a stream": _post("/models/acme/tk", 200, {"inputs": "Berlin # is", "stream": True}),
    "a ranking": _post("/rerank", 200, {"query": "#", "texts": ["a", "b"], "model": "acme/rr"}),
    "documents": _post(
        "/v2/rerank", 200, {"query": "d #", "documents": ["a", "b"], "model": "acme/rr"}
    ),
    "a prediction": _post("/predict", 200, {"inputs": "p #", "model": "acme/tc"}),
    "a run": _post(f"{_RUN}/acme/tc", 200, {"text": "r #"}),
    "contexts": _post(f"{_RUN}/acme/rr", 200, {"query": "c #", "contexts": [{"text": "a"}]}),
    "no text": _post("/models/acme/tc", 400, {"inputs": 1}),
    "a text too long": _post(
        "/models/acme/tc", 400, {"inputs": "a " * 600, "parameters": {"truncation": False}}
    ),
    "no labels": _post("/models/acme/zs", 400, {"inputs": "hello"}),
    "no such model": _post("/models/acme/none", 404, {"inputs": "hello"}),
    "no input": _post(f"{_RUN}/acme/tc", 400, {}),
    "no query": _post("/rerank", 422, {}),
    "no such address": _post("/nowhere/at/all", 404, {}),
}


async def _asked(app: ASGIApp, path: str, body: bytes) -> int:
    """Send one request, as a server does, and return the answer's status."""
    statuses: list[int] = []
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])
    never = asyncio.Event()

    async def receive() -> Message:
        for message in messages:
            return message
        await never.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"host", b"x"), (b"content-length", str(len(body)).encode())],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 4000),
    }
    await app(scope, receive, send)
    await asyncio.sleep(0)
    return statuses[0]


@contextmanager
def _collector_off() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("case", REQUESTS_OF)
def test_requests_leave_no_cycles(case: str) -> None:
    """The number of objects in cycles does not grow with the number of requests."""
    path, status, body = REQUESTS_OF[case]
    app = create_app(Service(Registry(instant_engines())))

    async def scenario() -> int:
        for index in range(WARM_UP):
            assert await _asked(app, path, body(index)) == status
        with _collector_off():
            for index in range(REQUESTS):
                await _asked(app, path, body(WARM_UP + index))
            return gc.collect()

    assert asyncio.run(scenario()) <= MOST_IN_ALL


def test_a_server_leaves_no_cycles_on_a_connection() -> None:
    """Requests over HTTP on one connection leave no cycles that grow with their number."""
    body = b'{"inputs": "hello"}'
    head = b"POST /models/acme/tc HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n"
    request = head % len(body) + body

    def ask(connection: socket.socket, times: int) -> None:
        for _ in range(times):
            connection.sendall(request)
            answer = b""
            while not answer.endswith(b"]]"):
                answer += connection.recv(65_536)

    app = create_app(Service(Registry(instant_engines())))
    with running_server(app) as server, server.connect() as connection:
        ask(connection, WARM_UP)
        with _collector_off():
            ask(connection, REQUESTS)
            assert gc.collect() <= MOST_IN_ALL
