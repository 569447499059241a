"""The runner carries jobs out in order; each gets one answer, whatever happens to another."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import pytest
from structlog.testing import capture_logs

from earmark.errors import QueueFull, StateUnavailable
from earmark.serving.jobs.job import Job
from earmark.serving.jobs.runner import JobOptions, JobRunner, Progress
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

    async def __call__(self, job: Job, progress: Progress) -> bytes:  # noqa: ARG002 - has one part
        """Wait for the gate, then answer, or fail for the question that is ``fail``."""
        self.entered.set()
        await self.gate.wait()
        self.done.append(job.job_id)
        if job.question == b"fail":
            raise RuntimeError("as the test wants it")
        return job.question[::-1]


@dataclass
class Clock:
    """A clock that the test sets."""

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
    """Jobs are answered in the order in which they came, and have their state before that."""

    async def scenario() -> None:
        runner, hand = JobRunner(MemoryJobs()), Hand()
        first = await runner.submit("k", "m", b"ab")
        second = await runner.submit("k", "m", b"cd")
        async with runner.running({"k": hand}):
            await hand.entered.wait()
            assert await runner.find(first.job_id) == replace(first, state="running")
            assert await runner.find(second.job_id) == second
            hand.gate.set()
            assert (await answered(runner, first)).answer == b"ba"
            assert (await answered(runner, second)).answer == b"dc"
            third = await runner.submit("k", "m", b"ef")
            assert (await answered(runner, third)).answer == b"fe"
        assert hand.done == [first.job_id, second.job_id, third.job_id]

    run(scenario)


def test_a_job_that_fails_holds_up_no_other() -> None:
    """A job that raises is marked as failed, and the next one is answered."""

    async def scenario() -> None:
        runner, hand = JobRunner(MemoryJobs()), Hand()
        hand.gate.set()
        bad = await runner.submit("k", "m", b"fail")
        good = await runner.submit("k", "m", b"ab")
        async with runner.running({"k": hand}):
            assert (await answered(runner, bad)).state == "failed"
            assert (await answered(runner, good)).answer == b"ba"

    run(scenario)


def test_a_job_under_way_when_the_server_stops_is_carried_out_by_the_next(tmp_path: Path) -> None:
    """The next run of the server carries out a job that was under way when it stopped."""

    async def first_run() -> str:
        store = SqliteJobs(tmp_path / "state.sqlite")
        runner, hand = JobRunner(store), Hand()
        async with runner.running({"k": hand}):
            job = await runner.submit("k", "m", b"ab")
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
        async with runner.running({"k": hand}):
            found = await answered(runner, waiting)
        store.close()
        return found.answer

    job_id = run(first_run)
    assert run(second_run) == b"ba"


def test_an_answer_expires_after_the_time_that_is_set() -> None:
    """An answer kept for half an hour is gone after 1,800 seconds."""

    async def scenario() -> None:
        clock = Clock()
        runner = JobRunner(MemoryJobs(), JobOptions(keep_answers_h=0.5), clock=clock)
        hand = Hand()
        hand.gate.set()
        async with runner.running({"k": hand}):
            job = await answered(runner, await runner.submit("k", "m", b"ab"))
        clock.now_s += 1800.0
        assert await runner.find(job.job_id) == job
        clock.now_s += 0.1
        assert await runner.find(job.job_id) is None

    run(scenario)


def test_more_jobs_than_may_wait_are_refused_until_some_are_done() -> None:
    """A job beyond the limit is refused with the limit and a time to try again."""

    async def scenario() -> None:
        runner, hand = JobRunner(MemoryJobs(), JobOptions(max_waiting=1)), Hand()
        hand.gate.set()
        job = await runner.submit("k", "m", b"ab")
        with pytest.raises(QueueFull, match="1 batches wait, of 1 at most") as refused:
            await runner.submit("k", "m", b"cd")
        assert refused.value.retry_after_s > 0
        async with runner.running({"k": hand}):
            await answered(runner, job)
            await runner.submit("k", "m", b"cd")

    run(scenario)


class BrokenJobs(MemoryJobs):
    """A store whose disk is full for a number of tries of each method that writes."""

    def __init__(self, *, tries: int) -> None:
        """Set how often each method fails."""
        super().__init__()
        self._left = dict.fromkeys(("start", "advance", "finish"), tries)

    def start(self, kinds: Collection[str]) -> Job | None:
        """Fail for a while."""
        self._fail("start")
        return super().start(kinds)

    def advance(self, job_id: str, part: bytes, *, done: int) -> None:
        """Fail for a while."""
        self._fail("advance")
        super().advance(job_id, part, done=done)

    def finish(self, job_id: str, answer: bytes | None, *, now_s: float) -> None:
        """Fail for a while."""
        self._fail("finish")
        super().finish(job_id, answer, now_s=now_s)

    def _fail(self, method: str) -> None:
        if self._left[method]:
            self._left[method] -= 1
            raise StateUnavailable("the disk is full")


def test_a_store_that_fails_is_tried_again_until_it_works() -> None:
    """Nothing is computed twice, no job fails or is forgotten, and the pauses grow."""
    pauses: list[float] = []
    carried: list[str] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    async def carry_out(job: Job, progress: Progress) -> bytes:
        carried.append(job.job_id)
        await progress.keep(job.question, done=1)
        return b"".join(await progress.parts())

    async def scenario() -> None:
        runner = JobRunner(BrokenJobs(tries=7), sleep=sleep)
        async with runner.running({"k": carry_out}):
            first = await runner.submit("k", "m", b"ab")
            second = await runner.submit("k", "m", b"cd")
            assert (await answered(runner, first)).answer == b"ab"
            assert (await answered(runner, second)).answer == b"cd"
        assert carried == [first.job_id, second.job_id]

    with capture_logs() as lines:
        run(scenario)
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] * 3
    waits = "batches wait: what is kept cannot be used"
    assert [line["event"] for line in lines] == [waits, "batches go on"] * 3


def test_a_job_of_several_parts_goes_on_where_it_was(tmp_path: Path) -> None:
    """After a restart, kept parts are not computed again, and stand in order in the answer."""
    asked: list[str] = []

    async def carry_out(job: Job, progress: Progress) -> bytes:
        for place in range(job.done, job.total):
            asked.append(job.question[place : place + 1].decode())
            if asked == ["a", "b", "c"]:
                stopped.set()
                await asyncio.Event().wait()
            await progress.keep(job.question[place : place + 1].upper(), done=place + 1)
        return b"".join(await progress.parts())

    async def first_run() -> Job:
        store = SqliteJobs(tmp_path / "state.sqlite")
        runner = JobRunner(store)
        async with runner.running({"k": carry_out}):
            job = await runner.submit("k", "m", b"abcd", total=4)
            await stopped.wait()
            found = await runner.find(job.job_id)
        store.close()
        assert found is not None
        return found

    async def second_run() -> Job:
        store = SqliteJobs(tmp_path / "state.sqlite")
        runner = JobRunner(store)
        async with runner.running({"k": carry_out}):
            found = await answered(runner, job)
        store.close()
        return found

    stopped = asyncio.Event()
    job = run(first_run)
    assert (job.state, job.done, job.total) == ("running", 2, 4)
    assert run(second_run).answer == b"ABCD"
    assert asked == ["a", "b", "c", "c", "d"]


def test_a_job_of_another_kind_waits() -> None:
    """A job of a kind that nothing carries out waits, and does not hold up the jobs behind it."""

    async def scenario() -> None:
        runner, hand = JobRunner(MemoryJobs()), Hand()
        hand.gate.set()
        other = await runner.submit("another", "m", b"xy")
        mine = await runner.submit("k", "m", b"ab")
        async with runner.running({"k": hand}):
            assert (await answered(runner, mine)).answer == b"ba"
        assert await runner.find(other.job_id) == other

    run(scenario)
