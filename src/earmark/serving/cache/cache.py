"""Answers requests text by text: what is known from the store, the rest from the engine.

Of one text only one run is in progress. A request that asks for it meanwhile joins: it gets the
result, or the text's own error, as if it had run the text itself. What concerns only the run's
starter is not passed on: where the run failed as a whole, or came too late for its starter, whoever
joined has the text run himself.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeAlias, TypeVar, cast

from earmark.batching.queue import too_late
from earmark.engine.beside import INLINE_BYTES, beside
from earmark.engine.reply import Reply
from earmark.errors import CapacityError, EarmarkError
from earmark.models.engines import ServedEngine
from earmark.serving.cache.asked import Asked, Outcome
from earmark.serving.cache.flights import Flight, Flights, Run
from earmark.serving.cache.keys import item_keys
from earmark.serving.cache.results import ResultStore
from earmark.serving.cache.use import CacheState, CacheUse
from earmark.serving.cache.values import read_result, write_result
from earmark.tasks.task import TaskRequest

__all__ = ["Admit", "ResultCache"]

Result = TypeVar("Result")

Admit: TypeAlias = Callable[[int], AbstractContextManager[None]]
"""Takes a permit for so many texts, or raises `QueueFull`."""

_MOST_JOINS = 2
"""No more often than this does a request join other runs of a text before it has the text run
itself. With one, all who had joined a run that came too late would run the same text side by side;
without a limit they might fail one after the other, each waking all who are left."""

_MS_PER_S = 1000.0

INLINE_RESULTS = 64
"""Up to so many results are written in the event loop's own thread."""


class ResultCache:
    """Stands between requests and engines. For one event loop."""

    def __init__(self, store: ResultStore, *, clock: Callable[[], float]) -> None:
        """Start with what the store knows.

        Args:
            store: where results are kept.
            clock: seconds; deadlines are on the same clock.
        """
        self._store, self._clock = store, clock
        self._flights = Flights()
        self._hits: Counter[str] = Counter()
        self._joined: Counter[str] = Counter()
        self._misses: Counter[str] = Counter()

    def state(self, model_id: str) -> CacheState:
        """Tell what the cache did for a model."""
        return CacheState(
            hits=self._hits[model_id],
            joined=self._joined[model_id],
            misses=self._misses[model_id],
            store=self._store.state(),
        )

    async def answer(
        self,
        engine: ServedEngine,
        request: TaskRequest[Result],
        *,
        deadline_s: float,
        admit: Admit,
    ) -> tuple[Reply[Result], CacheUse]:
        """Answer a request, running no text that is known or is being run.

        What has to be run takes a permit for so many texts, for as long as it runs. A request that
        only waits for runs of others takes one for no text, and one whose texts are all known
        takes none: it costs less than to refuse it.

        Args:
            engine: runs what is not known.
            request: at least one input.
            deadline_s: when the caller stops waiting.
            admit: takes permits.

        Raises:
            CapacityError: what has to be run was not taken.
            EarmarkError: the engine failed the request's own run as a whole.
        """
        started_s = self._clock()
        asked = Asked(item_keys(engine.info, request))
        rounds = 0
        while unknown := await self._unknown(request, asked):
            joined = self._joinable(unknown) if rounds < _MOST_JOINS else {}
            own_keys = [key for key in unknown if key not in joined]
            own: Flight | None = None
            if own_keys:
                part = _part(request, asked.inputs(own_keys))
                run = self._run(engine, part, own_keys, deadline_s=deadline_s, admit=admit)
                own = self._flights.start(own_keys, run, shared=rounds < _MOST_JOINS)
            with admit(0) if own is None else nullcontext():
                await self._flights.wait(
                    own,
                    tuple(dict.fromkeys(joined.values())),
                    left_s=lambda: max(deadline_s - self._clock(), 0.0),
                )
            if own is not None:
                asked.ran(own.task.result().timings)
                for key in own_keys:
                    asked.settle(key, own.outcome(key), "ran")
            _settle_joined(asked, joined, waited_s=self._clock() - started_s)
            rounds += 1
        use = asked.use()
        self._count(engine.info.model_id, use, request.items)
        # The keys hold the task, and all results of a task are of one type.
        outcomes = cast("tuple[Result | EarmarkError, ...]", asked.outcomes())
        elapsed_ms = (self._clock() - started_s) * _MS_PER_S
        return Reply(outcomes, asked.timings(elapsed_ms)), use

    async def compute(
        self,
        engine: ServedEngine,
        request: TaskRequest[Result],
        *,
        deadline_s: float,
        admit: Admit,
    ) -> Reply[Result]:
        """Answer a request by running all of it; what comes of it is news for the store.

        Raises:
            CapacityError: it was not taken.
            EarmarkError: the engine failed it as a whole.
        """
        with admit(request.texts):
            reply = await engine.answer(request, deadline_s=deadline_s)
        await self._keep(item_keys(engine.info, request), reply.outcomes)
        return reply

    async def _unknown(self, request: TaskRequest[object], asked: Asked) -> list[bytes]:
        """Settle what the store knows and list what it does not."""
        found = {key: self._store.get(key) for key in asked.open()}
        known = {key: value for key, value in found.items() if value is not None}
        size = sum(map(len, known.values()))

        def read() -> list[object]:
            return [read_result(request.task, value) for value in known.values()]

        results = read() if size <= INLINE_BYTES else await beside(size, read)
        for key, result in zip(known, results, strict=True):
            asked.settle(key, result, "hit")
        return [key for key in found if key not in known]

    def _joinable(self, keys: Sequence[bytes]) -> dict[bytes, Flight]:
        found = ((key, self._flights.find(key)) for key in keys)
        return {key: flight for key, flight in found if flight is not None}

    def _run(
        self,
        engine: ServedEngine,
        part: TaskRequest[object],
        keys: Sequence[bytes],
        *,
        deadline_s: float,
        admit: Admit,
    ) -> Run:
        async def run() -> Reply[object]:
            with admit(part.texts):
                reply = await engine.answer(part, deadline_s=deadline_s)
            await self._keep(keys, reply.outcomes)
            return reply

        return run

    async def _keep(self, keys: Sequence[bytes], outcomes: Sequence[Outcome]) -> None:
        """Remember results; an error never, since the next try may end better."""
        kept = zip(keys, outcomes, strict=True)
        found = [(key, one) for key, one in kept if not isinstance(one, EarmarkError)]
        if len(found) <= INLINE_RESULTS:
            written = _written(found)
        else:
            written = await asyncio.to_thread(_written, found)
        for key, value in written:
            self._store.put(key, value)

    def _count(self, model_id: str, use: CacheUse, items: int) -> None:
        self._hits[model_id] += use.hits
        self._joined[model_id] += use.joined
        self._misses[model_id] += items - use.hits - use.joined


def _written(results: Sequence[tuple[bytes, object]]) -> list[tuple[bytes, bytes]]:
    return [(key, write_result(one)) for key, one in results]


def _part(request: TaskRequest[Result], items: Sequence[int]) -> TaskRequest[Result]:
    return request if len(items) == request.items else request.only(items)


def _settle_joined(asked: Asked, joined: Mapping[bytes, Flight], *, waited_s: float) -> None:
    """Take over what others' runs came to; what was their starters' own affair stays open."""
    for key, flight in joined.items():
        if not flight.task.done():
            asked.settle(key, too_late(waited_s), "joined")
        elif not flight.failed and not isinstance(flight.outcome(key), CapacityError):
            asked.settle(key, flight.outcome(key), "joined")
