"""The queue's policy, with time passed in."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.encodings import encoding, lengths

from earmark.batching.packer import BatchLimits, pack
from earmark.batching.queue import TicketQueue
from earmark.batching.ticket import Logits, Submission, Ticket
from earmark.domain.packing import Float32
from earmark.errors import DeadlineExceeded, QueueFull, ShuttingDown

LONGEST = 120
LIMITS = BatchLimits(256, 128)


def submission(*sizes: int, deadline_s: float | None = None) -> Submission:
    """Make a submission of texts of these lengths, arrived at time 0."""
    return Submission.of([encoding(size) for size in sizes], now_s=0.0, deadline_s=deadline_s)


def queue_of(*submissions: Submission, max_waiting_tokens: int = 1_000_000) -> TicketQueue:
    """Make a queue in which these wait."""
    queue = TicketQueue(LIMITS, max_waiting_tokens)
    for one in submissions:
        queue.put(one)
    return queue


def take_all(queue: TicketQueue, now_s: float = 0.0) -> list[list[Ticket]]:
    """Take batches until nothing waits."""
    batches = []
    while batch := queue.take(now_s):
        batches.append(batch)
    return batches


@given(st.lists(lengths(LONGEST, most=12), min_size=1, max_size=8))
def test_every_ticket_is_taken_exactly_once(groups: list[list[int]]) -> None:
    """Every waiting ticket leaves the queue once, in batches within their limits."""
    submissions = [submission(*sizes) for sizes in groups]
    queue = queue_of(*submissions)
    batches = take_all(queue)
    taken = Counter(id(ticket) for batch in batches for ticket in batch)
    assert taken == Counter(id(ticket) for one in submissions for ticket in one.tickets)
    for batch in batches:
        assert pack([ticket.encoding for ticket in batch], LIMITS).cells <= LIMITS.max_cells
    assert (queue.waiting_texts, queue.waiting_tokens) == (0, 0)


def test_callers_take_turns() -> None:
    """A single text that comes after a long list is in the very next batch."""
    bulk, single = submission(*[60] * 50), submission(10)
    first = queue_of(bulk, single).take(0.0)
    assert single.tickets[0] in first
    assert bulk.tickets[0] in first


def test_texts_of_one_caller_keep_their_order() -> None:
    """Within a submission, batches follow the order of the texts."""
    bulk = submission(*[60] * 9)
    taken = [ticket for batch in take_all(queue_of(bulk)) for ticket in batch]
    assert taken == list(bulk.tickets)


def test_a_caller_who_left_is_dropped_before_the_run() -> None:
    """Abandoned tickets are not put into a batch."""
    gone, here = submission(10, 10), submission(10)
    queue = queue_of(gone, here)
    gone.abandon()
    assert take_all(queue) == [[here.tickets[0]]]
    assert queue.waiting_texts == 0


def test_a_ticket_past_its_deadline_is_answered_and_not_run() -> None:
    """A ticket past its deadline is answered with an error and not run."""
    late, early = submission(10, deadline_s=1.0), submission(10, deadline_s=9.0)
    assert take_all(queue_of(late, early), now_s=2.0) == [[early.tickets[0]]]
    assert isinstance(late.tickets[0].answer, DeadlineExceeded)


def test_more_than_the_limit_is_refused_whole() -> None:
    """A full queue takes none of a request's texts; the error says how full it is."""
    queue = queue_of(submission(30), max_waiting_tokens=50)
    with pytest.raises(QueueFull, match=r"30 tokens are waiting and this request adds 40"):
        queue.put(submission(20, 20))
    assert queue.waiting_texts == 1


def test_bulks_leave_room_for_small_requests_and_a_piece_of_each_counts() -> None:
    """Six large requests fill their limit and a seventh is refused; small ones have their own."""
    bulk, small = [100] * 30, 32
    queue = queue_of(*(submission(*bulk) for _ in range(6)), max_waiting_tokens=2048)
    with pytest.raises(QueueFull, match=r"1,536 tokens are waiting and this request adds 256"):
        queue.put(submission(*bulk))
    for _ in range(16):
        queue.put(submission(small))
    with pytest.raises(QueueFull):
        queue.put(submission(small))
    while queue.waiting_tokens > 6 * 200:
        queue.take(0.0)
    queue.put(submission(small))
    queue.put(submission(*bulk))


def test_a_request_larger_than_the_limit_is_taken_when_nothing_waits() -> None:
    """A request larger than the limit is taken by an empty queue."""
    queue = queue_of(submission(40, 40), max_waiting_tokens=50)
    assert queue.waiting_tokens == 80


def test_a_text_longer_than_a_batch_is_the_callers_mistake() -> None:
    """A text longer than any batch raises an error, since it should have been cut before."""
    with pytest.raises(ValueError, match="300 tokens does not fit"):
        queue_of(submission(300))


def test_draining_answers_everything_that_waits() -> None:
    """Draining the queue answers every waiting ticket."""
    waiting = submission(10, 20)
    queue = queue_of(waiting)
    queue.drain(ShuttingDown("closing"))
    assert all(isinstance(answer, ShuttingDown) for answer in waiting.answers())
    assert queue.take(0.0) == []


def test_the_first_answer_stands() -> None:
    """A ticket that timed out ignores later logits."""
    one = submission(10)
    ticket = one.tickets[0]
    assert ticket.settle(DeadlineExceeded("too late"))
    assert not ticket.settle(Logits(values=some_logits(), queue_wait_s=0.0, run_s=0.0))
    assert isinstance(one.answers()[0], DeadlineExceeded)


def some_logits() -> Float32:
    """Return some logits."""
    return np.zeros(2, np.float32)


def test_answers_of_an_open_submission_are_an_error() -> None:
    """Reading answers before all are there raises an error."""
    with pytest.raises(ValueError, match="not answered yet"):
        submission(10).answers()


def test_the_caller_is_woken_once_by_the_last_answer() -> None:
    """A submission wakes its caller once, and at once where all is answered already."""
    woken: list[str] = []
    one = submission(10, 10)
    one.when_done(lambda: woken.append("last"))
    one.tickets[0].settle(DeadlineExceeded("late"))
    assert woken == []
    one.tickets[1].settle(DeadlineExceeded("late"))
    assert woken == ["last"]
    one.when_done(lambda: woken.append("at once"))
    assert woken == ["last", "at once"]
