"""An engine around a made-up model: cancellation, deadlines, refusals, state."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.small_facts import small_facts

from earmark.batching.packer import BatchLimits
from earmark.batching.queue import TicketQueue
from earmark.batching.splitting import BatchRun
from earmark.batching.ticket import Submission
from earmark.batching.worker import Worker
from earmark.checkpoint.files.folder import LocalRepository
from earmark.domain.encoding import Encoding
from earmark.domain.labels import LabelSet
from earmark.domain.results import Classification
from earmark.domain.texts import TextInput
from earmark.engine.engine import INLINE_CHARACTERS, Engine
from earmark.engine.events import FAILING_AFTER, Tally
from earmark.engine.thread import ThreadHandle
from earmark.errors import DeadlineExceeded, EngineError, InvalidInput, QueueFull, ShuttingDown
from earmark.tasks.text_classification import TextClassification
from earmark.tokenizing.load import load_tokenizer
from earmark.tokenizing.tokenizer import TextTokenizer

PATIENCE_S = 20.0
"""Bounds a test that would otherwise hang."""
POISON = "poison"

INFO = small_facts(
    "tests/length", ("text-classification",), LabelSet(("SHORT", "LONG")), max_input_tokens=40
)


class Model:
    """Answers a text with its length in tokens; can be held, and fails at one length."""

    def __init__(self) -> None:
        """Start released."""
        self.started, self.go = threading.Event(), threading.Event()
        self.go.set()
        self.ran: list[int] = []
        self.breaks_on = 0
        self.breaks_always = False

    def __call__(self, encodings: Sequence[Encoding]) -> BatchRun:
        """Answer a batch."""
        self.started.set()
        assert self.go.wait(PATIENCE_S)
        lengths = [len(one) for one in encodings]
        self.ran.extend(lengths)
        if self.breaks_always or self.breaks_on in lengths:
            raise RuntimeError("this length breaks the model")
        return BatchRun([np.asarray([-size, size], np.float32) for size in lengths], sum(lengths))


class CountedWorker(Worker):
    """A worker that counts submissions, so that a test can wait for one."""

    submitted: threading.Semaphore

    def submit(self, encodings: Sequence[Encoding], *, deadline_s: float | None) -> Submission:
        """Submit, then count."""
        submission = super().submit(encodings, deadline_s=deadline_s)
        self.submitted.release()
        return submission


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    """Load a small tokenizer."""
    folder = write_checkpoint(tmp_path_factory.mktemp("checkpoint"), CheckpointSpec())
    return load_tokenizer(LocalRepository.open(folder))


@pytest.fixture
def model() -> Model:
    """Make a model that answers at once."""
    return Model()


@pytest.fixture
def submitted() -> threading.Semaphore:
    """Count what reaches the queue."""
    return threading.Semaphore(0)


@pytest.fixture
def make(
    tokenizer: TextTokenizer, model: Model, submitted: threading.Semaphore
) -> Iterator[Callable[..., Engine]]:
    """Make engines around the model and close them afterwards."""
    engines: list[Engine] = []

    def engine(*, max_waiting_tokens: int = 10_000, stall_after_s: float = 60.0) -> Engine:
        tally = Tally(INFO.model_id)
        worker = CountedWorker(TicketQueue(BatchLimits(64, 64), max_waiting_tokens), model, tally)
        worker.submitted = submitted
        canary = Encoding((0,), (0,))
        handle = ThreadHandle(worker, tally, canary=canary, stall_after_s=stall_after_s)
        made = Engine(INFO, tokenizer, handle, head="sequence")
        engines.append(made)
        return made

    yield engine
    model.go.set()
    for one in engines:
        one.close()


def request(*texts: str) -> TextClassification:
    """Ask for these texts."""
    return TextClassification(tuple(TextInput(text) for text in texts))


def test_answers_come_in_the_order_of_the_texts(make: Callable[..., Engine]) -> None:
    """Answers keep the order of the texts, from a thread and from an event loop."""
    engine = make()
    texts = ["a", "a b c", "", "a b"]
    for reply in (
        engine.answer_blocking(request(*texts)),
        asyncio.run(engine.answer(request(*texts))),
    ):
        assert [one.tokens for one in reply.results()] == [3, 5, 2, 4]
    assert engine.queue_state().totals.texts == 8
    assert engine.queue_state().totals.tokens == 28


def test_a_long_text_is_encoded_beside_the_event_loop_and_cut(make: Callable[..., Engine]) -> None:
    """A text too long for the event loop's thread is cut, and the cut tokens are counted."""
    text = "a " * INLINE_CHARACTERS
    (result,) = asyncio.run(make().answer(request(text))).results()
    assert (result.tokens, result.truncated_tokens) == (40, INLINE_CHARACTERS + 2 - 40)


def test_a_text_that_may_not_be_cut_is_refused_by_itself(
    make: Callable[..., Engine], model: Model
) -> None:
    """A too long text that may not be cut is refused and never run; the others are answered."""
    asked = replace(request("a", "a " * 60, "a b"), truncate=False)
    reply = make().answer_blocking(asked)
    first, second, third = reply.outcomes
    assert isinstance(first, Classification)
    assert isinstance(third, Classification)
    with pytest.raises(
        InvalidInput, match="input 1: a text is 62 tokens long and the model reads 40"
    ):
        reply.results()
    assert isinstance(second, InvalidInput)
    assert sorted(model.ran) == [3, 4]


def test_one_bad_text_never_fails_its_neighbours(make: Callable[..., Engine], model: Model) -> None:
    """A text that breaks the model fails alone and is counted."""
    engine = make()
    model.breaks_on = 5
    first, second, third = engine.answer_blocking(request("a", "a b c", "a b")).outcomes
    assert isinstance(first, Classification)
    assert isinstance(second, EngineError)
    assert isinstance(third, Classification)
    assert engine.queue_state().totals.failed_runs > 0


def test_a_hung_run_is_answered_at_the_deadline(make: Callable[..., Engine], model: Model) -> None:
    """During a hung run a thread and an event loop get an error at their deadline."""
    engine = make()
    model.go.clear()
    blocking = engine.answer_blocking(request("a"), timeout_s=0.05)
    looping = asyncio.run(engine.answer(request("a"), deadline_s=time.monotonic() + 0.05))
    for reply in (blocking, looping):
        assert isinstance(reply.outcomes[0], DeadlineExceeded)


def test_a_run_that_takes_too_long_reads_as_stalled(
    make: Callable[..., Engine], model: Model
) -> None:
    """The state is `ready`, then `stalled` while a run hangs, and `closed` after closing."""
    engine = make(stall_after_s=0.0)
    assert engine.queue_state().state == "ready"
    model.go.clear()
    engine.answer_blocking(request("a"), timeout_s=0.05)
    assert engine.queue_state().state == "stalled"
    model.go.set()
    engine.answer_blocking(request("a"), timeout_s=PATIENCE_S)
    engine.close()
    assert engine.queue_state().state == "closed"


def test_a_caller_who_leaves_takes_his_texts_along(
    make: Callable[..., Engine], model: Model, submitted: threading.Semaphore
) -> None:
    """Texts of a cancelled call that have not run yet never run."""
    engine = make()
    model.go.clear()

    async def leave() -> None:
        running = asyncio.create_task(engine.answer(request("a")))
        assert await asyncio.to_thread(model.started.wait, PATIENCE_S)
        waiting = asyncio.create_task(engine.answer(request("a b c d e")))
        for _ in range(2):
            await asyncio.to_thread(submitted.acquire, timeout=PATIENCE_S)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        model.go.set()
        await running

    asyncio.run(leave())
    engine.answer_blocking(request("a b"), timeout_s=PATIENCE_S)
    assert model.ran == [3, 4]


def test_too_much_waiting_is_refused(make: Callable[..., Engine], model: Model) -> None:
    """A full queue refuses a request with a time to try again."""
    engine = make(max_waiting_tokens=24)
    model.go.clear()
    for _ in range(3):  # one runs, two wait: 18 tokens
        reply = engine.answer_blocking(request("a b c d e f g"), timeout_s=0.01)
        assert isinstance(reply.outcomes[0], DeadlineExceeded)
        assert model.started.wait(PATIENCE_S)
    with pytest.raises(QueueFull, match="18 tokens are waiting and this request adds 9") as caught:
        engine.answer_blocking(request("a b c d e f g"))
    assert caught.value.retry_after_s > 0


def test_a_closed_engine_takes_no_more_work(make: Callable[..., Engine]) -> None:
    """A closed engine raises `ShuttingDown`, and can be closed twice."""
    engine = make()
    engine.close()
    engine.close()
    with pytest.raises(ShuttingDown):
        engine.answer_blocking(request("a"))


def test_timings_say_where_the_time_went(make: Callable[..., Engine]) -> None:
    """The parts of the timings are not longer than the whole."""
    timings = make().answer_blocking(request("a", "b")).timings
    parts = (timings.tokenize_ms, timings.queue_wait_ms, timings.run_ms)
    assert all(part >= 0 for part in parts)
    assert sum(parts) <= timings.total_ms


def test_a_model_whose_runs_all_fail_is_failing_until_one_succeeds(
    make: Callable[..., Engine], model: Model
) -> None:
    """A failing model recovers without a request, by a canary text each second."""
    engine = make()
    model.breaks_always = True
    for turn in range(FAILING_AFTER):
        assert engine.queue_state().state == "ready", turn
        reply = engine.answer_blocking(request("a"), timeout_s=PATIENCE_S)
        assert isinstance(reply.outcomes[0], EngineError)
    assert engine.queue_state().state == "failing"
    model.breaks_always = False
    until_s = time.monotonic() + PATIENCE_S
    while engine.queue_state().state == "failing":
        assert time.monotonic() < until_s
        time.sleep(0.01)
    assert engine.queue_state().state == "ready"
