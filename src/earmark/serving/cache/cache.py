"""Answers requests text by text: what is known from the store, the rest from the engine.

At most one run of a text is in progress. A request that asks for that text meanwhile joins the run:
it gets the result, or the text's own error, as if it had run the text itself. A failure that
concerns only the request that started the run is not passed on: where the run failed as a whole, or
came too late for that request, each request that joined runs the text itself.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeAlias, TypeVar

from earmark.batching.queue import too_late
from earmark.engine.beside import INLINE_BYTES, beside
from earmark.engine.reply import Reply
from earmark.errors import CapacityError, EarmarkError
from earmark.models.engines import ServedEngine
from earmark.serving.cache.asked import Asked
from earmark.serving.cache.flights import Flight, Flights
from earmark.serving.cache.keys import item_keys
from earmark.serving.cache.results import ResultStore
from earmark.serving.cache.use import CacheState, CacheUse
from earmark.serving.cache.values import read_results, write_results
from earmark.tasks.task import TaskRequest

Result = TypeVar("Result")

Admit: TypeAlias = Callable[[int], AbstractContextManager[None]]
"""Takes a permit for this number of texts, or raises `QueueFull`."""

_MOST_JOINS = 2
"""How often a request joins other runs of a text before it runs the text itself. With 1, all
requests that had joined a run that came too late would run the same text side by side; without a
limit they might fail one after the other, each failure waking all that are left."""

_MS_PER_S = 1000.0

INLINE_RESULTS = 64
"""Up to this number of results are written in the event loop's own thread."""


class ResultCache:
    """Stands between requests and engines. For one event loop."""

    def __init__(self, store: ResultStore, *, clock: Callable[[], float]) -> None:
        """Make a cache over a store.

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
        """Return what the cache did for a model."""
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

        A request takes a permit for the texts that it has to run, for as long as they run. A
        request that only waits for other runs takes a permit for no text. One whose texts are all
        known takes none: to answer it costs less than to refuse it.

        Args:
            engine: runs what is not known.
            request: at least one input.
            deadline_s: when the caller stops waiting.
            admit: takes permits.

        Raises:
            CapacityError: the texts that have to be run got no permit or no place in the queue.
            EarmarkError: the engine failed the request's own run as a whole.
        """
        started_s = self._clock()
        asked = Asked(request, item_keys(engine.info, request))
        rounds = 0
        while unknown := await self._unknown(request, asked):
            joined = self._flights.joinable(unknown) if rounds < _MOST_JOINS else {}
            own_keys = [key for key in unknown if key not in joined]
            own: Flight | None = None
            if own_keys:
                part = asked.part(own_keys)
                run = self._run(engine, part, own_keys, deadline_s=deadline_s, admit=admit)
                own = self._flights.start(own_keys, run, shared=rounds < _MOST_JOINS)
            with admit(0) if own is None else nullcontext():
                await self._flights.wait(
                    own,
                    tuple(dict.fromkeys(joined.values())),
                    left_s=lambda: max(deadline_s - self._clock(), 0.0),
                )
            if own is not None:
                asked.ran(own_keys, own.task.result())
            _settle_joined(asked, joined, waited_s=self._clock() - started_s)
            rounds += 1
        reply, use = asked.reply((self._clock() - started_s) * _MS_PER_S)
        model_id = engine.info.model_id
        self._hits[model_id] += use.hits
        self._joined[model_id] += use.joined
        self._misses[model_id] += request.items - use.hits - use.joined
        return reply, use

    async def compute(
        self,
        engine: ServedEngine,
        request: TaskRequest[Result],
        *,
        deadline_s: float,
        admit: Admit,
    ) -> Reply[Result]:
        """Answer a request by running all of it, and put the results into the store.

        Raises:
            CapacityError: it got no permit or no place in the queue.
            EarmarkError: the engine failed it as a whole.
        """
        keys = item_keys(engine.info, request)
        return await self._run(engine, request, keys, deadline_s=deadline_s, admit=admit)

    async def _unknown(self, request: TaskRequest[Result], asked: Asked[Result]) -> list[bytes]:
        """Settle the texts that the store knows, and list those that it does not."""
        found = {key: self._store.get(key) for key in asked.open()}
        known = {key: value for key, value in found.items() if value is not None}
        if known:
            values = list(known.values())
            size = sum(map(len, values))
            if size <= INLINE_BYTES:
                results = read_results(request.task, values)
            else:
                results = await beside(size, read_results, request.task, values)
            for key, result in zip(known, results, strict=True):
                asked.settle(key, result, "hit")
        return [key for key in found if key not in known]

    async def _run(
        self,
        engine: ServedEngine,
        request: TaskRequest[Result],
        keys: Sequence[bytes],
        *,
        deadline_s: float,
        admit: Admit,
    ) -> Reply[Result]:
        """Run texts and remember results, but no errors: the next run of the text may succeed."""
        with admit(request.texts):
            reply = await engine.answer(request, deadline_s=deadline_s)
        found = {
            key: one
            for key, one in zip(keys, reply.outcomes, strict=True)
            if not isinstance(one, EarmarkError)
        }
        if len(found) <= INLINE_RESULTS:
            written = write_results(found.values())
        else:
            written = await asyncio.to_thread(write_results, found.values())
        for key, value in zip(found, written, strict=True):
            self._store.put(key, value)
        return reply


def _settle_joined(
    asked: Asked[Result], joined: Mapping[bytes, Flight], *, waited_s: float
) -> None:
    """Take over the outcomes of joined runs; a text whose run failed as a whole stays open."""
    for key, flight in joined.items():
        if not flight.task.done():
            asked.settle(key, too_late(waited_s), "joined")
        elif not flight.failed and not isinstance(flight.outcome(key), CapacityError):
            asked.settle(key, flight.outcome(key), "joined")
