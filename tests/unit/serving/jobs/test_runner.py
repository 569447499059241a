"""Jobs are carried out in order, one answer each, whatever happens to one of them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import pytest

from earmark.errors import QueueFull, StateUnavailable
from earmark.serving.jobs.job import Job
from earmark.serving.jobs.runner import JobOptions, JobRunner
from earmark.serving.jobs.store import MemoryJobs, SqliteJobs

T = TypeVar("T")

_PATIENCE_S = 10.0


def run(scenario: Callable[[], Awaitable[T]]) -> T:
    """Run a scenario; a hang has to fail."""

    async def bounded() -> T:
        return await asyncio.wait_for(scenario(), _PATIENCE_S)

    return asyncio.run(bounded())


@dataclass
class Hand:
    """Carries jobs out: remembers them, and answers each by its question, reversed."""

    done: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, job: Job) -> bytes:
        """Wait for the gate, then answer, or fail for the question that is ``fail``."""
        self.entered.set()
        await self.gate.wait()
        self.done.append(job.job_id)
        if job.question == b"fail":
            raise RuntimeError("as the test wants it")
        return job.question[::-1]


@dataclass
class Clock:
    """Stands still until it is told."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s


async def answered(runner: JobRunner, job: Job) -> Job:
    """Wait until a job is finished."""
    while True:
        found = await runner.find(job.job_id)
        assert found is not None
        if found.state in ("finished", "failed"):
            return found
        await asyncio.sleep(0)


def test_jobs_are_answered_in_the_order_in_which_they_came() -> None:
    """Before that, they are told of as what they are."""

    async def scenario() -> None:
        runner, hand = JobRunner(MemoryJobs()), Hand()
        first = await runner.submit("m", b"ab")
        second = await runner.submit("m", b"cd")
        async with runner.running(hand):
            await hand.entered.wait()
            assert await runner.find(first.job_id) == replace(first, state="running")
            assert await runner.find(second.job_id) == second
            hand.gate.set()
            assert (await answered(runner, first)).answer == b"ba"
            assert (await answered(runner, second)).answer == b"dc"
            third = await runner.submit("m", b"ef")
            assert (await answered(runner, third)).answer == b"fe"
        assert hand.done == [first.job_id, second.job_id, third.job_id]

    run(scenario)


def test_a_job_that_fails_holds_up_no_other() -> None:
    """It is told to have failed."""

    async def scenario() -> None:
        runner, hand = JobRunner(MemoryJobs()), Hand()
        hand.gate.set()
        bad = await runner.submit("m", b"fail")
        good = await runner.submit("m", b"ab")
        async with runner.running(hand):
            assert (await answered(runner, bad)).state == "failed"
            assert (await answered(runner, good)).answer == b"ba"

    run(scenario)


def test_a_job_under_way_when_the_server_stops_is_carried_out_by_the_next(tmp_path: Path) -> None:
    """Nothing that was accepted is lost."""

    async def first_run() -> str:
        store = SqliteJobs(tmp_path / "state.sqlite")
        runner, hand = JobRunner(store), Hand()
        async with runner.running(hand):
            job = await runner.submit("m", b"ab")
            await hand.entered.wait()
        store.close()
        return job.job_id

    async def second_run() -> bytes:
        store = SqliteJobs(tmp_path / "state.sqlite")
        runner, hand = JobRunner(store), Hand()
        hand.gate.set()
        waiting = await runner.find(job_id)
        assert waiting is not None
        assert waiting.state == "queued"
        async with runner.running(hand):
            found = await answered(runner, waiting)
        store.close()
        return found.answer

    job_id = run(first_run)
    assert run(second_run) == b"ba"


def test_an_answer_expires_after_the_time_that_is_set() -> None:
    """Half an hour is 1,800 seconds."""

    async def scenario() -> None:
        clock = Clock()
        runner = JobRunner(MemoryJobs(), JobOptions(keep_answers_h=0.5), clock=clock)
        hand = Hand()
        hand.gate.set()
        async with runner.running(hand):
            job = await answered(runner, await runner.submit("m", b"ab"))
        clock.now_s += 1800.0
        assert await runner.find(job.job_id) == job
        clock.now_s += 0.1
        assert await runner.find(job.job_id) is None

    run(scenario)


def test_more_jobs_than_may_wait_are_refused_until_some_are_done() -> None:
    """The message names the limit, and when to try again."""

    async def scenario() -> None:
        runner, hand = JobRunner(MemoryJobs(), JobOptions(max_waiting=1)), Hand()
        hand.gate.set()
        job = await runner.submit("m", b"ab")
        with pytest.raises(QueueFull, match="1 batches wait, of 1 at most") as refused:
            await runner.submit("m", b"cd")
        assert refused.value.retry_after_s > 0
        async with runner.running(hand):
            await answered(runner, job)
            await runner.submit("m", b"cd")

    run(scenario)


class BrokenJobs(MemoryJobs):
    """A store whose disk is full, then is not."""

    def __init__(self) -> None:
        """Start broken."""
        super().__init__()
        self.broken = True

    def start(self) -> Job | None:
        """Fail as long as it is broken."""
        if self.broken:
            raise StateUnavailable("the disk is full")
        return super().start()

    def finish(self, job_id: str, answer: bytes | None, *, now_s: float) -> None:
        """Fail for the question that the test names."""
        if answer == b"lost":
            raise StateUnavailable("the disk is full")
        super().finish(job_id, answer, now_s=now_s)


def test_a_store_that_fails_stops_nothing_else() -> None:
    """The next job tries again."""

    async def scenario() -> None:
        store, hand = BrokenJobs(), Hand()
        runner = JobRunner(store)
        hand.gate.set()
        async with runner.running(hand):
            first = await runner.submit("m", b"tsol")
            store.broken = False
            second = await runner.submit("m", b"ab")
            assert (await answered(runner, second)).answer == b"ba"
        assert hand.done == [first.job_id, second.job_id]

    run(scenario)
