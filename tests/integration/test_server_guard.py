"""A real server on loopback, and clients that are slow, greedy or odd.

A deadline under test is short, all others are long: a test that waits for the wrong one fails.
"""

import asyncio
import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send
from support.fake_engine import FakeEngine
from support.http_server import RunningServer, running_server

from earmark.errors import SettingsError
from earmark.models.registry import Registry
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.keys import new_key
from earmark.serving.access.store import KeysInMemory
from earmark.serving.service import Service
from earmark.web.app import create_app
from earmark.web.connections import ConnectionLimits
from earmark.web.serve import ServerOptions
from earmark.web.uvicorn_parts import check_protocol

_SHORT_S = 0.2
_NEVER_S = 600.0
_PATIENT = ConnectionLimits(
    first_byte_s=_NEVER_S, headers_s=_NEVER_S, body_s=_NEVER_S, answer_s=_NEVER_S
)
_BODY = b'{"inputs": "I like you"}'
_HEAD = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n" % len(_BODY)
_REQUEST = _HEAD + b"\r\n" + _BODY


@contextmanager
def _server(limits: ConnectionLimits = _PATIENT) -> Iterator[RunningServer]:
    with running_server(_app(FakeEngine()), ServerOptions(connection=limits)) as running:
        yield running


def _app(engine: FakeEngine) -> Starlette:
    return create_app(Service(Registry([engine])))


def _answer(connection: socket.socket) -> tuple[int, object]:
    """Read one answer: its status and its JSON."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    assert response.getheader("content-type") == "application/json"
    return response.status, json.loads(response.read())


def test_a_client_that_sends_nothing_is_hung_up_on() -> None:
    """A connection that sends nothing is closed without an answer."""
    with _server(replace(_PATIENT, first_byte_s=_SHORT_S)) as server, server.connect() as client:
        assert client.recv(1) == b""


def test_a_client_that_sends_only_line_ends_is_hung_up_on() -> None:
    """Line ends, which begin no request, do not put the deadline off, also after an answer."""
    with _server(replace(_PATIENT, first_byte_s=_SHORT_S)) as server, server.connect() as client:
        client.sendall(_REQUEST)
        assert _answer(client)[0] == 200
        client.sendall(b"\r\n")
        assert client.recv(1) == b""


def test_an_idle_connection_is_closed_after_its_time() -> None:
    """Not before: a second request on it is answered."""
    options = ServerOptions(keep_alive_s=1, connection=_PATIENT)
    with running_server(_app(FakeEngine()), options) as server, server.connect() as client:
        for _ in range(2):
            client.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
            assert _answer(client)[0] == 200
        began_s = time.monotonic()
        assert client.recv(1) == b""
        assert time.monotonic() - began_s > 0.5


def test_headers_that_do_not_end_are_refused() -> None:
    """Headers that do not end get 408, and the connection is closed."""
    with _server(replace(_PATIENT, headers_s=_SHORT_S)) as server, server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nhost:")
        error = {"error": "the request's headers did not arrive in time"}
        assert _answer(client) == (408, error)
        assert client.recv(1) == b""


def test_a_body_that_does_not_end_is_refused() -> None:
    """A body that does not end gets 408, and the handler that waits for it is released."""
    with _server(replace(_PATIENT, body_s=_SHORT_S)) as server, server.connect() as client:
        client.sendall(_HEAD + b"\r\n{")
        error = {"error": "the request's body did not arrive in time"}
        assert _answer(client) == (408, error)
        assert client.recv(1) == b""


def test_a_body_that_goes_on_after_its_refusal_ends_the_connection() -> None:
    """After a refusal the answer can be read; then the connection is closed, body or not."""
    with _server(replace(_PATIENT, body_s=_SHORT_S)) as server, server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n{")
        assert _answer(client)[0] == 413
        assert client.recv(1) == b""


def test_a_client_waiting_for_an_answer_may_be_slow_with_its_next_request() -> None:
    """A slow second request is not refused before the first one is answered."""
    engine = FakeEngine(gate=asyncio.Event())
    options = ServerOptions(connection=replace(_PATIENT, headers_s=_SHORT_S))
    with running_server(_app(engine), options) as server, server.connect() as client:
        client.sendall(_REQUEST + b"POST ")
        assert engine.arrived.wait(20)
        with server.connect() as later:
            later.sendall(b"POST ")
            assert _answer(later)[0] == 408  # so the other's deadline has passed as well
        assert engine.gate is not None
        server.call(engine.gate.set)
        assert _answer(client)[0] == 200
        assert _answer(client)[0] == 408


def test_an_answer_that_has_begun_is_cut_short_with_the_body_that_does_not_end() -> None:
    """When a body's deadline passes after its answer began, the connection closes without a 408."""

    async def early(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"early", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    options = ServerOptions(connection=replace(_PATIENT, body_s=_SHORT_S))
    app = Starlette(routes=[Mount("/", early)])
    with running_server(app, options) as server, server.connect() as client:
        client.sendall(_HEAD + b"\r\n{")
        assert b"408" not in _rest(client)


def test_deadlines_end_with_what_they_wait_for() -> None:
    """Requests in pieces on one connection are answered as long as each stage is in time."""
    with _server() as server, server.connect() as client:
        for piece in (b"\r\n", _HEAD[:7], _HEAD[7:], b"\r\n", _BODY[:3], _BODY[3:]):
            client.sendall(piece)
        assert _answer(client)[0] == 200
        client.sendall(_REQUEST)
        assert _answer(client)[0] == 200


def test_pipelined_requests_are_answered_in_order() -> None:
    """Pipelined requests are answered in order, each with its own limits."""
    with _server() as server, server.connect() as client:
        bad = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
        client.sendall(_REQUEST + bad + _REQUEST)
        reader = client.makefile("rb")
        statuses = []
        for _ in range(3):
            statuses.append(int(reader.readline().split()[1]))
            length = 0
            while (line := reader.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            reader.read(length)
        reader.close()
        assert statuses == [200, 400, 200]


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nhost: x\r\nx-long: " + b"x" * 2000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + b"x-short: x\r\n" * 200 + b"\r\n",
        b"POST /" + b"x" * 2000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
    ],
    ids=["one long header", "many short ones", "a long address"],
)
def test_headers_over_the_limit_are_refused(head: bytes) -> None:
    """Headers over the limit get 431, whole or in pieces that never end."""
    with _server(replace(_PATIENT, max_header_bytes=1000)) as server:
        expected = (
            431,
            {"error": "the request's headers are too large; at most 1,000 bytes are accepted"},
        )
        with server.connect() as client:
            client.sendall(head)
            assert _answer(client) == expected
        with server.connect() as client:
            client.sendall(head[:-4])  # at once, and without its end
            assert _answer(client) == expected
        with server.connect() as client:
            for start in range(0, len(head) - 4, 500):
                client.sendall(head[start : start + 500])
            assert _answer(client) == expected


def test_more_headers_than_the_limit_are_refused() -> None:
    """Thousands of empty ones fit the limit of bytes, and each is looked at many times."""
    with _server(replace(_PATIENT, max_headers=100)) as server:
        for count, status in ((99, 200), (100, 431)):  # and the one that names the host
            with server.connect() as client:
                client.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n" + b"a:\r\n" * count + b"\r\n")
                assert _answer(client)[0] == status


def test_a_large_body_is_no_large_header() -> None:
    """The bytes of a body do not count towards the limit of headers."""
    with _server(replace(_PATIENT, max_header_bytes=1000)) as server, server.connect() as client:
        body = json.dumps({"inputs": "x" * 50_000}).encode()
        head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
        client.sendall(head + body + b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        assert _answer(client)[0] == 200


@pytest.mark.parametrize(
    "sent", [b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET caf\xe9 HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_request_is_refused(sent: bytes) -> None:
    """Bytes that are no request get a 400 as JSON."""
    with _server() as server, server.connect() as client:
        client.sendall(sent)
        assert _answer(client) == (400, {"error": "the request is not valid HTTP/1.1"})


@pytest.mark.parametrize(
    "target", ["http://[::1/", "http://a@b@c/", "http://", "?a", "http://x:x/"]
)
def test_an_address_that_cannot_be_read_is_refused(target: str) -> None:
    """A request whose address cannot be read gets a 400 as JSON, not a closed connection."""
    with _server() as server, server.connect() as client:
        client.sendall(b"GET %b HTTP/1.1\r\nhost: x\r\n\r\n" % target.encode())
        assert _answer(client) == (400, {"error": "the request is not valid HTTP/1.1"})


def test_a_refusal_can_be_read_by_a_client_that_goes_on_sending() -> None:
    """A refused client that sends more before it reads still gets the refusal."""
    with _server() as server, server.connect() as client:
        for sent in (b"hello\r\n\r\n", b"x" * 1000, b"x" * 1000):
            client.sendall(sent)
            with server.connect() as other:  # answered after the server has read what was sent
                other.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
                assert _answer(other)[0] == 200
        assert _answer(client) == (400, {"error": "the request is not valid HTTP/1.1"})
        assert client.recv(1) == b""


@pytest.mark.parametrize("target", [b"http://[::1/", b"/\x00"])
def test_a_refused_head_gets_no_body(target: bytes) -> None:
    """The refusal of a HEAD ends with its headers (RFC 9110, 9.3.2)."""
    with _server() as server, server.connect() as client:
        client.sendall(b"HEAD %b HTTP/1.1\r\nhost: x\r\n\r\n" % target)
        answer = _rest(client)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"content-length: 45\r\n" in answer
        assert answer.endswith(b"\r\n\r\n")


def test_a_refusal_after_a_head_has_its_body() -> None:
    """Bytes that are no request get a refusal with its body, though a HEAD came before them."""
    with _server() as server, server.connect() as client:
        client.sendall(b"HEAD /health HTTP/1.1\r\nhost: x\r\n\r\nhello\r\n\r\n")
        assert _rest(client).endswith(b'{"error":"the request is not valid HTTP/1.1"}')


def test_a_client_that_leaves_with_a_pipeline_is_seen_to_have_left() -> None:
    """The app sees the end of a connection also for a request that others wait behind."""
    arrived, left = threading.Event(), threading.Event()

    async def waiting(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        arrived.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"late"})
        left.set()

    app = Starlette(routes=[Mount("/", waiting)])
    with running_server(app) as server:
        with server.connect() as client:
            client.sendall(_REQUEST + _REQUEST)
            assert arrived.wait(20)
        assert left.wait(20)


@pytest.mark.parametrize(
    "offer",
    [
        b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAA\r\n",
        b"connection: Upgrade\r\nupgrade: websocket\r\n",
    ],
)
def test_an_offer_of_another_protocol_is_passed_over(offer: bytes) -> None:
    """A request that offers another protocol, as Java's client does, is answered as HTTP/1.1."""
    with _server() as server:
        for pieces in ([_HEAD + offer + b"\r\n" + _BODY], [_HEAD + offer + b"\r\n", _BODY]):
            with server.connect() as client:
                for piece in pieces:
                    client.sendall(piece)
                assert _answer(client)[0] == 200


def test_a_tunnel_is_refused() -> None:
    """A CONNECT request is refused."""
    with _server() as server, server.connect() as client:
        client.sendall(b"CONNECT example.org:443 HTTP/1.1\r\nhost: example.org\r\n\r\n")
        assert _answer(client)[0] == 400


def test_an_answer_that_nobody_reads_is_dropped() -> None:
    """An unread answer is dropped after its deadline, and the handler is released."""
    finished = threading.Event()

    async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer far more than the buffers between the two hold."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        finished.set()

    app = Starlette(routes=[Mount("/", endless)])
    options = ServerOptions(connection=replace(_PATIENT, answer_s=_SHORT_S))
    with running_server(app, options) as server, server.connect() as client:
        client.sendall(_REQUEST)
        assert finished.wait(20)
        assert len(_rest(client)) < 1000 * 100_000


def _rest(connection: socket.socket) -> bytes:
    """Read until the server ends the connection, one way or the other."""
    found = bytearray()
    with suppress(ConnectionResetError):
        while data := connection.recv(1 << 20):
            found += data
    return bytes(found)


def test_a_trailer_is_no_header() -> None:
    """An access key in a trailer is ignored; the request itself is read as it came."""
    keys = KeysInMemory()
    made = new_key("caller", now_s=0.0)
    keys.add(made.kept)
    app = create_app(Service(Registry([FakeEngine()])), gate=AccessGate(keys))
    head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
    credential = b"authorization: Bearer " + made.secret.encode() + b"\r\n"
    chunks = b"%x\r\n%b\r\n0\r\n" % (len(_BODY), _BODY)
    with running_server(app) as server:
        for sent, status in (
            (head + b"\r\n" + chunks + credential + b"\r\n", 401),
            (head + credential + b"\r\n" + chunks + b"x-checksum: 1\r\n\r\n", 200),
        ):
            with server.connect() as client:
                client.sendall(sent)
                assert _answer(client)[0] == status


def test_trailers_that_do_not_end_are_refused() -> None:
    """Trailers that do not end are refused like headers."""
    with _server(replace(_PATIENT, max_header_bytes=1000)) as server, server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ")
        for _ in range(3):
            with server.connect() as other:  # so that each piece is read by itself
                other.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
                assert _answer(other)[0] == 200
            client.sendall(b"x" * 500)
        assert _answer(client)[0] == 431


@pytest.mark.parametrize(
    ("head", "status", "words"),
    [
        (b"GET /health HTTP/1.1\r\n", 400, "no Host header"),
        (b"GET /health HTTP/1.1\r\nhost: x\r\nHost: y\r\n", 400, "more than one Host header"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n", 501, "'gzip'"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: GZIP\r\n", 501, "'gzip'"),
    ],
)
def test_what_two_readers_would_take_differently_is_refused(
    head: bytes, status: int, words: str
) -> None:
    """Requests that two readers may read differently are refused (RFC 9112, 3.2 and 6.1)."""
    with _server() as server, server.connect() as client:
        client.sendall(head + b"\r\n")
        found, error = _answer(client)
        assert found == status
        assert words in repr(error)
        assert client.recv(1) == b""


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health HTTP/1.0\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: Chunked\r\n",
    ],
)
def test_what_is_sound_is_read(head: bytes) -> None:
    """HTTP/1.0 without Host, and names of codings in any case, are accepted."""
    with _server() as server, server.connect() as client:
        client.sendall(head + b"\r\n" + b"%x\r\n%b\r\n0\r\n\r\n" % (len(_BODY), _BODY))
        assert _answer(client)[0] == 200


@pytest.mark.parametrize(
    ("broken", "status"),
    [
        (b"GET /health HTTP/1.1\r\n\r\n", 400),
        (b"hello\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nhello", 400),
    ],
    ids=["no Host", "no request", "no chunk"],
)
def test_valid_requests_are_answered_before_a_broken_one_is_refused(
    broken: bytes, status: int
) -> None:
    """Valid requests are answered before a broken one behind them is refused."""
    engine = FakeEngine(gate=asyncio.Event())
    with running_server(_app(engine)) as server, server.connect() as client:
        client.sendall(_REQUEST + _REQUEST + broken)
        assert engine.arrived.wait(20)
        assert engine.gate is not None
        server.call(engine.gate.set)
        statuses = re.findall(r"HTTP/1\.1 (\d{3}) ", _rest(client).decode())
        assert [int(each) for each in statuses] == [200, 200, status]


class _WithoutPipeline:
    """A protocol of a uvicorn that lacks a part."""

    def __init__(self) -> None:
        self.parser = self.url = self.headers = None

    def data_received(self) -> None:
        """Stand for what is still there."""


def test_a_uvicorn_that_lacks_what_the_guard_uses_is_refused() -> None:
    """A uvicorn that lacks a part that the guard uses is refused; the installed one is accepted."""
    check_protocol()
    with pytest.raises(SettingsError, match=r"lacks _unset_keepalive.*, pipeline, .*uvicorn<0\.55"):
        check_protocol(_WithoutPipeline)


def test_idle_connections_make_room_and_busy_ones_stay() -> None:
    """Every kind of idle connection is closed before the one whose request is being answered."""
    engine = FakeEngine(gate=asyncio.Event())
    options = ServerOptions(connection=replace(_PATIENT, most_connections=4))
    with running_server(_app(engine), options) as server, ExitStack() as stack:

        def connected(sent: bytes = b"") -> socket.socket:
            client = stack.enter_context(server.connect())
            client.sendall(sent)
            return client

        def asked() -> socket.socket:
            client = connected(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
            assert _answer(client)[0] == 200
            return client

        busy = connected(_REQUEST)
        assert engine.arrived.wait(20)
        silent = connected()
        begun = connected(b"GET /health HTTP/1.1\r\n")
        kept = asked()
        later = [asked()]  # four beside: the silent one goes
        assert silent.recv(1) == b""
        later.append(asked())  # then the one that was answered before
        assert kept.recv(1) == b""
        later.append(asked())
        assert later[0].recv(1) == b""
        assert engine.gate is not None
        server.call(engine.gate.set)
        assert _answer(busy)[0] == 200
        begun.sendall(b"host: x\r\n\r\n")
        assert _answer(begun)[0] == 200


def test_where_all_are_busy_a_new_connection_is_refused() -> None:
    """Where all connections are busy, also reading a body, a new one gets 503."""
    engine = FakeEngine(gate=asyncio.Event())
    options = ServerOptions(connection=replace(_PATIENT, most_connections=1))
    with running_server(_app(engine), options) as server, server.connect() as busy:
        busy.sendall(_REQUEST)
        assert engine.arrived.wait(20)
        with server.connect() as client:
            error = {"error": "all 1 connections of this server are busy; try again later"}
            assert _answer(client) == (503, error)
            assert client.recv(1) == b""
        assert engine.gate is not None
        server.call(engine.gate.set)
        assert _answer(busy)[0] == 200
