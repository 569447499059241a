"""Deadlines and bounds for slow clients, which uvicorn's HTTP protocol lacks.

uvicorn (0.30 to 0.54, which were tried) waits for ever for the first byte, the headers and the body
of a request, takes megabytes of headers, and keeps a connection whose client never reads its
answer. A few hundred such connections ("slow loris") are enough to block a server. Here each wait
has a deadline.
"""

import asyncio
import time
from asyncio.events import TimerHandle
from collections.abc import Iterable
from typing import Any, ClassVar, Final, Literal, TypeAlias, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from earmark.web.connections import ConnectionBound, ConnectionLimits, Idleness
from earmark.web.descriptors import most_connections
from earmark.web.guard_refusals import INVALID, MANY_HOSTS, NO_HOST, Refusal
from earmark.web.uvicorn_parts import check_protocol

_UPGRADE_HEADERS = frozenset({b"connection", b"upgrade", b"http2-settings"})

_LINGER_S: Final = 1.0
"""How long a refused connection is still read, and what comes dropped. A connection that is closed
with bytes unread is reset, and the reset may destroy the answer before the client has read it."""

_LONGEST_SHOWN: Final = 40
"""The most characters of a header that an error repeats."""

_Stage: TypeAlias = Literal["first byte", "headers", "body"]


class _RefusedError(Exception):
    """Stops the parser; never leaves this module."""


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a deadline for each stage of a request.

    Most requests arrive whole in one read. The stage is therefore checked after each read, so that
    such requests need no timer.
    """

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()
    bound: ClassVar[ConnectionBound]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],  # as in uvicorn's own signature
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Start with no request in sight."""
        super().__init__(config, server_state, app_state, _loop)
        self._stage: _Stage | None = None
        self._stage_is_new = False
        self._header_bytes = 0
        self._read_before = 0
        self._bytes_beside_body = 0
        self._is_head = False
        self._answering: RequestResponseCycle | None = None
        self._refusal: Refusal | None = None
        self._deadline: TimerHandle | None = None
        self._unread: TimerHandle | None = None
        self._lingering: TimerHandle | None = None
        self._since_s = 0.0

    def connection_made(  # type: ignore[override]  # as uvicorn's own, which narrows it
        self, transport: asyncio.Transport
    ) -> None:
        """Wait for the first byte, if there is room for one more connection."""
        super().connection_made(transport)
        self._since_s = time.monotonic()  # the loop's own has milliseconds, and ties
        ours = cast("set[GuardedProtocol]", self.connections)  # a server has one kind
        if not self.bound.admit(self, ours):
            self._refusal = Refusal(
                503, f"all {self.bound.most:,} connections of this server are busy; try again later"
            )
            self._write(self._refusal)
            self.transport.close()  # at once: it holds one of the few descriptors that are left
            return
        # At 0, one byte that the client does not read is enough for `pause_writing` to be called.
        transport.set_write_buffer_limits(high=0)
        self._enter("first byte")
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget every deadline."""
        self._enter(None)
        self._watch()
        if self._lingering is not None:
            self._lingering.cancel()
        self._give_up_answer()
        self.resume_writing()
        super().connection_lost(exc)

    @property
    def since_s(self) -> float:
        """When the connection began its present wait."""
        return self._since_s

    def idleness(self) -> Idleness | None:
        """Return what the connection waits for; None where it is being closed already."""
        if self.transport.is_closing():
            return None
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering or self.pipeline or self._unread is not None:
            return "busy"
        return "idle" if self._stage in (None, "first byte") else "begun"

    def hang_up(self) -> None:
        """Close the connection, to make room for another."""
        self._enter(None)
        self._watch()
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Feed the parser, then check which stage the request is in."""
        if self._refusal is not None:
            return  # nothing is read after a refusal
        self._header_bytes += len(data)
        self._bytes_beside_body += len(data)
        # What is read here belongs to one head alone, unless an earlier request ends in it.
        self._read_before = len(data) if self._stage in (None, "first byte") else 0
        if self._stage is None and self.timeout_keep_alive_task is not None:
            # Any byte ends uvicorn's keep-alive deadline, even one that begins no request.
            self._enter("first byte")
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._go_on_without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserInvalidURLError:
            self._is_head = self.parser.get_method() == b"HEAD"  # `on_url` was not called
            self.send_400_response("")
        except httptools.HttpParserError:
            self.send_400_response("")
        if self._stage == "headers" and self._header_bytes > self.limits.max_header_bytes:
            self._refuse_in_turn(self._too_large())
        if self._stage == "body" and self._bytes_beside_body > self.limits.max_header_bytes:
            self._refuse_in_turn(self._too_large())
        self._watch()

    def on_message_begin(self) -> None:
        """Wait for the headers; bytes of an earlier request do not count among them."""
        self._header_bytes, self._read_before = self._read_before, 0
        self._is_head = False
        self._enter("headers")
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take the address; the parser knows the method by now."""
        self._is_head = self.parser.get_method() == b"HEAD"
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a trailer, which follows the body, is dropped (RFC 9110, 6.5.1)."""
        if self._stage != "body":
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body; sizes of chunks and trailers are counted apart."""
        self._bytes_beside_body = 0
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """Wait for the body."""
        if self.parser.should_upgrade():
            return  # the parser stops here; `_go_on_without_upgrade` starts again
        # Four bytes: ": " and the end of the line.
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        refusal = self._too_large() if size > self.limits.max_header_bytes else self._malformed()
        if refusal is not None:
            self._refuse_in_turn(refusal)
            raise _RefusedError
        self._bytes_beside_body = 0
        # First, as uvicorn reads the address here: one that it cannot read is refused with headers.
        super().on_headers_complete()
        if not self.pipeline:
            self._answering = self.cycle
        self._enter("body")

    def on_message_complete(self) -> None:
        """End the deadlines of the request: now the server has to answer."""
        if self.parser.should_upgrade():
            return
        self._enter(None)
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Give the client time to read its answer, then drop it with what is unread."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.limits.answer_s, self.transport.abort)

    def resume_writing(self) -> None:
        """End the deadline of the answer: the client has read everything."""
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words are not JSON
        """Refuse bytes that are no request; uvicorn calls this for every error of the parser."""
        self._refuse_in_turn(INVALID)

    def on_response_complete(self) -> None:
        """Refuse an invalid request, once the requests before it are answered."""
        self._since_s = time.monotonic()  # the loop's own has milliseconds, and ties
        if self.pipeline:
            self._answering = self.pipeline[-1][0]
        if self._refusal is None or self.pipeline:
            super().on_response_complete()
        else:
            self._write(self._refusal)

    def _too_large(self) -> Refusal:
        limit = f"{self.limits.max_header_bytes:,}"
        return Refusal(
            431, f"the request's headers are too large; at most {limit} bytes are accepted"
        )

    def _malformed(self) -> Refusal | None:
        """Check the headers that decide how a request is read; return None where they are valid."""
        if len(self.headers) > self.limits.max_headers:
            return Refusal(
                431,
                f"the request has {len(self.headers):,} headers; at most"
                f" {self.limits.max_headers:,} are accepted",
            )
        hosts = sum(name == b"host" for name, _ in self.headers)
        # RFC 9112, 3.2. With two `Host` headers, a proxy and a server may each read another one.
        if hosts > 1:
            return MANY_HOSTS
        if not hosts and self.parser.get_http_version() != "1.0":
            return NO_HOST
        unknown = next((one for one in _codings(self.headers) if one != b"chunked"), None)
        if unknown is None:
            return None
        # RFC 9112, 6.1. The parser would pass the body on without decoding it.
        shown = unknown[:_LONGEST_SHOWN].decode("latin-1")
        return Refusal(
            501, f"the transfer coding {shown!r} is not known here; expected chunked or none"
        )

    def _refuse_in_turn(self, refusal: Refusal) -> None:
        """Refuse the request that is being read, after the answers to earlier ones."""
        if self._refusal is not None:
            return
        body_stage = self._stage == "body"
        answered = self.cycle is None or self.cycle.response_complete
        self._refusal = refusal
        self._enter(None)
        if not body_stage:
            if answered:
                self._write(refusal)
        elif self.pipeline:
            self.pipeline.popleft()  # it waits behind others, and must not begin
        elif answered:
            self._linger()
        elif self.cycle.response_started:
            self.transport.abort()  # a refusal would be read as a part of the answer that has begun
        else:
            self._write(refusal)

    def _go_on_without_upgrade(self, rest: bytes) -> None:
        """Read a request as if it had not offered another protocol (RFC 9110, 7.8: we may).

        The parser stops at the offer and would lose the body. Java's HttpClient offers HTTP/2
        with every first request to a plain address.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":  # the parser takes it for an upgrade whatever its headers are
            self.send_400_response("")
            return
        kept = [each for each in self.headers if each[0] not in _UPGRADE_HEADERS]
        lines = [b"%b %b HTTP/1.1" % (method, self.url)]
        lines += [b"%b: %b" % header for header in kept]
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join(lines) + b"\r\n\r\n" + rest)

    def _give_up_answer(self) -> None:
        """Let the app see that the client has left, also where others wait behind its request.

        uvicorn does so for the last request that came, and the answer to an earlier one would be
        written to a closed connection.
        """
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()

    def _enter(self, stage: _Stage | None) -> None:
        self._stage = stage
        self._stage_is_new = True

    def _watch(self) -> None:
        """Set the deadline of a stage that has just begun."""
        if not self._stage_is_new:
            return
        self._stage_is_new = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._stage is not None:
            self._since_s = time.monotonic()  # the loop's own has milliseconds, and ties
            self._deadline = self.loop.call_later(self._patience_s(self._stage), self._expired)

    def _patience_s(self, stage: _Stage) -> float:
        match stage:
            case "first byte":
                return self.limits.first_byte_s
            case "headers":
                return self.limits.headers_s
            case "body":
                return self.limits.body_s

    def _expired(self) -> None:
        answering = self.cycle is not None and not self.cycle.response_complete
        if self.flow.read_paused or self.pipeline or (answering and self._stage == "headers"):
            # The server has paused reading, or is answering an earlier request of the connection.
            self._stage_is_new = True
            self._watch()
        elif self._stage == "first byte" or (self._stage == "body" and not answering):
            self.transport.close()
        elif self._stage == "body" and self.cycle.response_started:
            self.transport.abort()
        else:
            self._refusal = Refusal(408, f"the request's {self._stage} did not arrive in time")
            self._write(self._refusal)

    def _write(self, refusal: Refusal) -> None:
        """Answer with a refusal and end the connection."""
        if self.transport.is_closing() or self._lingering is not None:
            return
        self.transport.write(refusal.written(of_head=self._is_head))
        self._linger()

    def _linger(self) -> None:
        """Send what is written, and close the connection once the client had time to read it."""
        self._enter(None)
        self._watch()
        self._give_up_answer()
        self.transport.write_eof()
        self.flow.resume_reading()
        self._lingering = self.loop.call_later(_LINGER_S, self.transport.close)


def _codings(headers: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """List the transfer codings of a request (RFC 9112, 6.1), in lower case."""
    found = (value for name, value in headers if name == b"transfer-encoding")
    return [one.strip().lower() for value in found for one in value.split(b",")]


def guarded_protocol(limits: ConnectionLimits) -> type[GuardedProtocol]:
    """Make a protocol class with these limits: uvicorn takes a class, not an instance.

    Raises:
        SettingsError: uvicorn lacks what the guard uses.
    """
    check_protocol()

    class Configured(GuardedProtocol):
        """The guard with these limits."""

    most = limits.most_connections
    Configured.limits = limits
    Configured.bound = ConnectionBound(most_connections() if most is None else most)
    return Configured
