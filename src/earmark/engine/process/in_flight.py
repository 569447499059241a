"""What a model in another process was asked, and has not answered. Pure: no threads, no clock."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, TypeAlias

from earmark.batching.packer import BatchLimits
from earmark.batching.queue import refuse_when_full
from earmark.batching.ticket import Answer, Submission, Ticket
from earmark.engine.process.messages import AnswerTo, Submit, Text

Place: TypeAlias = tuple[int, int]
"""A text: the number of its submission, and its index there."""

REMEMBERED_S: Final = 600.0
"""How long a text that ended the engine twice is refused."""
_MOST_REMEMBERED: Final = 1024


@dataclass(slots=True, eq=False)
class _Open:
    """A submission with texts that are not answered.

    Attributes:
        tickets: those, by index.
        deadline_s: of the submission.
        waiting: their tokens, less those of texts that have begun to run.
        sent: whether the engine process has it.
    """

    tickets: dict[int, Ticket]
    deadline_s: float | None
    waiting: int
    sent: bool = False


@dataclass(slots=True)
class InFlight:
    """The submissions of one model that are not answered, in order.

    Attributes:
        limits: of the model's batches.
        max_waiting_tokens: what waits beyond that is refused.
    """

    limits: BatchLimits
    max_waiting_tokens: int
    _open: dict[int, _Open] = field(default_factory=dict)
    _running: dict[Place, Ticket] = field(default_factory=dict)
    _last: int = 0

    def add(self, submission: Submission, deadline_s: float | None) -> int | None:
        """Take a submission; return its number, or None where none of its texts has to run.

        Raises:
            QueueFull: too much is waiting.
        """
        tickets = {
            index: ticket for index, ticket in enumerate(submission.tickets) if not ticket.settled
        }
        tokens = sum(len(ticket.encoding) for ticket in tickets.values())
        refuse_when_full(
            (one.waiting for one in self._open.values() if one.waiting),
            tokens,
            self.limits,
            max_waiting_tokens=self.max_waiting_tokens,
        )
        if not tickets:
            return None
        self._last += 1
        self._open[self._last] = _Open(tickets, deadline_s, tokens)
        return self._last

    def message(self, model: int, number: int) -> Submit | None:
        """Return what sends a submission, and note that it was sent; None if it has ended."""
        found = self._open.get(number)
        if found is None:
            return None
        found.sent = True
        texts = [Text.of(index, ticket.encoding) for index, ticket in found.tickets.items()]
        return Submit(model, number, texts, found.deadline_s)

    def message_alone(self, model: int, place: Place) -> Submit | None:
        """Return what sends one text of a submission that is not sent; None if nobody waits."""
        number, index = place
        found = self._open.get(number)
        ticket = None if found is None else found.tickets.get(index)
        if found is None or ticket is None or ticket.settled:
            return None
        return Submit(model, number, [Text.of(index, ticket.encoding)], found.deadline_s)

    def unsent(self) -> tuple[int, ...]:
        """List the submissions that the engine process does not have."""
        return tuple(number for number, one in self._open.items() if not one.sent)

    def leave(self, number: int) -> bool:
        """Forget a submission, whose caller has left; return whether the engine process had it."""
        found = self._open.pop(number, None)
        return found is not None and found.sent

    def began(self, places: Iterable[Place]) -> None:
        """Note that a batch of these texts has begun to run."""
        self._running.clear()
        for number, index in places:
            found = self._open.get(number)
            ticket = None if found is None else found.tickets.get(index)
            if found is not None and ticket is not None:
                self._running[number, index] = ticket
                # At most to 0: a batch that failed runs again in halves.
                found.waiting = max(found.waiting - len(ticket.encoding), 0)

    def ended(self, answers: Sequence[AnswerTo], *, over: bool) -> Iterator[tuple[Ticket, Answer]]:
        """Forget the texts that are answered, and return each with its answer.

        Args:
            answers: of texts.
            over: whether the batch in progress is over.
        """
        if over:
            self._running.clear()
        for one in answers:
            ticket = self._pop((one.submission, one.index))
            if ticket is not None:
                yield ticket, one.answer()

    def running(self) -> tuple[Place, ...]:
        """List the texts of the batch in progress that somebody waits for."""
        return tuple(place for place, ticket in self._running.items() if not ticket.settled)

    def pop(self, place: Place) -> Ticket | None:
        """Forget one text, and return its ticket."""
        self._running.pop(place, None)
        return self._pop(place)

    def lost(self) -> None:
        """Note that the engine process has ended, with all that it had."""
        self._running.clear()
        for one in self._open.values():
            one.sent = False
            one.waiting = sum(len(ticket.encoding) for ticket in one.tickets.values())

    def drain(self, *, running_too: bool = True) -> tuple[Ticket, ...]:
        """Forget what is not answered, and return it; without the batch in progress if so asked."""
        kept = {} if running_too else dict(self._running)
        drained = tuple(
            ticket
            for number, one in self._open.items()
            for index, ticket in one.tickets.items()
            if (number, index) not in kept
        )
        self._open = {
            number: _Open(tickets, one.deadline_s, 0, sent=True)
            for number, one in self._open.items()
            if (tickets := {i: each for i, each in one.tickets.items() if (number, i) in kept})
        }
        return drained

    def waiting(self) -> tuple[int, int]:
        """Return the number of waiting texts and tokens."""
        texts = sum(len(one.tickets) for one in self._open.values()) - len(self._running)
        return max(texts, 0), sum(one.waiting for one in self._open.values())

    def _pop(self, place: Place) -> Ticket | None:
        number, index = place
        found = self._open.get(number)
        if found is None:
            return None
        ticket = found.tickets.pop(index, None)
        if not found.tickets:
            del self._open[number]
        return ticket


@dataclass(slots=True)
class RefusedTexts:
    """The texts that ended an engine process twice, by digest; no text is kept."""

    _until_s: dict[bytes, float] = field(default_factory=dict)

    def add(self, ticket: Ticket, now_s: float) -> None:
        """Refuse a text for a while."""
        while len(self._until_s) >= _MOST_REMEMBERED:
            del self._until_s[next(iter(self._until_s))]
        self._until_s[_digest(ticket)] = now_s + REMEMBERED_S

    def has(self, ticket: Ticket, now_s: float) -> bool:
        """Return whether a text is refused."""
        if not self._until_s:
            return False
        until_s = self._until_s.get(_digest(ticket))
        return until_s is not None and now_s < until_s


def _digest(ticket: Ticket) -> bytes:
    written = Text.of(0, ticket.encoding)
    return blake2b(written.ids + b"|" + (written.type_ids or b""), digest_size=16).digest()
