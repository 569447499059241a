"""The thread that takes batches from the queue and runs them."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from earmark.batching.queue import TicketQueue
from earmark.batching.splitting import Clock, Listener, Runner, run_batch
from earmark.batching.ticket import Submission
from earmark.domain.encoding import Encoding
from earmark.errors import ShuttingDown

CLOSED = "the engine is shutting down and takes no more work"
JOIN_S = 5.0
"""How long closing waits for a run in progress; a thread that hangs is left, as a daemon."""


class Worker:
    """A queue and the thread that runs its batches; it holds no policy."""

    def __init__(
        self,
        queue: TicketQueue,
        run: Runner,
        listen: Listener,
        *,
        after: Callable[[], None] = lambda: None,
        end: Callable[[], None] = lambda: None,
        clock: Clock = time.monotonic,
    ) -> None:
        """Start the thread.

        Args:
            queue: chooses what runs next; only the worker may use it from now on.
            run: runs encodings together; called from the worker's thread only.
            listen: receives a report of every run, in the worker's thread.
            after: called in the worker's thread when all texts of a batch are answered.
            end: frees what `run` uses; called once in the worker's thread, after its last run.
            clock: clock for deadlines and arrivals.
        """
        self._queue, self._run, self._listen, self._clock = queue, run, listen, clock
        self._after, self._end = after, end
        self._wake = threading.Condition()
        self._closed = False
        self._started_s: float | None = None
        self._thread = threading.Thread(target=self._loop, name="earmark-worker", daemon=True)
        self._thread.start()

    def submit(self, encodings: Sequence[Encoding], *, deadline_s: float | None) -> Submission:
        """Queue encodings as one submission.

        Args:
            encodings: none may be longer than a batch.
            deadline_s: when the caller stops waiting, on the worker's clock.

        Raises:
            QueueFull: too much is waiting.
            ShuttingDown: the worker is closed.
        """
        with self._wake:
            if self._closed:
                raise ShuttingDown(CLOSED)
            now_s = self._clock()
            submission = Submission.of(encodings, now_s=now_s, deadline_s=deadline_s)
            self._queue.put(submission)
            self._wake.notify()
        return submission

    def waiting(self) -> tuple[int, int]:
        """Return the number of waiting texts and tokens."""
        return self._queue.waiting_texts, self._queue.waiting_tokens

    def running_s(self) -> float:
        """Return how long the run in progress has taken; 0 if there is none."""
        started_s = self._started_s
        return 0.0 if started_s is None else self._clock() - started_s

    @property
    def closed(self) -> bool:
        """Whether it accepts no more work."""
        return self._closed

    def close(self) -> None:
        """Accept no more work, answer what waits with `ShuttingDown`, finish the current run."""
        with self._wake:
            self._closed = True
            self._queue.drain(ShuttingDown(CLOSED))
            self._wake.notify()
        with suppress(RuntimeError):  # closing from the worker's own thread
            self._thread.join(JOIN_S)

    def _loop(self) -> None:
        try:
            self._run_batches()
        finally:
            self._end()

    def _run_batches(self) -> None:
        while True:
            with self._wake:
                while not self._closed and not (batch := self._queue.take(self._clock())):
                    self._wake.wait()
                if self._closed:
                    return
                self._started_s = self._clock()
            run_batch(batch, self._run, self._clock, self._listen)
            self._after()
            self._started_s = None
