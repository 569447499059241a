"""Streams the entities of a request as its windows finish."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self, TypeAlias

from earmark.batching.queue import too_late
from earmark.batching.ticket import Answer, Logits, Submission, Ticket
from earmark.domain.encoding import Encoding
from earmark.domain.head import ModelHead
from earmark.domain.results import Entities, Entity
from earmark.engine.beside import beside
from earmark.engine.plan import Plan, PlannedInput
from earmark.errors import EarmarkError
from earmark.tasks.token_classification import TokenClassification
from earmark.tasks.window_merge import WindowMerge


@dataclass(frozen=True, slots=True)
class Found:
    """Entities of one input that are certain.

    Attributes:
        item: index of the input.
        entities: at least one, in the order of the text.
    """

    item: int
    entities: tuple[Entity, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """One input's failure; no more entities follow for it.

    Attributes:
        item: index of the input.
        error: what went wrong.
    """

    item: int
    error: EarmarkError


Finding: TypeAlias = Found | Failed


@dataclass(frozen=True, slots=True)
class _Place:
    """The place of a ticket's encoding in the request."""

    item: int
    window: int


class EntityStream:
    """A running request: iterate to receive findings; close it to stop early.

    All entities of an input, in the order in which they come, are those of a plain answer. Inputs
    come as they finish.
    """

    def __init__(
        self,
        request: TokenClassification,
        plan: Plan[Entities],
        submission: Submission,
        head: ModelHead,
        *,
        deadline_s: float | None,
    ) -> None:
        """Subscribe to the tickets, in the caller's event loop.

        Args:
            request: the request.
            plan: its encodings.
            submission: a ticket for each of `plan.accepted`, in order.
            head: how to read logits.
            deadline_s: when the caller stops waiting, on `time.monotonic`.
        """
        self._request, self._plan, self._head = request, plan, head
        self._submission, self._deadline_s = submission, deadline_s
        places = [
            _Place(item, window)
            for item, planned in enumerate(plan.items)
            if planned.refused is None
            for window in range(len(planned.encodings))
        ]
        self._places = dict(zip(submission.tickets, places, strict=True))
        self._merges: dict[int, WindowMerge] = {}
        self._refused = [
            Failed(item, planned.refused)
            for item, planned in enumerate(plan.items)
            if planned.refused is not None
        ]
        self._failed: set[int] = set()
        self._answered: asyncio.Queue[tuple[Ticket, Answer]] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def pass_on(ticket: Ticket, answer: Answer) -> None:
            with suppress(RuntimeError):  # the caller's loop has closed, so nothing waits
                loop.call_soon_threadsafe(self._answered.put_nowait, (ticket, answer))

        submission.when_each(pass_on)

    @property
    def inputs(self) -> Sequence[PlannedInput]:
        """How many tokens the model reads of each input; known before it runs."""
        return self._plan.items

    @property
    def tokenize_s(self) -> float:
        """Seconds that encoding took."""
        return self._plan.tokenize_s

    def __aiter__(self) -> Self:
        """Iterate over the findings."""
        return self

    async def __anext__(self) -> Finding:
        """Wait for the next finding.

        At the deadline, unfinished inputs fail with `DeadlineExceeded`.
        """
        if self._refused:
            return self._refused.pop(0)
        while self._places:
            ticket, answer = await self._next_answered()
            place = self._places.pop(ticket)
            # Beside the event loop: many windows that finish together would block it.
            finding = await beside(len(ticket.encoding), self._read, place, ticket.encoding, answer)
            if finding is not None:
                return finding
        raise StopAsyncIteration

    def close(self) -> None:
        """Drop queued windows that have not run; a second call does nothing."""
        self._submission.abandon()
        self._submission.let_go()

    async def _next_answered(self) -> tuple[Ticket, Answer]:
        deadline_s = self._deadline_s
        left_s = None if deadline_s is None else max(deadline_s - time.monotonic(), 0.0)
        try:
            # Not `wait_for`: up to Python 3.11 it swallows a cancellation that comes at the moment
            # when a window finishes.
            async with asyncio.timeout(left_s):
                return await self._answered.get()
        except TimeoutError:
            self._submission.give_up(too_late(time.monotonic() - self._plan.started_s))
            self._deadline_s = None  # every ticket is answered, so there is nothing to wait for
            return await self._answered.get()

    def _read(self, place: _Place, encoding: Encoding, answer: Answer) -> Finding | None:
        item = place.item
        if item in self._failed:
            return None
        if not isinstance(answer, Logits):
            self._failed.add(item)
            return Failed(item, answer)
        found = self._request.read_window(item, encoding, answer.values, self._head)
        if item not in self._merges:
            # Created here, beside the event loop, since it reads every token of the input.
            self._merges[item] = self._request.merge(self._plan.items[item].encodings)
        certain = self._merges[item].feed(place.window, found)
        return Found(item, tuple(certain)) if certain else None
