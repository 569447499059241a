"""Cancels the work for a request when its client leaves."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from starlette.requests import ClientDisconnect, Request

T = TypeVar("T")

_SOON_S: Final = 0.2
"""Work that ends so soon is not watched over: most requests then need no task beside their own, and
little is run for a client that has left meanwhile."""


async def while_connected(request: Request, work: Awaitable[T]) -> T:
    """Await `work`, and cancel it when the client leaves first.

    The work runs in the caller's own task; the watch over the connection, which begins a moment
    later, is a second one.

    Args:
        request: its body must have been read to the end.
        work: what the client is waiting for.

    Raises:
        ClientDisconnect: the client left; `work` has been cancelled.
    """
    owner = asyncio.current_task()
    if owner is None:
        raise RuntimeError("while_connected has to be awaited in a task")
    left = False

    async def watch() -> None:
        nonlocal left
        while (await request.receive())["type"] != "http.disconnect":
            pass
        left = True
        owner.cancel()

    watches: list[asyncio.Task[None]] = []
    beginning = asyncio.get_running_loop().call_later(
        _SOON_S, lambda: watches.append(asyncio.create_task(watch()))
    )
    try:
        return await work
    except asyncio.CancelledError:
        # Other code may have cancelled the task as well: that cancellation has to be passed on.
        if left and owner.uncancel() == 0:
            raise ClientDisconnect from None
        raise
    finally:
        beginning.cancel()
        for each in watches:
            each.cancel()
