"""Runs a model in a thread of this process, behind a queue."""

from collections.abc import Sequence
from dataclasses import dataclass

from earmark.batching.packer import BatchLimits, answers_of, pack
from earmark.batching.queue import TicketQueue
from earmark.batching.splitting import BatchRun
from earmark.batching.ticket import Submission
from earmark.batching.worker import Worker
from earmark.domain.encoding import Encoding
from earmark.domain.head import HeadKind
from earmark.engine.canary import Canary
from earmark.engine.events import Tally
from earmark.engine.info import EngineState, QueueState
from earmark.runtime.session import RuntimeSession


class ThreadHandle:
    """A handle to a worker, with a tally of its runs and a canary for failures."""

    def __init__(
        self, worker: Worker, tally: Tally, *, canary: Encoding, stall_after_s: float
    ) -> None:
        """Create a handle to a worker.

        Args:
            worker: runs what is submitted; closed by `close`.
            tally: counts the worker's runs.
            canary: a text that is run every second while the model is failing.
            stall_after_s: a run that takes longer makes the model count as stalled.
        """
        self._worker, self._tally, self._stall_after_s = worker, tally, stall_after_s
        self._canary = Canary(worker, canary, failing=lambda: tally.failing)
        tally.when_failing(self._canary.try_until_it_succeeds)

    def submit(self, encodings: Sequence[Encoding], *, deadline_s: float | None) -> Submission:
        """Queue encodings as one submission; errors as for `EngineHandle`."""
        return self._worker.submit(encodings, deadline_s=deadline_s)

    def state(self) -> QueueState:
        """Return whether it can answer, and what is waiting and running at this moment."""
        texts, tokens = self._worker.waiting()
        running_s = self._worker.running_s()
        state: EngineState = "ready"
        if self._worker.closed:
            state = "closed"
        elif running_s > self._stall_after_s:
            state = "stalled"
        elif self._tally.failing:
            state = "failing"
        return QueueState(
            state=state,
            waiting_texts=texts,
            waiting_tokens=tokens,
            running_s=running_s,
            totals=self._tally.totals(),
        )

    def memory_bytes(self) -> None:
        """Return None: the memory of a thread is that of its process."""

    def close(self) -> None:
        """Accept no more work, answer what waits with `ShuttingDown`, and close the session.

        The session stays open if a run hangs: closing it during a run would crash the process.
        """
        self._canary.close()
        self._worker.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOptions:
    """How a model's queue behaves.

    Attributes:
        limits: of batches.
        max_waiting_tokens: limit of the queue; what exceeds it is refused.
        stall_after_s: as for `ThreadHandle`.
    """

    limits: BatchLimits
    max_waiting_tokens: int
    stall_after_s: float


def handle_of(
    session: RuntimeSession, model_id: str, head: HeadKind, canary: Encoding, options: QueueOptions
) -> ThreadHandle:
    """Create a queue and a thread for a session; the thread closes the session when it ends.

    Args:
        session: warmed up.
        model_id: for the log.
        head: what its logits mean.
        canary: as for `ThreadHandle`.
        options: how the queue behaves.
    """
    tally = Tally(model_id)

    def run(encodings: Sequence[Encoding]) -> BatchRun:
        batch = pack(encodings, options.limits)
        return BatchRun(answers_of(batch, session.run(batch), head), batch.cells)

    queue = TicketQueue(options.limits, options.max_waiting_tokens)
    worker = Worker(queue, run, tally, end=session.close)
    return ThreadHandle(worker, tally, canary=canary, stall_after_s=options.stall_after_s)
