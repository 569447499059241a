"""Wakes those who wait for a change, whichever thread makes it."""

import asyncio
from contextlib import suppress
from typing import TypeAlias

__all__ = ["Bell", "Ear"]

Ear: TypeAlias = "asyncio.Future[None]"


class Bell:
    """Rung by threads, heard by event loops; whoever calls holds one lock for both."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self._ears: set[Ear] = set()

    def listen(self) -> Ear:
        """Return what is done at the next ring."""
        ear: Ear = asyncio.get_running_loop().create_future()
        self._ears.add(ear)
        return ear

    def leave(self, ear: Ear) -> None:
        """Listen no longer."""
        self._ears.discard(ear)

    def ring(self) -> None:
        """Wake everyone who listens now."""
        for ear in self._ears:
            with suppress(RuntimeError):  # the listener's loop has closed: nobody waits any more
                ear.get_loop().call_soon_threadsafe(_settle, ear)
        self._ears.clear()


def _settle(ear: Ear) -> None:
    if not ear.done():
        ear.set_result(None)
