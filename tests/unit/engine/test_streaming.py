"""Entities as windows finish: in any order, with failures, deadlines and callers that leave."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.small_facts import small_facts
from support.tokenizer_kinds import KINDS, text_tokenizer

from earmark.batching.packer import BatchLimits
from earmark.batching.queue import TicketQueue
from earmark.batching.splitting import BatchRun
from earmark.batching.ticket import Logits, Submission
from earmark.batching.worker import Worker
from earmark.domain.encoding import Encoding
from earmark.domain.labels import LabelSet
from earmark.domain.packing import Float32
from earmark.domain.results import Entity
from earmark.engine.engine import INLINE_CHARACTERS, Engine
from earmark.engine.events import Tally
from earmark.engine.handle import EngineHandle
from earmark.engine.info import EngineInfo, QueueState
from earmark.engine.streaming import EntityStream, Failed, Found
from earmark.engine.thread import ThreadHandle
from earmark.errors import DeadlineExceeded, EarmarkError, NonFiniteScore, QueueFull
from earmark.tasks.spans import AggregationStrategy
from earmark.tasks.token_classification import TokenClassification

PATIENCE_S = 20.0
"""Bounds a test that would otherwise hang."""

LABELS = LabelSet(("O", "B-PER", "I-PER", "B-LOC", "I-LOC"))
KIND = next(iter(KINDS))
WIDTH = 8
"""Tokens that the model reads: two special ones, and six of a text."""


def info() -> EngineInfo:
    """State the facts of a small labeller."""
    return small_facts("tests/labeller", ("token-classification",), LABELS, max_input_tokens=WIDTH)


def logits(encoding: Encoding) -> Float32:
    """Label tokens by their ids and their place in the window: windows disagree on purpose.

    Returns:
        Shape ``[tokens, labels]``.
    """
    seed = np.random.default_rng(encoding.ids)
    return seed.normal(size=(len(encoding), len(LABELS.names))).astype(np.float32)


@dataclass
class Held:
    """A handle whose tickets the test answers by hand, or which answers at once."""

    prompt: bool = False
    submissions: list[Submission] = field(default_factory=list)

    def submit(self, encodings: Sequence[Encoding], *, deadline_s: float | None) -> Submission:
        """Keep a submission."""
        made = Submission.of(encodings, now_s=0.0, deadline_s=deadline_s)
        self.submissions.append(made)
        if self.prompt:
            self.answer(*range(len(encodings)))
        return made

    def answer(self, *places: int, error: EarmarkError | None = None) -> None:
        """Answer windows of the last submission."""
        for place in places:
            ticket = self.submissions[-1].tickets[place]
            ticket.settle(error or Logits(logits(ticket.encoding), 0.0, 0.0))

    def memory_bytes(self) -> int | None:
        """Return None."""
        return None

    def state(self) -> QueueState:
        """Return a state without counts."""
        return QueueState(state="ready", waiting_texts=0, waiting_tokens=0, running_s=0.0)

    def close(self) -> None:
        """Do nothing."""


def engine_on(handle: EngineHandle, kind: str = KIND) -> Engine:
    """Put an engine together around a handle."""
    reader = text_tokenizer(kind)
    return Engine(info(), reader, handle, head="token")


def request(
    *texts: str, stride: int | None = 2, strategy: AggregationStrategy = "simple"
) -> TokenClassification:
    """Ask for every entity of these texts."""
    return TokenClassification(texts, strategy, frozenset({"O"}), stride)


def by_item(findings: Sequence[Found | Failed], items: int) -> list[list[Entity]]:
    """Group the findings by input, in the order in which they came."""
    gathered: list[list[Entity]] = [[] for _ in range(items)]
    for one in findings:
        assert isinstance(one, Found)
        assert one.entities
        gathered[one.item].extend(one.entities)
    return gathered


LONG = "good film Paris the film good the New York Paris good good film the Paris film " * 2
WORDS = st.lists(
    st.sampled_from(["good", "film", "Paris,", "the", "🙂", "cafe\u0301", "很", "  ", "New-York"]),
    max_size=40,
)


@pytest.mark.parametrize("kind", KINDS)
@given(
    texts=st.lists(WORDS.map(" ".join), min_size=1, max_size=3),
    strategy=st.sampled_from(("none", "simple", "first", "average", "max")),
    stride=st.integers(0, 5),
    data=st.data(),
)
@settings(max_examples=40, deadline=None)  # the first example makes a tokenizer
def test_a_stream_tells_what_a_plain_answer_holds(
    kind: str, texts: list[str], strategy: AggregationStrategy, stride: int, data: st.DataObject
) -> None:
    """A stream has the entities of the plain answer, in any order of the windows."""
    asked = request(*texts, strategy=strategy, stride=None if strategy == "none" else stride)

    async def scenario() -> tuple[list[Found | Failed], list[list[Entity]]]:
        handle = Held()
        stream = await engine_on(handle, kind).stream(asked)
        count = len(handle.submissions[-1].tickets)
        handle.answer(*data.draw(st.permutations(range(count))))
        findings = [one async for one in stream]
        reply = await engine_on(Held(prompt=True), kind).answer(asked)
        assert [one.tokens for one in stream.inputs] == [one.tokens for one in reply.results()]
        return findings, [list(one.found) for one in reply.results()]

    findings, plain = asyncio.run(scenario())
    assert by_item(findings, len(texts)) == plain


async def next_of(stream: AsyncIterator[Found | Failed]) -> Found | Failed:
    """Take the next finding, or fail rather than hang."""
    return await asyncio.wait_for(anext(stream), PATIENCE_S)


def test_what_is_certain_is_told_before_the_last_window_has_run() -> None:
    """Entities of the first window are sent before the other windows are answered."""

    async def scenario() -> None:
        handle = Held()
        stream = await engine_on(handle).stream(request(LONG))
        assert len(handle.submissions[0].tickets) > 2
        handle.answer(0)
        first = await next_of(stream)
        assert isinstance(first, Found)
        assert first.item == 0
        assert all(ticket.answer is None for ticket in handle.submissions[0].tickets[1:])

    asyncio.run(scenario())


def test_one_inputs_failure_is_told_once_and_the_others_go_on() -> None:
    """A failed input has one error and no further finding; the other inputs go on."""

    async def scenario() -> None:
        handle = Held()
        stream = await engine_on(handle).stream(request(LONG, "good film Paris"))
        last = len(handle.submissions[0].tickets) - 1
        error = NonFiniteScore("broken")
        handle.answer(1, 2, error=error)
        handle.answer(*range(last + 1))
        findings = [one async for one in stream]
        assert [one for one in findings if isinstance(one, Failed)] == [Failed(0, error)]
        assert {one.item for one in findings} == {0, 1}

    asyncio.run(scenario())


def test_at_the_deadline_every_open_input_fails() -> None:
    """At the deadline open inputs fail, also when the run hangs; earlier entities stay."""

    async def scenario() -> None:
        handle = Held()
        asked = request(LONG, "good film", "Paris")
        stream = await engine_on(handle).stream(asked, deadline_s=time.monotonic() + 0.05)
        handle.answer(0)
        findings = [one async for one in stream]
        failed = [one for one in findings if isinstance(one, Failed)]
        assert [one.item for one in failed] == [0, 1, 2]
        assert all(isinstance(one.error, DeadlineExceeded) for one in failed)
        assert len(findings) > len(failed)

    asyncio.run(scenario())


def test_what_was_answered_in_time_is_told_though_it_is_read_late() -> None:
    """Findings in time are kept for a caller that reads them after the deadline."""

    async def scenario() -> None:
        handle = Held()
        stream = await engine_on(handle).stream(request("Paris", "good"), deadline_s=0.0)
        handle.answer(0, 1)
        assert not [one async for one in stream if isinstance(one, Failed)]

    asyncio.run(scenario())


def test_a_long_text_is_encoded_beside_the_event_loop_and_what_is_cut_is_known_at_once() -> None:
    """The cut of a long text is known before any window has run."""

    async def scenario() -> None:
        text = "good " * INLINE_CHARACTERS
        stream = await engine_on(Held()).stream(request(text, stride=None))
        [read] = stream.inputs
        assert (read.tokens, read.truncated_tokens) == (WIDTH, INLINE_CHARACTERS + 2 - WIDTH)
        assert stream.tokenize_s > 0

    asyncio.run(scenario())


@pytest.mark.parametrize("steps", range(5))
def test_a_caller_who_leaves_as_a_window_is_done_is_let_go(steps: int) -> None:
    """A cancellation at the moment when a window is answered is not lost."""

    async def scenario() -> None:
        handle = Held()
        deadline_s = time.monotonic() + PATIENCE_S
        stream = await engine_on(handle).stream(request(LONG), deadline_s=deadline_s)
        reading = asyncio.create_task(stream.__anext__())
        for _ in range(3):
            await asyncio.sleep(0)
        handle.answer(0)
        for _ in range(steps):
            await asyncio.sleep(0)
        if reading.cancel():
            with pytest.raises(asyncio.CancelledError):
                await reading

    asyncio.run(scenario())


def test_a_loop_that_has_closed_is_not_woken() -> None:
    """After its event loop has closed, a ticket can be answered without an error."""
    handle = Held()

    async def leave() -> EntityStream:
        return await engine_on(handle).stream(request("good"))

    asyncio.run(leave())
    handle.answer(0)
    assert handle.submissions[0].tickets[0].settled


@pytest.fixture
def model() -> Iterator["Model"]:
    """Make a held model."""
    made = Model()
    yield made
    made.go.set()


class Model:
    """Labels tokens once it is released, and remembers the batches."""

    def __init__(self) -> None:
        """Start held."""
        self.started, self.go = threading.Event(), threading.Event()
        self.ran: list[Encoding] = []

    def __call__(self, encodings: Sequence[Encoding]) -> BatchRun:
        """Answer a batch."""
        self.started.set()
        assert self.go.wait(PATIENCE_S)
        self.ran.extend(encodings)
        return BatchRun([logits(one) for one in encodings], sum(map(len, encodings)))


@pytest.fixture
def make(model: Model) -> Iterator[Callable[..., Engine]]:
    """Make engines with a queue and a thread, one window a batch."""
    engines: list[Engine] = []

    def engine(*, max_waiting_tokens: int = 10_000) -> Engine:
        queue = TicketQueue(BatchLimits(WIDTH, WIDTH), max_waiting_tokens)
        tally = Tally("tests/labeller")
        worker = Worker(queue, model, tally)
        canary = Encoding((0,), (0,))
        made = engine_on(ThreadHandle(worker, tally, canary=canary, stall_after_s=60.0))
        engines.append(made)
        return made

    yield engine
    model.go.set()
    for one in engines:
        one.close()


def test_a_stream_that_is_closed_takes_its_windows_along(
    make: Callable[..., Engine], model: Model
) -> None:
    """After a stream is closed only the window that was running has run."""
    engine = make()

    async def leave() -> None:
        with closing(await engine.stream(request(LONG))):
            assert await asyncio.to_thread(model.started.wait, PATIENCE_S)
        model.go.set()
        await engine.answer(request("Paris"))

    asyncio.run(leave())
    assert len(model.ran) == 2


def test_every_window_is_told_from_the_workers_thread(
    make: Callable[..., Engine], model: Model
) -> None:
    """Through the real queue and thread, every window's entities arrive."""
    model.go.set()
    engine = make()

    async def scenario() -> None:
        with closing(await engine.stream(request(LONG, "Paris"))) as stream:
            findings = [one async for one in stream]
        reply = await engine.answer(request(LONG, "Paris"))
        assert by_item(findings, 2) == [list(one.found) for one in reply.results()]
        assert len(findings) > 3

    asyncio.run(scenario())


def test_a_full_queue_refuses_a_stream_before_it_begins(
    make: Callable[..., Engine], model: Model
) -> None:
    """A full queue refuses a stream when it is opened."""
    engine = make(max_waiting_tokens=12)

    async def scenario() -> None:
        await engine.stream(request("good"))
        assert await asyncio.to_thread(model.started.wait, PATIENCE_S)
        await engine.stream(request("good film the"))
        with pytest.raises(QueueFull):
            await engine.stream(request(LONG))

    asyncio.run(scenario())
