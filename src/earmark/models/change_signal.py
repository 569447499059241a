"""Wakes event loops when something changes, whichever thread changes it."""

import asyncio
from contextlib import suppress
from typing import TypeAlias

Change: TypeAlias = "asyncio.Future[None]"
"""Done once something has changed."""


class ChangeSignal:
    """Notified by threads, awaited in event loops; the caller's lock guards every call."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waited_for: set[Change] = set()

    def subscribe(self) -> Change:
        """Return a future of the running event loop, done at the next change."""
        change: Change = asyncio.get_running_loop().create_future()
        self._waited_for.add(change)
        return change

    def unsubscribe(self, change: Change) -> None:
        """Forget a future that is not awaited any more."""
        self._waited_for.discard(change)

    def notify(self) -> None:
        """Wake every event loop that waits at this moment."""
        for change in self._waited_for:
            with suppress(RuntimeError):  # its event loop has closed: nobody waits any more
                change.get_loop().call_soon_threadsafe(_complete, change)
        self._waited_for.clear()


def _complete(change: Change) -> None:
    if not change.done():
        change.set_result(None)
