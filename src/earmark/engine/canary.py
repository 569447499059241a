"""A run every second of a model whose runs have failed, so that it is known when they succeed."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from earmark.batching.worker import Worker
from earmark.domain.encoding import Encoding
from earmark.errors import CapacityError

__all__ = ["Canary"]

EVERY_S: Final = 1.0


class Canary:
    """Tries a text while a model is failing, in a thread that ends when it is no longer."""

    def __init__(self, worker: Worker, text: Encoding, *, failing: Callable[[], bool]) -> None:
        """Begin with nothing to do.

        Args:
            worker: runs the text.
            text: one that the model has run before, or could.
            failing: says whether the model is failing still.
        """
        self._worker, self._text, self._failing = worker, text, failing
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def try_until_it_succeeds(self) -> None:
        """Start the thread, unless it runs already."""
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
            with suppress(CapacityError):  # the queue is full: others try as well
                submission = self._worker.submit((self._text,), deadline_s=None)
                done = threading.Event()
                submission.when_done(done.set)
                while not done.wait(EVERY_S) and not self._closed.is_set():
                    pass
            self._closed.wait(EVERY_S)
