"""Memory that was freed, given back to the system.

The C library keeps what is freed for the next allocation, in an arena for each few threads, and a
burst of large texts would stay in the process for good. glibc gives it back on demand
(`malloc_trim(3)`); elsewhere nothing is done.
"""

import asyncio
import ctypes
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from functools import cache
from typing import Final

__all__ = ["GivingBack", "give_back"]

QUIET_S: Final = 1.0
"""After large work; so a burst is given back once, some milliseconds, and not for each text."""


@cache
def _trim() -> Callable[[int], int] | None:
    with suppress(OSError, AttributeError, TypeError):  # another C library, or another system
        trim = ctypes.CDLL(None).malloc_trim
        trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
        found: Callable[[int], int] = trim  # ctypes does not know what it looks up
        return found
    return None


def give_back() -> None:
    """Give freed memory back; the interpreter's lock is not held meanwhile."""
    trim = _trim()
    if trim is not None:
        trim(0)


class GivingBack:
    """Gives memory back when there was large work, and a while has passed without more."""

    def __init__(
        self,
        executor: Executor,
        give: Callable[[], None] = give_back,
        *,
        quiet_s: float = QUIET_S,
    ) -> None:
        """Take a thread for it, what gives back, and how long there is to be no large work."""
        self._executor, self._give, self._quiet_s = executor, give, quiet_s
        self._timer: asyncio.TimerHandle | None = None

    def soon(self) -> None:
        """Give back a while from now, in the running loop; a later call puts it off."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._quiet_s, self._executor.submit, self._give)
