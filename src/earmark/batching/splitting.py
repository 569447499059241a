"""Runs a batch, and splits a failing one until the text that breaks it fails alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from earmark.batching.ticket import Answer, Logits, Ticket
from earmark.domain.encoding import Encoding
from earmark.domain.packing import Float32
from earmark.errors import EarmarkError, EngineError, NonFiniteScore

Clock: TypeAlias = Callable[[], float]
"""Seconds on a clock that only goes forward."""


@dataclass(frozen=True, slots=True)
class BatchRun:
    """The result of one run of the model.

    Attributes:
        logits: logits of each text, in order.
        cells: rows times width of the batch, filler included.
    """

    logits: Sequence[Float32]
    cells: int


Runner: TypeAlias = Callable[[Sequence[Encoding]], BatchRun]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """A report of one run.

    Attributes:
        texts: number of texts in it.
        tokens: their tokens.
        cells: rows times width, filler included; 0 if the run failed.
        queue_wait_s: longest wait of a text before it.
        run_s: duration of the run.
        error: why it failed; None if it succeeded.
    """

    texts: int
    tokens: int
    cells: int
    queue_wait_s: float
    run_s: float
    error: BaseException | None = None


Listener: TypeAlias = Callable[[BatchReport], None]


def run_batch(tickets: Sequence[Ticket], run: Runner, clock: Clock, listen: Listener) -> None:
    """Run tickets together and answer each; if the run fails, run each half separately.

    A text that breaks every batch is alone after ``log2(texts)`` splits, and fails alone. Tickets
    that were answered meanwhile (deadline, abandoned) are not run again.

    Args:
        tickets: the batch.
        run: runs encodings together; may raise anything.
        clock: the clock that tickets were stamped with.
        listen: receives a report of every run.
    """
    open_tickets = [ticket for ticket in tickets if not ticket.settled]
    if not open_tickets:
        return
    started_s = clock()
    try:
        outcome = run([ticket.encoding for ticket in open_tickets])
        error = None
    # Whatever a runtime raises, even KeyboardInterrupt, each ticket must get an answer and the
    # worker's thread must continue.
    except BaseException as raised:  # noqa: BLE001
        outcome, error = BatchRun((), 0), raised
    run_s = clock() - started_s
    listen(
        BatchReport(
            texts=len(open_tickets),
            tokens=sum(len(ticket.encoding) for ticket in open_tickets),
            cells=outcome.cells,
            queue_wait_s=max(started_s - ticket.arrival_s for ticket in open_tickets),
            run_s=run_s,
            error=error,
        )
    )
    if error is None:
        for ticket, values in zip(open_tickets, outcome.logits, strict=True):
            ticket.settle(_answer(values, started_s - ticket.arrival_s, run_s))
    elif len(open_tickets) == 1:
        open_tickets[0].settle(_blame(error))
    else:
        middle = len(open_tickets) // 2
        run_batch(open_tickets[:middle], run, clock, listen)
        run_batch(open_tickets[middle:], run, clock, listen)


def _answer(values: Float32, queue_wait_s: float, run_s: float) -> Answer:
    if not np.isfinite(values).all():
        return NonFiniteScore(
            "the model's answer for a text holds NaN or infinity; "
            "this is the checkpoint's or the precision's fault: try the precision float32"
        )
    return Logits(values, queue_wait_s, run_s)


def _blame(error: BaseException) -> EarmarkError:
    if isinstance(error, EarmarkError):
        return error
    wrapped = EngineError(f"running a text failed: {type(error).__name__}")
    wrapped.__cause__ = error
    return wrapped
