"""Carries jobs out, one after the other, as long as the server lives."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Annotated, TypeAlias, TypeVar

import structlog
from msgspec import Meta

from earmark.domain.setting import Setting
from earmark.errors import QueueFull, StateUnavailable
from earmark.serving.jobs.job import Job
from earmark.serving.jobs.store import JobStore
from earmark.serving.service import STOPS

T = TypeVar("T")

CarryOut: TypeAlias = "Callable[[Job, Progress], Awaitable[bytes]]"
"""Answers a question; an error that the caller caused is a part of the answer."""

_BUSY_RETRY_S = 10.0

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
"""Between two tries while the store cannot be used; each pause is twice as long as the last."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.serving")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """How long answers are kept, and how many jobs may wait.

    Attributes:
        keep_answers_h: a day by default.
        max_waiting: more jobs that are not finished are refused.
    """

    keep_answers_h: Annotated[
        float,
        Meta(gt=0, le=24 * 365),
        Setting("Hours for which the answer to an asynchronous batch can be had."),
    ] = 24.0
    max_waiting: int = 1024


@dataclass(frozen=True, slots=True)
class Insistence:
    """Uses a store again and again until it can be used: a disk that is full gets room again.

    Attributes:
        sleep: waits so many seconds.
    """

    sleep: Callable[[float], Awaitable[None]]

    async def __call__(self, work: Callable[[], T]) -> T:
        """Do some work with a store in another thread, and return what it returns."""
        pause_s = 0.0
        while True:
            try:
                done = await asyncio.to_thread(work)
            except StateUnavailable as error:
                if not pause_s:
                    _log.error("batches wait: what is kept cannot be used", error=str(error))
                pause_s = min(max(_FIRST_PAUSE_S, 2 * pause_s), _LONGEST_PAUSE_S)
                await self.sleep(pause_s)
            else:
                if pause_s:
                    _log.info("batches go on")
                return done


class Progress:
    """How far a job is, kept step by step, so that another run of the server goes on from there.

    Where the store cannot be used, each method waits until it can.
    """

    def __init__(self, store: JobStore, job: Job, insist: Insistence) -> None:
        """Continue a job where it stopped."""
        self._store, self._job_id, self._insist = store, job.job_id, insist

    async def keep(self, part: bytes, *, done: int) -> None:
        """Keep the next part of the answer.

        Args:
            part: in the form of the job's kind.
            done: parts of the question that are answered with it.
        """
        await self._insist(partial(self._store.advance, self._job_id, part, done=done))

    async def parts(self) -> list[bytes]:
        """Return the parts of the answer that are kept, in order."""
        return await self._insist(partial(self._store.parts, self._job_id))


class JobRunner:
    """Takes jobs, and answers them in order while `running`."""

    def __init__(
        self,
        store: JobStore,
        options: JobOptions | None = None,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Make a runner of the jobs in a store.

        Args:
            store: where jobs are kept.
            options: the defaults when None.
            clock: seconds since some moment that all runs of the server share.
            sleep: waits between two tries of a store that cannot be used.
        """
        self._store, self._options = store, options or JobOptions()
        self._clock, self._insist = clock, Insistence(sleep)
        self._new = asyncio.Event()

    @property
    def options(self) -> JobOptions:
        """How long answers are kept, and how many jobs may wait."""
        return self._options

    async def submit(self, kind: str, model: str, question: bytes, *, total: int = 1) -> Job:
        """Keep a question to be answered later.

        Args:
            kind: of the question; `running` is given what carries out questions of this kind.
            model: by the name that the caller used.
            question: in the form of its kind.
            total: how many parts it has.

        Raises:
            QueueFull: too many jobs wait.
            StateUnavailable: it cannot be kept.
        """
        job = Job(
            job_id=str(uuid.uuid4()),
            kind=kind,
            model=model,
            state="queued",
            question=question,
            total=total,
        )
        await asyncio.to_thread(self._keep, job)
        self._new.set()
        return job

    async def find(self, job_id: str) -> Job | None:
        """Return a job; None where there is none of that id, or its answer has expired.

        Raises:
            StateUnavailable: the store cannot be read.
        """
        return await asyncio.to_thread(self._store.find, job_id, since_s=self._since_s())

    @asynccontextmanager
    async def running(self, kinds: Mapping[str, CarryOut]) -> AsyncIterator[None]:
        """Carry jobs out until the block ends, those of an earlier run of the server first.

        The next run of the server continues a job that is under way at the end.

        Args:
            kinds: what carries jobs of each kind out; jobs of other kinds wait.
        """
        task = asyncio.create_task(self._loop(kinds))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _loop(self, kinds: Mapping[str, CarryOut]) -> None:
        while True:
            self._new.clear()
            while job := await self._insist(partial(self._store.start, kinds)):
                await self._carry_out(job, kinds[job.kind])
            await self._new.wait()

    async def _carry_out(self, job: Job, carry_out: CarryOut) -> None:
        answer: bytes | None = None
        try:
            answer = await carry_out(job, Progress(self._store, job, self._insist))
        except STOPS:
            raise
        except BaseException as error:  # noqa: BLE001 - the other jobs wait
            _log.error("job failed", job=job.job_id, exc_info=error)
        finish = partial(self._store.finish, job.job_id, answer, now_s=self._clock())
        await self._insist(finish)

    def _keep(self, job: Job) -> None:
        unfinished = self._store.tidy(since_s=self._since_s())
        if unfinished >= self._options.max_waiting:
            raise QueueFull(
                f"{unfinished:,} batches wait, of {self._options.max_waiting:,} at most",
                retry_after_s=_BUSY_RETRY_S,
            )
        self._store.add(job, now_s=self._clock())

    def _since_s(self) -> float:
        return self._clock() - self._options.keep_answers_h * 3600
