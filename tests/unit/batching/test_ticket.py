"""A submission reports each of its tickets, whichever thread answers it."""

import threading

import numpy as np
import pytest

from earmark.batching.ticket import Answer, Logits, Submission, Ticket
from earmark.domain.encoding import Encoding
from earmark.errors import DeadlineExceeded, EngineError

_PATIENCE_S = 20.0
"""Bounds a test that would otherwise hang."""

LOGITS = Logits(np.zeros(2, np.float32), 0.0, 0.0)


def submission(tickets: int) -> Submission:
    """Make a submission of this many texts."""
    return Submission.of([Encoding((1,), (0,))] * tickets, now_s=0.0, deadline_s=None)


def test_each_ticket_is_told_of_once() -> None:
    """Each ticket is reported once, also if it was answered before the listener came."""
    told: list[tuple[Ticket, Answer]] = []
    made = submission(3)
    first, second, third = made.tickets
    first.settle(LOGITS)
    made.when_each(lambda ticket, answer: told.append((ticket, answer)))
    error = EngineError("broken")
    third.settle(error)
    third.settle(LOGITS)
    assert told == [(first, LOGITS), (third, error)]
    made.give_up(late := DeadlineExceeded("late"))
    assert told[2:] == [(second, late)]


def test_both_kinds_of_listener_hear_of_the_last_ticket() -> None:
    """The last ticket is reported first by itself, then by the end of the submission."""
    told: list[str] = []
    made = submission(2)
    made.when_each(lambda _, answer: told.append(type(answer).__name__))
    made.when_done(lambda: told.append("done"))
    for ticket in made.tickets:
        ticket.settle(LOGITS)
    assert told == ["Logits", "Logits", "done"]


def test_nobody_is_told_after_leaving() -> None:
    """A listener that has left gets no report."""
    told: list[Ticket] = []
    made = submission(1)
    made.when_each(lambda ticket, _: told.append(ticket))
    made.abandon()
    made.tickets[0].settle(LOGITS)
    assert told == []


@pytest.mark.parametrize("threads", [4])
def test_threads_that_answer_at_once_lose_and_double_nothing(threads: int) -> None:
    """Threads that answer at once lose and repeat no report, also while a listener begins."""
    made = submission(200)
    told: list[Ticket] = []
    start = threading.Barrier(threads + 1)

    def answer() -> None:
        start.wait(_PATIENCE_S)
        for ticket in made.tickets:
            ticket.settle(LOGITS)

    running = [threading.Thread(target=answer) for _ in range(threads)]
    for one in running:
        one.start()
    start.wait(_PATIENCE_S)
    made.when_each(lambda ticket, _: told.append(ticket))
    for one in running:
        one.join(_PATIENCE_S)
    assert sorted(map(id, told)) == sorted(map(id, made.tickets))
