"""Handles the signals that stop a server; to be stopped by one is no failure."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

INTERRUPTED = 130
"""128 + SIGINT, as shells count it."""


class StopSignals:
    """Takes SIGINT and SIGTERM wherever the server's own handlers do not.

    Before the server runs, a signal ends the program at once. While it runs, uvicorn has handlers
    of its own. Afterwards uvicorn raises the signals that it caught again, newest first
    (uvicorn/server.py, `capture_signals`); they would end the program as killed although every
    request was answered.
    """

    def __init__(self) -> None:
        """Start before the server runs."""
        self._serving = False
        self._raised_again: list[int] = []

    def serving(self) -> None:
        """Note that the server runs and handles signals; later ones are only recorded."""
        self._serving = True

    @property
    def forced(self) -> bool:
        """Whether a second signal was a SIGINT: uvicorn then drops the requests in flight."""
        return signal.SIGINT in self._raised_again[:-1]

    def __call__(self, number: int, _: FrameType | None) -> None:
        """Take a signal."""
        if not self._serving:
            raise SystemExit(0)
        self._raised_again.append(number)


@contextmanager
def stop_signals() -> Iterator[StopSignals]:
    """Install the handlers, and restore the previous ones at the end."""
    handler = StopSignals()
    before = {one: signal.signal(one, handler) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield handler
    finally:
        for one, old in before.items():
            signal.signal(one, old)


def end_quietly_from_now_on() -> None:
    """Let an interrupt end the process at once; Python's own handler would print a traceback."""
    with suppress(ValueError):  # only the main thread sets handlers
        signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(INTERRUPTED))
