"""The queue's state and policy: which texts run next, and which have waited too long.

Pure: no threads, no clock. Submissions take turns: each batch takes one text from every submission
before it takes a second from any, so that a long list cannot delay a single text.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from earmark.batching.packer import BatchLimits, Packing, padded_width
from earmark.batching.ticket import Submission, Ticket
from earmark.errors import DeadlineExceeded, EarmarkError, QueueFull

RETRY_AFTER_S = 1.0
"""When to try again, in seconds, while the speed of the queue is not known."""

PIECE_PART, KEPT_PART, SMALL_PART = 8, 4, 64
"""Shares of the queue: what one submission may take at once, what is reserved for small ones, and
the size of a small one. So one large submission does not exclude others, and six leave room for a
single text."""


def too_late(waited_s: float) -> DeadlineExceeded:
    """Return the error for a text that was not answered in time."""
    return DeadlineExceeded(
        f"no answer within {waited_s:.1f} s; send fewer texts at once or allow more time"
    )


def refuse_when_full(
    waiting: Iterable[int], tokens: int, limits: BatchLimits, *, max_waiting_tokens: int
) -> None:
    """Refuse a submission for which a queue has no room.

    Only a part of a submission counts, an eighth of the queue or a batch: the rest waits outside
    and enters as that part leaves. The last quarter is reserved for submissions of at most a
    sixty-fourth.

    Args:
        waiting: tokens that wait, of each submission before it.
        tokens: of this one.
        limits: of a batch.
        max_waiting_tokens: limit of the queue.

    Raises:
        QueueFull: the queue would exceed its limit. A submission of any size is accepted while
            nothing else waits.
    """
    most_of_one = max(max_waiting_tokens // PIECE_PART, limits.max_cells)
    entered = sum(min(one, most_of_one) for one in waiting)
    small = tokens <= max_waiting_tokens // SMALL_PART
    limit = max_waiting_tokens - (0 if small else max_waiting_tokens // KEPT_PART)
    entering = min(tokens, most_of_one)
    if entered and entered + entering > limit:
        raise QueueFull(
            f"the server is busy: {entered:,} tokens are waiting and this request adds"
            f" {entering:,}, of {limit:,} at most; try again later",
            retry_after_s=RETRY_AFTER_S,
        )


@dataclass(slots=True)
class _Turn:
    """The remaining tickets of a submission, and their tokens."""

    tickets: deque[Ticket]
    tokens: int


@dataclass(slots=True)
class TicketQueue:
    """The texts that are waiting.

    Attributes:
        limits: the size of a batch.
        max_waiting_tokens: limit of the queue; `refuse_when_full` refuses what exceeds it. None
            where what is put in was admitted elsewhere.
        waiting_texts: number of waiting texts, with abandoned ones that are not yet dropped.
        waiting_tokens: their tokens.
    """

    limits: BatchLimits
    max_waiting_tokens: int | None
    waiting_texts: int = 0
    waiting_tokens: int = 0
    _turns: deque["_Turn"] = field(default_factory=deque)

    def put(self, submission: Submission) -> None:
        """Queue all tickets of a submission, or none.

        Raises:
            ValueError: a text is too long for any batch, which truncation prevents.
            QueueFull: the queue would exceed its limit.
        """
        tokens = sum(len(ticket.encoding) for ticket in submission.tickets)
        longest = max((len(ticket.encoding) for ticket in submission.tickets), default=0)
        if padded_width(longest) > self.limits.max_cells:
            raise ValueError(f"a text of {longest} tokens does not fit {self.limits}")
        if self.max_waiting_tokens is not None:
            refuse_when_full(
                (turn.tokens for turn in self._turns),
                tokens,
                self.limits,
                max_waiting_tokens=self.max_waiting_tokens,
            )
        self._turns.append(_Turn(deque(submission.tickets), tokens))
        self.waiting_texts += len(submission.tickets)
        self.waiting_tokens += tokens

    def take(self, now_s: float) -> list[Ticket]:
        """Take the next batch: texts in turn, up to its limits.

        Abandoned texts are dropped; texts past their deadline are answered `DeadlineExceeded`.
        """
        packing = Packing(self.limits)
        batch: list[Ticket] = []
        while self._turns:
            turn = self._turns[0]
            ticket = self._next_open(turn, now_s)
            if ticket is None:
                self._turns.popleft()
                continue
            if not packing.add(len(ticket.encoding)):
                break
            self._leave(turn)
            batch.append(ticket)
            self._turns.rotate(-1)
        return batch

    def _next_open(self, turn: "_Turn", now_s: float) -> Ticket | None:
        """Return the first ticket of a turn that is still waited for."""
        while turn.tickets:
            ticket = turn.tickets[0]
            if ticket.expired(now_s):
                ticket.settle(too_late(now_s - ticket.arrival_s))
            if not ticket.settled:
                return ticket
            self._leave(turn)
        return None

    def _leave(self, turn: "_Turn") -> None:
        """Remove the first ticket of a turn."""
        tokens = len(turn.tickets.popleft().encoding)
        turn.tokens -= tokens
        self.waiting_texts -= 1
        self.waiting_tokens -= tokens

    def drain(self, error: EarmarkError) -> None:
        """Answer everything that waits with an error, and empty the queue."""
        for turn in self._turns:
            for ticket in turn.tickets:
                ticket.settle(error)
        self._turns.clear()
        self.waiting_texts = 0
        self.waiting_tokens = 0
