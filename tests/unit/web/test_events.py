"""Answers in events are sent as they are made, and end with the connection."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message
from structlog.testing import capture_logs

from earmark.web.events import DONE, EventStream, event
from earmark.web.request_log import RequestLog, RequestRecord

_PATIENCE_S = 10.0
"""Far more than any of this takes: a hang has to fail, not to stay."""


@given(st.text())
def test_an_event_is_one_line_whatever_the_text(text: str) -> None:
    """An event is one line whatever its text, and is read back unchanged."""
    made = event({"word": text})
    assert made.startswith(b"data:")
    assert made.endswith(b"\n\n")
    line = made.removesuffix(b"\n\n")
    assert b"\n" not in line
    assert b"\r" not in line
    assert msgspec.json.decode(line.removeprefix(b"data:")) == {"word": text}


class _Exchange:
    """An app that streams, its client, and what both held."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.leave = asyncio.Event()
        self.held = 0
        self.closed = False
        self.records: list[RequestRecord] = []

    async def events(self, record: RequestRecord) -> AsyncGenerator[bytes, None]:
        """Make one event at once, and the last one when the test allows it."""
        self.records.append(record)
        try:
            yield event(1)
            await self.go.wait()
            yield DONE
        finally:
            self.closed = True

    async def receive(self) -> Message:
        """Wait until the client leaves."""
        await self.leave.wait()
        return {"type": "http.disconnect"}

    async def run(self) -> None:
        """Serve one request."""
        async with AsyncExitStack() as stack:
            stack.callback(self._give_back)
            response = EventStream(self.events, headers={"x-a": "b"}, held=stack.pop_all())
        scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
        await RequestLog(response)(scope, self.receive, self.sent.put)

    async def next_sent(self) -> Message:
        """Take what was sent next."""
        return await asyncio.wait_for(self.sent.get(), _PATIENCE_S)

    def _give_back(self) -> None:
        self.held += 1


def test_an_event_is_sent_before_the_next_is_made() -> None:
    """Each event is sent before the next is made; at the end what was held is released once."""

    async def scenario() -> _Exchange:
        exchange = _Exchange()
        running = asyncio.create_task(exchange.run())
        start = await exchange.next_sent()
        assert start["status"] == 200
        headers = dict(start["headers"])
        assert headers.pop(b"x-request-id") == exchange.records[0].request_id.encode()
        assert headers == {
            b"content-type": b"text/event-stream",
            b"cache-control": b"no-cache",
            b"x-accel-buffering": b"no",
            b"x-a": b"b",
        }
        first = await exchange.next_sent()
        assert (first["body"], first["more_body"]) == (b"data:1\n\n", True)
        assert exchange.held == 0
        exchange.go.set()
        await running
        rest = [exchange.sent.get_nowait() for _ in range(2)]
        assert [one["body"] for one in rest] == [b"data: [DONE]\n\n", b""]
        assert [one["more_body"] for one in rest] == [True, False]
        return exchange

    exchange = asyncio.run(scenario())
    assert (exchange.held, exchange.closed) == (1, True)


def test_a_client_who_leaves_ends_the_stream_and_the_log_has_what_was_sent() -> None:
    """When a client leaves, nothing more is sent, all is released, and the log has the status."""

    async def scenario() -> _Exchange:
        exchange = _Exchange()
        running = asyncio.create_task(exchange.run())
        for _ in range(2):
            await exchange.next_sent()
        exchange.leave.set()
        await asyncio.wait_for(running, _PATIENCE_S)
        assert exchange.sent.empty()
        return exchange

    with capture_logs() as lines:
        exchange = asyncio.run(scenario())
    assert (exchange.held, exchange.closed) == (1, True)
    assert [(line["event"], line["status"]) for line in lines] == [("request", 200)]


def test_a_server_that_goes_down_cuts_the_stream_short() -> None:
    """A cancellation by the server ends the stream, and all is released once."""

    async def scenario() -> _Exchange:
        exchange = _Exchange()
        running = asyncio.create_task(exchange.run())
        for _ in range(2):
            await exchange.next_sent()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert exchange.sent.empty()
        return exchange

    exchange = asyncio.run(scenario())
    assert (exchange.held, exchange.closed) == (1, True)
