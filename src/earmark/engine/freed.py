"""Returns freed memory to the system.

The C library keeps freed memory for the next allocation, in an arena for each few threads, so the
memory of a burst of large texts would stay in the process. glibc returns it on demand
(`malloc_trim(3)`); on other systems nothing is done.
"""

import asyncio
import ctypes
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from functools import cache
from typing import Final

QUIET_S: Final = 1.0
"""Delay after large work, so that memory is returned once per burst, not once per text."""


@cache
def _trim() -> Callable[[int], int] | None:
    with suppress(OSError, AttributeError, TypeError):  # another C library, or another system
        trim = ctypes.CDLL(None).malloc_trim
        trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
        found: Callable[[int], int] = trim  # ctypes has no type for it
        return found
    return None


def give_back() -> None:
    """Return freed memory to the system, without holding the interpreter's lock."""
    trim = _trim()
    if trim is not None:
        trim(0)


class GivingBack:
    """Returns freed memory some time after the last large work."""

    def __init__(
        self,
        executor: Executor,
        give: Callable[[], None] = give_back,
        *,
        quiet_s: float = QUIET_S,
    ) -> None:
        """Set the thread to use, the function to call, and the time without large work."""
        self._executor, self._give, self._quiet_s = executor, give, quiet_s
        self._timer: asyncio.TimerHandle | None = None

    def soon(self) -> None:
        """Schedule the call on the running loop; another call postpones it."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._quiet_s, self._executor.submit, self._give)
