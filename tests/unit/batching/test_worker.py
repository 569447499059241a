"""The thread between the queue and the model."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from support.encodings import SumRunner, encoding, lengths

from earmark.batching.packer import BatchLimits
from earmark.batching.queue import TicketQueue
from earmark.batching.splitting import BatchRun, Runner
from earmark.batching.ticket import Answer, Logits, Submission
from earmark.batching.worker import Worker
from earmark.domain.encoding import Encoding
from earmark.errors import DeadlineExceeded, EngineError, ShuttingDown

PATIENCE_S = 20.0
"""Bounds a test that would otherwise hang; no test waits this long when the code is right."""


@contextmanager
def working(run: Runner) -> Iterator[Worker]:
    """Run a worker for the time of a test."""
    queue = TicketQueue(BatchLimits(256, 128), 1_000_000)
    worker = Worker(queue, run, listen=lambda _: None)
    try:
        yield worker
    finally:
        worker.close()


def wait(submission: Submission) -> tuple[Answer, ...]:
    """Wait for every answer."""
    done = threading.Event()
    submission.when_done(done.set)
    assert done.wait(PATIENCE_S)
    return submission.answers()


class HeldRunner:
    """A model that hangs until the test releases it."""

    def __init__(self) -> None:
        """Start held."""
        self.started, self.go = threading.Event(), threading.Event()
        self._inner = SumRunner()

    def __call__(self, encodings: Sequence[Encoding]) -> BatchRun:
        """Wait, then answer."""
        self.started.set()
        assert self.go.wait(PATIENCE_S)
        return self._inner(encodings)


@settings(deadline=None, max_examples=30)
@given(lengths(120))
def test_every_text_is_answered_with_its_own_logits(sizes: list[int]) -> None:
    """Answers come in the order of the texts, whatever batches they shared."""
    texts = [encoding(size, first_id=index) for index, size in enumerate(sizes)]
    with working(SumRunner()) as worker:
        answers = wait(worker.submit(texts, deadline_s=None))
    sums = [one.values.tolist() for one in answers if isinstance(one, Logits)]
    assert sums == [[sum(text.ids)] for text in texts]


def test_callers_of_many_threads_each_get_their_own_answers() -> None:
    """Eight threads submit at once, and each gets its own answers."""
    results: dict[int, tuple[Answer, ...]] = {}
    with working(SumRunner()) as worker:

        def call(caller: int) -> None:
            texts = [encoding(5, first_id=100 * caller + index) for index in range(20)]
            results[caller] = wait(worker.submit(texts, deadline_s=None))

        threads = [threading.Thread(target=call, args=(caller,)) for caller in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
    for caller in range(8):
        sums = [one.values.tolist() for one in results[caller] if isinstance(one, Logits)]
        assert sums == [[sum(encoding(5, first_id=100 * caller + i).ids)] for i in range(20)]


def test_a_run_that_hangs_leaves_the_deadline_to_the_caller_and_answers_once() -> None:
    """The caller gives up on a hung run; the logits that come after are dropped."""
    runner = HeldRunner()
    with working(runner) as worker:
        submission = worker.submit([encoding(3)], deadline_s=None)
        assert runner.started.wait(PATIENCE_S)
        assert worker.running_s() > 0
        submission.give_up(DeadlineExceeded("too late"))
        assert isinstance(submission.answers()[0], DeadlineExceeded)
        runner.go.set()
        after = wait(worker.submit([encoding(3)], deadline_s=None))
    assert isinstance(after[0], Logits)
    assert isinstance(submission.answers()[0], DeadlineExceeded)


def test_a_run_that_raises_is_answered_and_the_worker_lives_on() -> None:
    """A run that raises fails its text, and the next text is answered."""
    with working(SumRunner(poison=50)) as worker:
        broken = wait(worker.submit([encoding(1, first_id=50)], deadline_s=None))
        sound = wait(worker.submit([encoding(1, first_id=1)], deadline_s=None))
    assert isinstance(broken[0], EngineError)
    assert isinstance(sound[0], Logits)


def test_closing_answers_what_waits_and_takes_no_more() -> None:
    """On closing, waiting texts get `ShuttingDown`, and the run in progress ends by itself."""
    runner = HeldRunner()
    with working(runner) as worker:
        running = worker.submit([encoding(3)], deadline_s=None)
        assert runner.started.wait(PATIENCE_S)
        waiting = worker.submit([encoding(3)], deadline_s=None)
        assert worker.waiting() == (1, 3)
        closing = threading.Thread(target=worker.close)
        closing.start()
        assert isinstance(wait(waiting)[0], ShuttingDown)
        runner.go.set()
        assert isinstance(wait(running)[0], Logits)
        closing.join(PATIENCE_S)
        assert worker.closed
        with pytest.raises(ShuttingDown):
            worker.submit([encoding(3)], deadline_s=None)
