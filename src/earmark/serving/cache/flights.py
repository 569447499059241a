"""Runs in progress; a request may join one for any of its texts instead of running the text again.

No request owns a flight. It goes on while any request waits for any of its texts, also when the
request that started it has gone, and is cancelled when the last one leaves. For one event loop.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias

from earmark.engine.reply import Reply
from earmark.serving.cache.asked import Outcome

Run: TypeAlias = Callable[[], Coroutine[Any, Any, Reply[object]]]  # as asyncio types coroutines


class Flight:
    """A run of some texts, and how many wait for it."""

    def __init__(self, keys: Sequence[bytes], run: Run) -> None:
        """Start the run, which answers each of the keys in order."""
        self._places = {key: place for place, key in enumerate(keys)}
        self._task = asyncio.create_task(run())
        self._waiting = 0

    @property
    def keys(self) -> Sequence[bytes]:
        """The texts that it answers."""
        return tuple(self._places)

    @property
    def task(self) -> "asyncio.Task[Reply[object]]":
        """The run itself."""
        return self._task

    @property
    def failed(self) -> bool:
        """Whether it has ended without a reply: it came too late for its starter, or failed."""
        task = self._task
        return task.done() and (task.cancelled() or task.exception() is not None)

    def outcome(self, key: bytes) -> Outcome:
        """Return the outcome of one text, once there is a reply."""
        return self._task.result().outcomes[self._places[key]]

    def enter(self) -> None:
        """Count one more request that waits for it."""
        self._waiting += 1

    def leave(self) -> bool:
        """Count one request less; return whether that ends the run, because no other waits."""
        self._waiting -= 1
        return self._waiting == 0 and self._task.cancel()


class Flights:
    """All runs in progress, by the texts they answer."""

    def __init__(self) -> None:
        """Start without runs."""
        self._by_key: dict[bytes, Flight] = {}

    def find(self, key: bytes) -> Flight | None:
        """Find the run in progress that a text is part of."""
        return self._by_key.get(key)

    def start(self, keys: Sequence[bytes], run: Run, *, shared: bool) -> Flight:
        """Start a run. A request has to wait for it, or it is never cancelled.

        Args:
            keys: of its texts, each once; none of a run that can be found.
            run: answers them, in that order.
            shared: whether others may find it.
        """
        flight = Flight(keys, run)
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
            flight.enter()
        try:
            if own is not None:
                await asyncio.wait([own.task])
            if joined and not (own and own.failed):
                await asyncio.wait([flight.task for flight in joined], timeout=left_s())
        finally:
            self._leave(flights)

    def _leave(self, flights: Sequence[Flight]) -> None:
        for flight in flights:
            if flight.leave():
                # At once: a request that comes before the run has ended must not join it any more.
                self._forget(flight)

    def _end(self, flight: Flight) -> None:
        self._forget(flight)
        if not flight.task.cancelled():
            # Read, so that asyncio does not log an exception as lost when the last caller has left.
            flight.task.exception()

    def _forget(self, flight: Flight) -> None:
        """Let no request join a run any more."""
        for key in flight.keys:
            if self._by_key.get(key) is flight:
                del self._by_key[key]
