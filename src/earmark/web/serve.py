"""Run an app on a socket until a signal says stop."""

import asyncio
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Annotated, Final

import structlog
import uvicorn
from msgspec import Meta
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from earmark.domain.setting import Setting
from earmark.errors import AddressUnavailable
from earmark.web.accepting import Accepting
from earmark.web.connections import ConnectionLimits
from earmark.web.draining import CLOSING, DRAINING
from earmark.web.server_guard import guarded_protocol

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.server")

_COLLECTED_AFTER: Final = (20_000, 10, 50)
"""Thresholds (`gc.set_threshold`) at which Python's collector looks for cycles. Requests leave no
cycles behind, and a large one makes 500,000 objects: with Python's own 700, each such request is
searched dozens of times, with the interpreter's lock held for 200 ms."""

_TICK_S: Final = 0.1
"""As often as uvicorn's own loop looks whether to stop."""
_LAST_REQUEST_S: Final = 0.25
"""How long a connection that was accepted last has for sending its request."""
_LOOP_ACCEPTS: Final = sys.platform == "win32"
"""Whether the event loop accepts connections by itself: that of Windows cannot do otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """How connections are kept.

    Attributes:
        keep_alive_s: an idle connection is kept this long; above the 60 s of common load
            balancers, so that the balancer closes first.
        drain_s: how long a server still accepts requests after SIGTERM.
        shutdown_s: how long a stopping server waits for the answers it owes.
        connection: deadlines and bounds of a single connection.
    """

    keep_alive_s: int = 75
    drain_s: Annotated[
        float,
        Meta(ge=0, le=3600),
        Setting(
            "Seconds after SIGTERM in which requests are still accepted while health is 503, so"
            " that a load balancer can send them elsewhere; 0 for none."
        ),
    ] = 5.0
    shutdown_s: int = 30
    connection: ConnectionLimits = field(default_factory=ConnectionLimits)


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEvents:
    """What a server reports, in its own thread; each must return quickly.

    Attributes:
        listening: clients can connect.
        stopping: a signal has come, and the server drains or ends.
        alive: some ten times a second, as long as the event loop runs.
    """

    listening: Callable[[], None] = _nothing
    stopping: Callable[[], None] = _nothing
    alive: Callable[[], None] = _nothing


def open_socket(host: str, port: int) -> socket.socket:
    """Bind an address before anything slow is loaded; no client can connect until the server runs.

    Args:
        host: a name or an address, IPv4 or IPv6.
        port: 0 lets the system choose; `socket.getsockname` returns which.

    Raises:
        AddressUnavailable: the host is unknown, or the port is in use or not allowed.
    """
    try:
        # Without the port, which `getaddrinfo` would take modulo 65,536.
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _unavailable(host, port, error) from None
    try:
        if os.name == "posix":
            # Else a restarted server waits for the last connections of the one before.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address[0], port, *address[2:]))
    except (OSError, OverflowError) as error:
        listener.close()
        raise _unavailable(host, port, error) from None
    return listener


def run_server(
    app: ASGIApp,
    listener: socket.socket,
    options: ServerOptions | None = None,
    *,
    events: ServerEvents | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, then answer what was accepted and shut the app down.

    After SIGTERM the server drains first: it goes on for `drain_s` (see `ServerOptions`), reports
    that it does (see `draining`), and closes each connection after its next answer. A second signal
    ends that, a second SIGINT stops at once. After SIGTERM the process ends by that signal, as a
    supervisor expects; the app has been shut down by then.

    Args:
        app: its lifespan ends after the last answer.
        listener: from `open_socket`; closed at the end.
        options: the defaults when None.
        events: what to report, and to whom.

    Raises:
        AddressUnavailable: another program has begun to listen there since `open_socket`.
    """
    server = make_server(app, options, events=events)
    with suppress(KeyboardInterrupt), listener:
        try:
            # uvloop does not report a failure of this: the server would wait for ever.
            listener.listen(server.config.backlog)
        except OSError as error:
            host, port = listener.getsockname()[:2]
            raise _unavailable(host, port, error) from None
        server.run(sockets=[listener])


def make_server(
    app: ASGIApp,
    options: ServerOptions | None = None,
    *,
    events: ServerEvents | None = None,
) -> uvicorn.Server:
    """Configure the server; arguments as in `run_server`."""
    options = options or ServerOptions()
    config = uvicorn.Config(
        _ended_quietly(app),
        http=guarded_protocol(options.connection),
        ws="none",
        lifespan="on",
        log_config=None,  # the program configures its logs
        access_log=False,  # `RequestLog` writes one
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=options.keep_alive_s,
        timeout_graceful_shutdown=options.shutdown_s,
    )
    return _Server(config, events or ServerEvents(), drain_s=options.drain_s)


def _ended_quietly(app: ASGIApp) -> ASGIApp:
    """Wrap an app so that its cancellation logs no traceback.

    After a second SIGINT uvicorn ends neither the lifespan nor the requests in flight, and the
    event loop cancels both. This is no failure, but uvicorn would log a traceback.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_unless_cancelled(message: Message) -> None:
            task = asyncio.current_task()
            if task is None or not task.cancelling():
                await send(message)

        # `RequestLog` answers a cancelled request that the server shuts down.
        sends = send_unless_cancelled if scope["type"] == "lifespan" else send
        with suppress(asyncio.CancelledError):
            await app(scope, receive, sends)

    return answer


class _Server(uvicorn.Server):
    """uvicorn's server, which also reports when it listens, and drains after SIGTERM."""

    def __init__(self, config: uvicorn.Config, events: ServerEvents, *, drain_s: float) -> None:
        super().__init__(config)
        self._events = events
        self._drain_s = drain_s
        self._drained_at: float | None = None
        self._accepting: list[Accepting] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets if _LOOP_ACCEPTS else [])
        if self.started:
            if not _LOOP_ACCEPTS:
                self._accepting = [Accepting(one, self._protocol) for one in sockets or ()]
                for one in self._accepting:
                    one.start(self.config.backlog)
            # Loaded objects stay: searching them again would cause a pause each time.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*_COLLECTED_AFTER)
            self._events.listening()

    async def on_tick(self, counter: int) -> bool:
        self._events.alive()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._events.stopping()
        if self.should_exit:
            self._drained_at = None
        elif sig == signal.SIGTERM and self._drain_s > 0:
            self._drained_at = time.monotonic() + self._drain_s
            if self.started:
                self.lifespan.state[DRAINING] = True  # ASGI: each later request gets a copy
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._drained_at is not None:
            await self._drain()
        for accepting in self._accepting:
            accepting.close()
            await accepting.wait_closed()
        await super().shutdown(sockets)

    async def _drain(self) -> None:
        _log.info("draining: requests are still answered", drain_s=self._drain_s)
        self.lifespan.state[DRAINING] = True
        self.config.encoded_headers.append(CLOSING)
        self.server_state.default_headers.append(CLOSING)  # of the answers in progress
        ticks = 0
        while self._drained_at is not None and time.monotonic() < self._drained_at:
            await asyncio.sleep(_TICK_S)
            ticks += 1
            await self.on_tick(ticks)
        if self._drained_at is None:
            return
        for server in self.servers:
            server.close()
        for accepting in self._accepting:
            accepting.close(take_waiting=True)
            await accepting.wait_closed()
        await asyncio.sleep(_LAST_REQUEST_S)

    def _protocol(self) -> asyncio.Protocol:
        made: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return made(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


def _unavailable(host: str, port: int, error: Exception) -> AddressUnavailable:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return AddressUnavailable(
        f"cannot listen on {host}:{port}: {reason.lower()}; choose another port or host"
    )
