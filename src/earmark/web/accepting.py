"""Accepts connections; where the system has no descriptor for one, it waits.

uvloop (0.22) closes such a connection without an answer, or tries again and again with a whole
core. Here it stays in the system's queue of connections until there is a descriptor.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

_AT_ONCE: Final = 16
"""The most connections that are accepted before the loop does other work."""
_RETRY_S: Final = 0.1
_CLOSED: Final = -1
"""The descriptor of a socket that is closed."""
_LOGGED_AGAIN_AFTER_S: Final = 60.0
"""So long no connection must have failed, until the next failure is logged."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.web")


class Accepting:
    """Accepts the connections of one listening socket. For one event loop."""

    def __init__(self, listener: socket.socket, protocol: Callable[[], asyncio.Protocol]) -> None:
        """Name what is accepted from, and what makes the protocol of each connection."""
        self._listener, self._protocol = listener, protocol
        self._loop = asyncio.get_running_loop()
        self._connecting: set[asyncio.Task[object]] = set()
        self._retry: asyncio.TimerHandle | None = None
        self._failed_s = -_LOGGED_AGAIN_AFTER_S

    def start(self, backlog: int) -> None:
        """Listen, and accept whatever comes.

        Args:
            backlog: connections that the system holds until they are accepted.
        """
        self._listener.listen(backlog)
        self._listener.settimeout(0)
        self._loop.add_reader(self._listener, self._accept)

    def close(self, *, take_waiting: bool = False) -> None:
        """Accept nothing more, and close the listener; a second call does nothing.

        Args:
            take_waiting: accept what the system holds before, which it would reset.
        """
        if self._listener.fileno() == _CLOSED:
            return
        if self._retry is not None:
            self._retry.cancel()
        self._loop.remove_reader(self._listener)
        with suppress(OSError):  # none is left, or no descriptor
            while take_waiting:
                self._accept_one()
        self._listener.close()

    async def wait_closed(self) -> None:
        """Wait until every accepted connection has its protocol."""
        await asyncio.gather(*self._connecting, return_exceptions=True)

    def _accept(self) -> None:
        try:
            for _ in range(_AT_ONCE):
                self._accept_one()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            pass  # none is left, or its client has gone: the loop calls again for others
        except OSError as error:
            self._loop.remove_reader(self._listener)
            self._retry = self._loop.call_later(_RETRY_S, self._resume)
            self._log(error)

    def _accept_one(self) -> None:
        client, _ = self._listener.accept()
        client.settimeout(0)
        task = self._loop.create_task(self._connect(client))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, client: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol, client)
        except OSError:  # the client has gone
            client.close()

    def _resume(self) -> None:
        self._retry = None
        self._loop.add_reader(self._listener, self._accept)

    def _log(self, error: OSError) -> None:
        now_s = time.monotonic()
        if now_s - self._failed_s >= _LOGGED_AGAIN_AFTER_S:
            _log.warning("new connections wait: they cannot be accepted", error=str(error))
        self._failed_s = now_s
