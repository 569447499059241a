"""How long an event loop stood still, on a machine that may be busy with something else."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

_BEAT_S = 0.005
"""Between two looks at the clock."""

_SCHEDULER = "/proc/self/task/{}/schedstat"
"""Of Linux: nanoseconds that a thread ran, and that it could have run but had no processor
(Documentation/scheduler/sched-stats.rst)."""


class LoopWatch:
    """A callback that a loop runs all the time, and the longest time between two of its runs.

    The time in which the loop's thread had no processor is taken off: that is the doing of other
    programs. So is the time in which a thread that may have held the interpreter's lock had none.
    What is left is the loop's own work, and waiting for that lock.
    """

    def __init__(self) -> None:
        """Begin to watch, in the thread of the running loop."""
        self._loop = asyncio.get_running_loop()
        self._own = threading.get_native_id()
        self._stopped = False
        self.worst_s = 0.0
        self._last_s, self._waits_s = time.perf_counter(), self._waits()
        self._loop.call_later(_BEAT_S, self._beat)

    @classmethod
    async def started(cls) -> Self:
        """Begin, from a coroutine."""
        return cls()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped = True

    def _beat(self) -> None:
        pause_s = time.perf_counter() - self._last_s - _BEAT_S
        waits_s = self._waits()
        waited = {one: s - self._waits_s.get(one, 0.0) for one, s in waits_s.items()}
        others = max((s for one, s in waited.items() if one != self._own), default=0.0)
        self.worst_s = max(self.worst_s, pause_s - waited.get(self._own, 0.0) - others)
        self._last_s, self._waits_s = time.perf_counter(), waits_s
        if not self._stopped:
            self._loop.call_later(_BEAT_S, self._beat)

    def _waits(self) -> dict[int, float]:
        """Return for how long each thread of Python has had no processor."""
        ids = [one.native_id for one in threading.enumerate() if one.native_id is not None]
        return {one: _waited_s(one) for one in ids}


def _waited_s(thread: int) -> float:
    try:
        return int(Path(_SCHEDULER.format(thread)).read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


@contextmanager
def watching(loop: asyncio.AbstractEventLoop) -> Iterator[LoopWatch]:
    """Watch a loop that runs in another thread, until the block ends."""
    watch = asyncio.run_coroutine_threadsafe(LoopWatch.started(), loop).result()
    try:
        yield watch
    finally:
        loop.call_soon_threadsafe(watch.stop)
