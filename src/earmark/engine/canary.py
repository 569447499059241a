"""Runs a failing model on a short text every second, to find out when it works again."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from earmark.batching.ticket import Submission
from earmark.domain.encoding import Encoding
from earmark.errors import CapacityError

EVERY_S: Final = 1.0


class Submits(Protocol):
    """What runs texts: a worker, or a handle to one."""

    def submit(self, encodings: Sequence[Encoding], *, deadline_s: float | None) -> Submission:
        """Queue encodings as one submission; raise `CapacityError` where there is no room."""
        ...


class Canary:
    """Runs a text while a model is failing, in a thread that ends when the model works."""

    def __init__(self, worker: Submits, text: Encoding, *, failing: Callable[[], bool]) -> None:
        """Create it without starting the thread.

        Args:
            worker: runs the text.
            text: one that a healthy model can run.
            failing: returns whether the model is still failing.
        """
        self._worker, self._text, self._failing = worker, text, failing
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def try_until_it_succeeds(self) -> None:
        """Start the thread, unless it is running."""
        with self._lock:
            if self._closed.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._run, name="earmark-canary", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closed.set()

    def _run(self) -> None:
        while self._failing() and not self._closed.is_set():
            with suppress(CapacityError):  # the queue is full: other texts test the model
                submission = self._worker.submit((self._text,), deadline_s=None)
                done = threading.Event()
                submission.when_done(done.set)
                while not done.wait(EVERY_S) and not self._closed.is_set():
                    pass
            self._closed.wait(EVERY_S)
