"""Runs in progress; a request may join one for any of its texts instead of running the text again.

No request owns a flight. It goes on while any request waits for any of its texts, also when the
request that started it has gone, and is cancelled when the last one leaves. For one event loop.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from earmark.engine.reply import Reply
from earmark.serving.cache.asked import Outcome

Run: TypeAlias = Coroutine[Any, Any, Reply[object]]  # as asyncio types coroutines


@dataclass(slots=True, eq=False)
class Flight:
    """A run of some texts.

    Attributes:
        places: of the texts that it answers, in its reply.
        task: the run itself.
        waiting: how many requests wait for it.
    """

    places: Mapping[bytes, int]
    task: "asyncio.Task[Reply[object]]"
    waiting: int = 0

    @property
    def failed(self) -> bool:
        """Whether it has ended without a reply: it came too late for its starter, or failed."""
        task = self.task
        return task.done() and (task.cancelled() or task.exception() is not None)

    def outcome(self, key: bytes) -> Outcome:
        """Return the outcome of one text, once there is a reply."""
        return self.task.result().outcomes[self.places[key]]


class Flights:
    """All runs in progress, by the texts they answer."""

    def __init__(self) -> None:
        """Start without runs."""
        self._by_key: dict[bytes, Flight] = {}

    def joinable(self, keys: Sequence[bytes]) -> dict[bytes, Flight]:
        """Find the runs in progress that texts are part of."""
        found = ((key, self._by_key.get(key)) for key in keys)
        return {key: flight for key, flight in found if flight is not None}

    def start(self, keys: Sequence[bytes], run: Run, *, shared: bool) -> Flight:
        """Start a run. A request has to wait for it, or it is never cancelled.

        Args:
            keys: of its texts, each once; none of a run that can be found.
            run: answers them, in that order.
            shared: whether others may find it.
        """
        places = {key: place for place, key in enumerate(keys)}
        flight = Flight(places, asyncio.create_task(run))
        if shared:
            self._by_key.update(dict.fromkeys(keys, flight))
        flight.task.add_done_callback(lambda _: self._end(flight))
        return flight

    async def wait(
        self,
        own: Flight | None,
        joined: Sequence[Flight],
        *,
        left_s: Callable[[], float],
    ) -> None:
        """Wait for runs; at the end, cancel each of them that no other request waits for.

        Args:
            own: ends in time by itself; where it fails, the others are not waited for.
            joined: started by others.
            left_s: returns how many seconds the wait for those may take.
        """
        flights = [*([own] if own else ()), *joined]
        for flight in flights:
            flight.waiting += 1
        try:
            if own is not None:
                await asyncio.wait([own.task])
            if joined and not (own and own.failed):
                await asyncio.wait([flight.task for flight in joined], timeout=left_s())
        finally:
            for flight in flights:
                flight.waiting -= 1
                if flight.waiting == 0 and flight.task.cancel():
                    # At once: a request that comes before the run has ended must not join it.
                    self._end(flight)

    def _end(self, flight: Flight) -> None:
        """Let no request join a run any more."""
        for key in flight.places:
            if self._by_key.get(key) is flight:
                del self._by_key[key]
        if flight.task.done() and not flight.task.cancelled():
            # Read, so that asyncio does not log an exception as lost when the last caller has left.
            flight.task.exception()
