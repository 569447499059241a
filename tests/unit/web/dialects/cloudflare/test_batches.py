"""A batch is patient: nobody waits for it."""

import asyncio
import time
from dataclasses import dataclass, field

import msgspec
import pytest
from support.fake_engine import FakeEngine

from earmark.errors import EngineError, InvalidInput, QueueFull
from earmark.serving.jobs.job import Job
from earmark.serving.jobs.runner import JobRunner
from earmark.serving.jobs.store import MemoryJobs
from earmark.web.dialects.cloudflare.batches import Answered, Batches, Response
from earmark.web.dialects.cloudflare.errors import api_error
from earmark.web.exchange import Carried


@dataclass
class Model:
    """Is busy for so many questions, then answers."""

    busy: int
    pauses_s: list[float] = field(default_factory=list)

    async def ask(self, _: str, body: bytes) -> Carried:
        """Answer the length of a body, once it is not busy."""
        if self.busy:
            self.busy -= 1
            raise QueueFull("busy", retry_after_s=10.0 * (len(self.pauses_s) + 1))
        return Carried(len(body), {"x-compute-tokens": "5"}, FakeEngine().info)

    async def sleep(self, pause_s: float) -> None:
        """Take no time, but remember."""
        self.pauses_s.append(pause_s)


def batches(model: Model, store: MemoryJobs | None = None) -> Batches:
    """Put a model behind batches."""
    jobs = JobRunner(store or MemoryJobs())
    return Batches(jobs, model.ask, api_error, sleep=model.sleep)


def carry_out(model: Model, question: bytes) -> Answered[Response[object]]:
    """Answer a batch."""

    async def scenario() -> bytes:
        return await batches(model).carry_out(
            Job(job_id="1", model="m", state="running", question=question)
        )

    return msgspec.json.decode(asyncio.run(scenario()), type=Answered[Response[object]])


def test_a_busy_server_is_asked_again() -> None:
    """After as long as it says, but no longer than half a minute."""
    model = Model(busy=4)
    answered = carry_out(model, b'{"requests": [{}]}')
    assert answered.responses[0].success
    assert model.pauses_s == [10.0, 20.0, 30.0, 30.0]


def test_a_server_that_stays_busy_is_told_for_that_input() -> None:
    """In the end the caller is answered all the same."""
    model = Model(busy=20)
    (response,) = carry_out(model, b'{"requests": [{}]}').responses
    assert not response.success
    assert response.errors[0].code == 3040
    assert len(model.pauses_s) == 19


def test_tokens_of_all_inputs_add_up() -> None:
    """In Cloudflare's words."""
    answered = carry_out(Model(busy=0), b'{"requests": [{}, {"a": 1}]}')
    assert (answered.usage.prompt_tokens, answered.usage.total_tokens) == (10, 10)


def test_a_batch_that_failed_is_our_fault() -> None:
    """Its caller learns so when he polls."""

    async def scenario() -> None:
        store = MemoryJobs()
        some = batches(Model(busy=0), store)
        queued = await some.submit("m", b'{"requests": [{}]}')
        store.finish(queued.request_id, None, now_s=time.time())
        with pytest.raises(EngineError, match="failed; the server's log says why"):
            await some.poll("m", queued.request_id)
        with pytest.raises(InvalidInput, match="answers are kept for 24 hours"):
            await some.poll("m", "another")

    asyncio.run(scenario())
