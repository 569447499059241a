"""Tickets: encodings that wait for their logits, and the submissions that they belong to."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self, TypeAlias

from earmark.domain.encoding import Encoding
from earmark.domain.packing import Float32
from earmark.errors import EarmarkError


@dataclass(frozen=True, slots=True)
class Logits:
    """The model's answer for one text.

    Attributes:
        values: ``[labels]`` for a sequence head, ``[tokens, labels]`` for a token head.
        queue_wait_s: seconds from entering the queue to the start of the run.
        run_s: duration of the batch inside the runtime, in seconds.
    """

    values: Float32
    queue_wait_s: float
    run_s: float


Answer: TypeAlias = Logits | EarmarkError


@dataclass(slots=True, eq=False)
class Ticket:
    """One encoding that waits for its answer.

    Attributes:
        encoding: the text as the model reads it.
        arrival_s: when it entered the queue, on the queue's clock.
        deadline_s: when its caller stops waiting, on the same clock; None for never.
        answer: its logits or error; None while it is open.
    """

    encoding: Encoding
    arrival_s: float
    deadline_s: float | None
    _submission: "Submission"
    answer: Answer | None = None

    def settle(self, answer: Answer) -> bool:
        """Answer the ticket; only the first answer counts.

        Returns:
            Whether this was the first.
        """
        return self._submission.settle(self, answer)

    @property
    def settled(self) -> bool:
        """Whether it has an answer or is abandoned, so that nothing waits for it."""
        return self.answer is not None or self._submission.abandoned

    def expired(self, now_s: float) -> bool:
        """Return whether the deadline has passed."""
        return self.deadline_s is not None and now_s >= self.deadline_s


@dataclass(slots=True, eq=False)
class Submission:
    """The tickets of one caller, who is woken once, when all are answered.

    Attributes:
        tickets: in the order of the encodings.
        abandoned: whether the caller has left.
    """

    tickets: tuple[Ticket, ...] = ()
    abandoned: bool = False
    _open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _on_done: Callable[[], None] | None = None
    _on_each: Callable[[Ticket, Answer], None] | None = None
    _on_left: Callable[[], None] | None = None

    @classmethod
    def of(cls, encodings: Sequence[Encoding], *, now_s: float, deadline_s: float | None) -> Self:
        """Create a submission with a ticket for each encoding."""
        submission = cls()
        submission.tickets = tuple(
            Ticket(encoding, now_s, deadline_s, submission) for encoding in encodings
        )
        submission._open = len(submission.tickets)
        return submission

    def settle(self, ticket: Ticket, answer: Answer) -> bool:
        """Answer one ticket once; the last one wakes the caller."""
        with self._lock:
            if ticket.answer is not None:
                return False
            ticket.answer = answer
            self._open -= 1
            pass_on = self._on_each if not self.abandoned else None
            wake = self._on_done if self._open == 0 and not self.abandoned else None
        if pass_on is not None:
            pass_on(ticket, answer)
        if wake is not None:
            wake()
        return True

    def when_done(self, callback: Callable[[], None]) -> None:
        """Register a callback for when every ticket is answered; call it now if that is so.

        The callback runs in the thread that answers last and must return quickly.
        """
        with self._lock:
            self._on_done = callback
            done = self._open == 0
        if done:
            callback()

    def when_each(self, callback: Callable[[Ticket, Answer], None]) -> None:
        """Register a callback for each answered ticket; call it now for those that already are.

        The callback runs in the thread that answers and must return quickly. It is not called after
        `abandon`.
        """
        with self._lock:
            self._on_each = callback
            answered = [(one, one.answer) for one in self.tickets if one.answer is not None]
        for ticket, answer in answered:
            callback(ticket, answer)

    def when_left(self, callback: Callable[[], None]) -> None:
        """Register a callback for when the caller waits no longer: it gave up, or was abandoned.

        A queue in this process looks at its tickets instead.
        """
        with self._lock:
            self._on_left = callback

    def give_up(self, error: EarmarkError) -> None:
        """Answer all open tickets with an error, such as `DeadlineExceeded`."""
        for ticket in self.tickets:
            ticket.settle(error)
        self._leave()

    def abandon(self) -> None:
        """Mark that the caller has left, so that the queue drops what has not run."""
        with self._lock:
            self.abandoned = True
        self._leave()

    def _leave(self) -> None:
        with self._lock:
            callback, self._on_left = self._on_left, None
        if callback is not None:
            callback()

    def let_go(self) -> None:
        """Remove the tickets and callbacks, which refer back to the submission.

        Without these cycles, memory is freed at once, not by Python's collector, which stops every
        thread.
        """
        with self._lock:
            self.tickets = ()
            self._on_done = self._on_each = self._on_left = None

    def answers(self) -> tuple[Answer, ...]:
        """Return all answers, in the order of the encodings.

        Raises:
            ValueError: a ticket is still open.
        """
        answers = tuple(ticket.answer for ticket in self.tickets if ticket.answer is not None)
        if len(answers) != len(self.tickets):
            raise ValueError("the submission has tickets that are not answered yet")
        return answers
