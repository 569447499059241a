"""A real server on loopback, in a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from earmark.web.serve import ServerEvents, ServerOptions, make_server, open_socket

_PATIENCE_S = 20.0
"""Far more than any of this takes: a hang has to fail, not to stay."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers.

    Attributes:
        port: on 127.0.0.1.
        server: to look into, from the test's own thread.
        loop: what the server runs on.
    """

    port: int
    server: uvicorn.Server
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        """The base address, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    def call(self, function: Callable[[], object]) -> None:
        """Have something done in the server's thread."""
        self.loop.call_soon_threadsafe(function)

    def connect(self) -> socket.socket:
        """Open a raw connection whose reads give up rather than hang."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE_S)


@contextmanager
def running_server(
    app: ASGIApp, options: ServerOptions | None = None, *, port: int = 0
) -> Iterator[RunningServer]:
    """Run an app until the block ends; its shutdown is over when this returns.

    Args:
        app: what is run.
        options: the defaults when None.
        port: any free one when 0.
    """
    listener = open_socket("127.0.0.1", port)
    port = listener.getsockname()[1]
    listening = threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    def on_listening() -> None:
        loops.append(asyncio.get_running_loop())
        listening.set()

    server = make_server(app, options, events=ServerEvents(listening=on_listening))
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
    thread.start()
    try:
        if not listening.wait(_PATIENCE_S):
            raise TimeoutError("the server did not start")
        yield RunningServer(port, server, loops[0])
    finally:
        server.should_exit = True
        thread.join(_PATIENCE_S)
        listener.close()
        if thread.is_alive():
            raise TimeoutError("the server did not stop")
