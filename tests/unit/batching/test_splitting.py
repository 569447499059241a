"""A text that breaks a batch fails alone."""

from collections.abc import Sequence
from itertools import count

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support.encodings import SumRunner, encoding

from earmark.batching.splitting import BatchReport, BatchRun, run_batch
from earmark.batching.ticket import Logits, Submission
from earmark.domain.encoding import Encoding
from earmark.errors import DeadlineExceeded, EngineError, NonFiniteScore

POISON = 7


def submission(*first_ids: int) -> Submission:
    """Make one text of one token for each id."""
    texts = [encoding(1, first_id=first) for first in first_ids]
    return Submission.of(texts, now_s=0.0, deadline_s=None)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=20))
def test_only_the_poisonous_texts_fail(ids: list[int]) -> None:
    """Texts that share a batch with one that breaks it get their own right answers."""
    one = submission(*ids)
    run_batch(one.tickets, SumRunner(POISON), clock=lambda: 0.0, listen=lambda _: None)
    for text, answer in zip(ids, one.answers(), strict=True):
        if text == POISON:
            assert isinstance(answer, EngineError)
            assert "poison" in repr(answer.__cause__)
        else:
            assert isinstance(answer, Logits)
            assert answer.values.tolist() == [text]


def test_a_sound_batch_runs_once() -> None:
    """A batch that does not fail is run once."""
    runner = SumRunner()
    run_batch(submission(1, 2, 3).tickets, runner, clock=lambda: 0.0, listen=lambda _: None)
    assert len(runner.batches) == 1


def test_one_poisonous_text_costs_few_runs() -> None:
    """One bad text of 16 is found by halving, with two runs a level."""
    runner = SumRunner(POISON)
    one = submission(*range(1, 17))
    run_batch(one.tickets, runner, clock=lambda: 0.0, listen=lambda _: None)
    assert len(runner.batches) == 1 + 2 * 4


def test_a_text_answered_meanwhile_is_not_run_again() -> None:
    """A ticket whose deadline passes between two halves is not run again."""
    one = submission(1, POISON)

    def run(encodings: Sequence[Encoding]) -> BatchRun:
        one.tickets[0].settle(DeadlineExceeded("late"))
        assert [text.ids for text in encodings] in ([(1,), (POISON,)], [(POISON,)])
        raise RuntimeError("broken")

    run_batch(one.tickets, run, clock=lambda: 0.0, listen=lambda _: None)
    assert isinstance(one.answers()[0], DeadlineExceeded)


def test_scores_that_are_no_numbers_fail_their_own_text() -> None:
    """A text with NaN in its logits fails, and the other text has its answer."""
    one = submission(1, 2)

    def run(_: object) -> BatchRun:
        return BatchRun([np.asarray([np.nan], np.float32), np.ones(1, np.float32)], 8)

    run_batch(one.tickets, run, clock=lambda: 0.0, listen=lambda _: None)
    broken, sound = one.answers()
    assert isinstance(broken, NonFiniteScore)
    assert isinstance(sound, Logits)


def test_every_run_is_reported_with_its_times() -> None:
    """Waits count from arrival, runs by the clock; a failed run is reported as one."""
    reports: list[BatchReport] = []
    ticks = count(10)
    run_batch(
        submission(1, POISON).tickets,
        SumRunner(POISON),
        clock=lambda: float(next(ticks)),
        listen=reports.append,
    )
    assert [(one.texts, one.error is None) for one in reports] == [
        (2, False),
        (1, True),
        (1, False),
    ]
    assert reports[0].queue_wait_s == 10.0
    assert {one.run_s for one in reports} == {1.0}


def test_a_run_that_wants_the_program_to_end_fails_its_text_alone() -> None:
    """`SystemExit` out of a run fails that text alone, and the worker's thread lives on."""
    one = submission(1, POISON, 2)

    def run(encodings: Sequence[Encoding]) -> BatchRun:
        if any(text.ids == (POISON,) for text in encodings):
            raise SystemExit(3)
        return SumRunner()(encodings)

    run_batch(one.tickets, run, clock=lambda: 0.0, listen=lambda _: None)
    assert [isinstance(answer, EngineError) for answer in one.answers()] == [False, True, False]
