"""Answers in events: Server-Sent Events, as WHATWG's HTML standard has them (section 9.2).

Of the standard's fields only ``data`` is used, one line for each event.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import Final, TypeAlias

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from earmark.web.disconnect import while_connected
from earmark.web.request_log import RequestRecord, record_of

DONE: Final = b"data: [DONE]\n\n"
"""The last event; `huggingface_hub` looks for these very bytes, space included."""

_HEADERS: Final = {
    # No charset: the standard allows UTF-8 only, and a client may compare for equality.
    "content-type": "text/event-stream",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",  # nginx would keep events until its buffer is full
}

Events: TypeAlias = Callable[[RequestRecord], AsyncGenerator[bytes, None]]
"""Makes events, given the request's log record; each item is one or more whole events."""

_encoder = msgspec.json.Encoder()


def event(value: object) -> bytes:
    """Make an event of a value that msgspec can encode; its JSON has no line breaks."""
    return b"data:" + _encoder.encode(value) + b"\n\n"


class EventStream(Response):
    """An answer in events, which ends when there are no more or the client leaves."""

    def __init__(self, events: Events, *, headers: Mapping[str, str], held: AsyncExitStack) -> None:
        """Answer 200.

        Args:
            events: what is sent; closed when the client leaves.
            headers: in addition to those of every stream.
            held: closed once nothing more is sent, for whatever reason.
        """
        self.status_code = 200
        self.background = None
        self._events, self._held = events, held
        # Starlette's own constructor would add the length of a body.
        self.init_headers({**_HEADERS, **headers})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send every event as soon as it is made; the request's body must have been read."""
        async with self._held, aclosing(self._events(record_of(scope))) as events:
            try:
                await while_connected(Request(scope, receive), self._send(events, send))
            except ClientDisconnect:
                return  # the log has the status that was sent

    async def _send(self, events: AsyncGenerator[bytes, None], send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        async for made in events:
            await send({"type": "http.response.body", "body": made, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
