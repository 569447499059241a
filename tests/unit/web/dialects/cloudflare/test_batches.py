"""A batch repeats inputs that find the server busy, until each has an answer."""

import asyncio
import time
from typing import TypeVar

import msgspec
import pytest
from support.fake_engine import FakeEngine

from earmark.engine.reply import Reply
from earmark.errors import EngineError, InvalidInput, QueueFull
from earmark.models.registry import Registry
from earmark.serving.jobs.job import Job
from earmark.serving.jobs.runner import Insistence, JobRunner, Progress
from earmark.serving.jobs.store import JobStore, MemoryJobs
from earmark.serving.limits import ServiceOptions
from earmark.serving.service import Service
from earmark.tasks.task import TaskRequest
from earmark.web.dialects.cloudflare.batches import KIND, Answered, Batches, Response
from earmark.web.dialects.cloudflare.errors import api_error

Result = TypeVar("Result")


class Busy(FakeEngine):
    """A model that is busy for some requests, then answers; remembers the texts of each request."""

    def __init__(self, busy: int = 0) -> None:
        """Be busy for this many requests."""
        super().__init__()
        self.busy = busy
        self.pauses_s: list[float] = []
        self.together: list[int] = []

    async def answer(
        self, request: TaskRequest[Result], *, deadline_s: float | None = None
    ) -> Reply[Result]:
        """Answer, once it is not busy."""
        if self.busy:
            self.busy -= 1
            raise QueueFull("busy", retry_after_s=10.0 * (len(self.pauses_s) + 1))
        self.together.append(request.items)
        return await super().answer(request, deadline_s=deadline_s)

    async def sleep(self, pause_s: float) -> None:
        """Remember the wait, and return at once."""
        self.pauses_s.append(pause_s)


def batches(engine: Busy, store: JobStore | None = None) -> Batches:
    """Put a model behind batches."""
    service = Service(Registry([engine]), ServiceOptions(cache_bytes=0))
    jobs = JobRunner(store or MemoryJobs())
    return Batches(jobs, lambda _: service.open(None), api_error, sleep=engine.sleep)


def asking(*texts: str) -> bytes:
    """Encode a batch."""
    return msgspec.json.encode({"requests": [{"text": text} for text in texts]})


def carry_out(engine: Busy, question: bytes, *, done: int = 0) -> Answered[Response[object]]:
    """Answer a batch."""

    async def scenario() -> bytes:
        store = MemoryJobs()
        job = Job(job_id="1", kind=KIND, model="m", state="running", question=question, done=done)
        store.add(job, now_s=0.0)
        return await batches(engine, store).carry_out(
            job, Progress(store, job, Insistence(asyncio.sleep))
        )

    return msgspec.json.decode(asyncio.run(scenario()), type=Answered[Response[object]])


def test_a_busy_server_is_asked_again() -> None:
    """An input that finds the server busy is sent again after the suggested wait, at most 30 s."""
    model = Busy(4)
    answered = carry_out(model, asking("a"))
    assert answered.responses[0].success
    assert model.pauses_s == [10.0, 20.0, 30.0, 30.0]


def test_a_server_that_stays_busy_is_told_for_that_input() -> None:
    """An input for which the server stays busy has that error in the end."""
    model = Busy(20)
    (response,) = carry_out(model, asking("a")).responses
    assert not response.success
    assert response.errors[0].code == 3040
    assert len(model.pauses_s) == 19


def test_tokens_of_all_inputs_add_up() -> None:
    """A batch's usage is the sum of its inputs' tokens, two special ones for each text."""
    answered = carry_out(Busy(), asking("a", "b c"))
    assert (answered.usage.prompt_tokens, answered.usage.total_tokens) == (7, 7)


def test_texts_share_batches() -> None:
    """Texts reach the model 256 at a time, in order, also where one input is malformed."""
    engine = Busy()
    texts = [f"text {number}" for number in range(300)]
    texts[10] = ""
    answered = carry_out(engine, asking(*texts))
    assert engine.together == [255, 44]
    assert [one.id for one in answered.responses] == list(range(300))
    assert [one.id for one in answered.responses if not one.success] == [10]
    alone = carry_out(Busy(), asking("text 299")).responses[0]
    assert answered.responses[299].result == alone.result


def test_a_batch_goes_on_behind_what_is_answered() -> None:
    """After a restart behind 256 answered inputs, only the rest are sent to the model."""
    engine = Busy()
    answered = carry_out(engine, asking(*("a",) * 300), done=256)
    assert engine.together == [44]
    assert [one.id for one in answered.responses] == list(range(256, 300))


def test_too_many_inputs_are_refused() -> None:
    """A batch with too many inputs is refused before it is kept; the error has the limit."""
    some = batches(Busy())
    with pytest.raises(InvalidInput, match="holds 50,001 requests, at most 50,000 are taken"):
        asyncio.run(some.submit("m", asking(*("a",) * 50_001)))


def test_a_batch_that_failed_is_our_fault() -> None:
    """Polling a batch that failed as a whole raises an error of the server."""

    async def scenario() -> None:
        store = MemoryJobs()
        some = batches(Busy(), store)
        queued = await some.submit("m", asking("a"))
        store.finish(queued.request_id, None, now_s=time.time())
        with pytest.raises(EngineError, match="failed; the server's log says why"):
            await some.poll("m", queued.request_id)
        with pytest.raises(InvalidInput, match="answers are kept for 24 hours"):
            await some.poll("m", "another")

    asyncio.run(scenario())
