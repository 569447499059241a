"""The book of what an engine process was asked: nothing is lost, and nothing is answered twice."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from earmark.batching.packer import BatchLimits
from earmark.batching.ticket import Answer, Logits, Submission
from earmark.domain.encoding import Encoding
from earmark.engine.process.in_flight import REMEMBERED_S, InFlight, RefusedTexts
from earmark.engine.process.messages import AnswerTo, SentEncoding
from earmark.engine.process.run_bound import RunBound
from earmark.errors import DeadlineExceeded, QueueFull, ShuttingDown

LIMITS = BatchLimits(64)


def _submission(*lengths: int) -> Submission:
    texts = [Encoding((7,) * length, (0,) * length) for length in lengths]
    return Submission.of(texts, now_s=0.0, deadline_s=None)


def _answer(number: int, index: int) -> AnswerTo:
    sent = SentEncoding((7,), (0,), submission=number, index=index)
    return AnswerTo.of(sent, Logits(np.array([number, index], np.float32), 0.0, 0.0))


def test_what_was_lost_is_sent_again_without_what_was_answered() -> None:
    """The places of the open texts stay the same."""
    book = InFlight(LIMITS, 1000)
    submission = _submission(3, 4, 5)
    number = book.add(submission, 9.0)
    assert number is not None
    first = book.message(1, number)
    assert first is not None
    assert [text.index for text in first.texts] == [0, 1, 2]
    book.began([(number, 1), (number, 2)])
    assert book.waiting() == (1, 3)
    ((ticket, _),) = book.ended([_answer(number, 1)], over=True)
    assert ticket is submission.tickets[1]
    book.lost()
    assert book.unsent() == (number,)
    again = book.message(1, number)
    assert again is not None
    assert [text.index for text in again.texts] == [0, 2]
    assert again.deadline_s == 9.0
    assert book.waiting() == (2, 8)


def test_the_texts_that_run_are_those_that_somebody_waits_for() -> None:
    """A text whose caller has left is no suspect."""
    book = InFlight(LIMITS, 1000)
    stays, leaves = _submission(3), _submission(4)
    numbers = [book.add(one, None) for one in (stays, leaves)]
    book.began([(number, 0) for number in numbers if number is not None])
    leaves.abandon()
    assert book.running() == ((numbers[0], 0),)


def test_a_submission_of_answered_texts_is_not_kept() -> None:
    """There is nothing to send for it."""
    submission = _submission(3)
    submission.tickets[0].settle(DeadlineExceeded("late"))
    assert InFlight(LIMITS, 1000).add(submission, None) is None


def test_draining_leaves_the_batch_in_progress_if_asked() -> None:
    """Its answers still come."""
    book = InFlight(LIMITS, 1000)
    submission = _submission(3, 4)
    number = book.add(submission, None)
    assert number is not None
    book.began([(number, 0)])
    assert book.drain(running_too=False) == (submission.tickets[1],)
    ((ticket, _),) = book.ended([_answer(number, 0)], over=True)
    assert ticket is submission.tickets[0]
    assert book.drain() == ()


def test_a_text_is_refused_for_ten_minutes() -> None:
    """It is known by its tokens and their types, in any submission."""
    refused = RefusedTexts()
    ticket, same, other = _submission(3, 3, 4).tickets
    assert not refused.has(ticket, 0.0)
    refused.add(ticket, 100.0)
    assert refused.has(same, 100.0 + REMEMBERED_S - 1)
    assert not refused.has(other, 100.0)
    assert not refused.has(same, 100.0 + REMEMBERED_S)


class InFlightMachine(RuleBasedStateMachine):
    """Callers come and leave, batches run, and the process ends at any moment."""

    def __init__(self) -> None:
        """Begin with an empty book."""
        super().__init__()
        self.book = InFlight(LIMITS, 300)
        self.open: dict[int, Submission] = {}
        self.answered: set[tuple[int, int]] = set()

    @rule(lengths=st.lists(st.integers(1, 20), min_size=1, max_size=5))
    def submit(self, lengths: Sequence[int]) -> None:
        """Submit texts, if there is room."""
        submission = _submission(*lengths)
        try:
            number = self.book.add(submission, None)
        except QueueFull:
            assert self.book.waiting()[1] > 0
            return
        assert number is not None
        self.open[number] = submission
        self.book.message(1, number)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """Let a caller leave."""
        number = data.draw(st.sampled_from(sorted(self.open)))
        self.open.pop(number).abandon()
        self.book.leave(number)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), dies=st.booleans())
    def run(self, data: st.DataObject, dies: bool) -> None:  # noqa: FBT001 - drawn
        """Run a batch of open texts, and answer it, or lose it."""
        places = [
            (number, index)
            for number, submission in self.open.items()
            for index, ticket in enumerate(submission.tickets)
            if not ticket.settled
        ]
        batch = data.draw(st.lists(st.sampled_from(places), unique=True, min_size=1))
        self.book.began(batch)
        assert set(self.book.running()) == set(batch)
        if dies:
            self.book.lost()
            for number in self.book.unsent():
                self.book.message(1, number)
            return
        for ticket, answer in self.book.ended([_answer(*place) for place in batch], over=True):
            assert ticket.settle(answer)
        for place in batch:
            assert place not in self.answered
            self.answered.add(place)
            assert _values(self.open[place[0]].tickets[place[1]].answer) == place
        self.open = {
            number: one
            for number, one in self.open.items()
            if not all(ticket.settled for ticket in one.tickets)
        }

    @invariant()
    def counts_what_is_open(self) -> None:
        """What waits is what callers wait for."""
        texts = sum(not t.settled for one in self.open.values() for t in one.tickets)
        assert self.book.waiting()[0] == texts

    def teardown(self) -> None:
        """Answer all that is open: exactly that is drained."""
        left = [t for one in self.open.values() for t in one.tickets if not t.settled]
        drained = self.book.drain()
        assert {id(ticket) for ticket in drained} == {id(ticket) for ticket in left}
        for ticket in drained:
            assert ticket.settle(ShuttingDown("closed"))


def _values(answer: Answer | None) -> tuple[int, int]:
    assert isinstance(answer, Logits)
    number, index = answer.values
    return int(number), int(index)


TestInFlight = InFlightMachine.TestCase


@pytest.mark.parametrize(
    ("token_s", "timeout_s", "stalled_s", "hang_s"),
    [(1e-5, None, 1.25, 10.0), (0.01, None, 81.92, 327.68), (0.01, 60.0, 60.0, 60.0)],
)
def test_the_bounds_of_a_run_follow_from_the_warm_up(
    token_s: float, timeout_s: float | None, stalled_s: float, hang_s: float
) -> None:
    """8 and 32 times a full batch of 1,024 tokens, but no less than the least; or as set."""
    bound = RunBound.of(token_s, 1024, run_timeout_s=timeout_s)
    assert (bound.stalled_s, bound.hang_s) == pytest.approx((stalled_s, hang_s))
