"""A handle to a model in an engine process."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence

from earmark.batching.packer import BatchLimits
from earmark.batching.ticket import Answer, Submission, Ticket
from earmark.domain.encoding import Encoding
from earmark.engine.canary import Canary
from earmark.engine.events import Tally
from earmark.engine.info import EngineInfo, EngineState, QueueState
from earmark.engine.process.in_flight import REMEMBERED_S, InFlight, Place, RefusedTexts
from earmark.engine.process.messages import (
    Abandon,
    Loaded,
    Ran,
    Recipe,
    Running,
    Submit,
    ToEngine,
    Unload,
)
from earmark.engine.process.run_bound import RunBound
from earmark.errors import EarmarkError, EngineEnded, EngineError, ModelLoading, ShuttingDown

CLOSED_WITHIN_S = 5.0
"""How long closing waits for a run in progress."""
CLOSED = "the engine is shutting down and takes no more work"


class ProcessHandle:
    """A handle to one model of an engine process, which may end and be started again.

    The process's thread calls `loaded`, `began`, `ended` and `lost`; any thread calls the rest.
    """

    def __init__(
        self,
        number: int,
        recipe: Recipe,
        *,
        send: Callable[[ToEngine], None],
        memory_bytes: Callable[[], int | None],
        on_closed: Callable[[], None],
    ) -> None:
        """Create a handle to a model that is not loaded yet.

        Args:
            number: what the engine process calls it.
            recipe: the model, and how it is to run.
            send: sends a message to the engine process, if there is one now.
            memory_bytes: measures the model's part of the process.
            on_closed: called once the model is closed.
        """
        self.number, self.recipe = number, recipe
        self._send, self._on_closed = send, on_closed
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._unloaded = threading.Event()
        self._refused = RefusedTexts()
        self._tally = Tally(recipe.model_id)
        self._in_flight = InFlight(BatchLimits(recipe.max_batch_tokens), 0)
        self._bound = RunBound(float("inf"), float("inf"))
        self._info: EngineInfo | None = None
        self._canary: Canary | None = None
        self._began_s: float | None = None
        self._ready = self._closed = self._held = False
        self._down: EarmarkError | None = None

    def first_loaded(
        self,
        found: Loaded,
        canary: Encoding,
        *,
        max_waiting_tokens: int,
        run_timeout_s: float | None,
    ) -> None:
        """Take what is known since the first load.

        Args:
            found: what the engine process says of it.
            canary: a text that any healthy model answers.
            max_waiting_tokens: what waits beyond that is refused.
            run_timeout_s: as of `EngineOptions`.
        """
        info = found.info
        limits = BatchLimits(info.max_batch_tokens)
        with self._lock:
            self._info = info
            self._in_flight = InFlight(limits, max_waiting_tokens)
            self._bound = RunBound.of(
                found.token_s, info.max_batch_tokens, run_timeout_s=run_timeout_s
            )
            self._canary = Canary(self, canary, failing=lambda: self._tally.failing)
            self._tally.when_failing(self._canary.try_until_it_succeeds)

    def submit(self, encodings: Sequence[Encoding], *, deadline_s: float | None) -> Submission:
        """Queue encodings as one submission; errors as for `EngineHandle`.

        Raises:
            ModelLoading: the engine process has ended, and could not be started again so far.
        """
        now_s = time.monotonic()
        submission = Submission.of(encodings, now_s=now_s, deadline_s=deadline_s)
        with self._lock:
            if self._closed:
                raise ShuttingDown(CLOSED)
            if self._down is not None:
                raise ModelLoading(
                    f"Model {self.recipe.model_id} is being started again", estimated_time_s=5.0
                )
            for ticket in submission.tickets:
                if self._refused.has(ticket, now_s):
                    ticket.settle(_ends_the_engine())
            number = self._in_flight.add(submission, deadline_s)
            if number is None:
                return submission
            submission.when_left(lambda: self._left(number))
            if self._ready and not self._held:
                self._send_now(number)
        return submission

    def state(self) -> QueueState:
        """Return whether it can answer, and what is waiting and running at this moment."""
        with self._lock:
            texts, tokens = self._in_flight.waiting()
            running_s = self.running_s()
            return QueueState(
                state=self._state(running_s),
                waiting_texts=texts,
                waiting_tokens=tokens,
                running_s=running_s,
                totals=self._tally.totals(),
            )

    def memory_bytes(self) -> int | None:
        """Return the process's memory, divided by its models; None where it cannot be measured."""
        return self._memory_bytes()

    def close(self) -> None:
        """Accept no more work, answer what waits with `ShuttingDown`, finish the current run."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            drained = self._in_flight.drain(running_too=False)
            ready = self._ready
        if self._canary is not None:
            self._canary.close()
        _answer_all(drained, ShuttingDown(CLOSED))
        if ready:
            self._send(Unload(self.number))
            self._unloaded.wait(CLOSED_WITHIN_S)
        with self._lock:
            drained = self._in_flight.drain()
        _answer_all(drained, ShuttingDown(CLOSED))
        self._on_closed()

    # Called by the process's thread.

    def arrived(self) -> None:
        """Note that the engine process has the model for the first time."""
        with self._lock:
            self._ready = True

    def loaded_again(self, found: Loaded, *, held: bool) -> None:
        """Note that the engine process has the model again, and send what it has not answered.

        Args:
            found: what it is now.
            held: whether to send nothing for now.
        """
        if self._info is not None and found.info.identity != self._info.identity:
            self.give_up(
                EngineError(
                    f"the files of model {self.recipe.model_id} have changed since it was loaded;"
                    " restart the server"
                )
            )
            return
        with self._lock:
            self._ready, self._held, self._down = True, held, None
            self._unloaded.clear()
        if not held:
            self.release()

    def release(self) -> None:
        """Send what was not sent so far."""
        with self._lock:
            self._held = False
            if self._ready:
                for number in self._in_flight.unsent():
                    self._send_now(number)

    def send_alone(self, place: Place) -> bool:
        """Send one text alone; return whether somebody waits for it."""
        with self._lock:
            message = self._in_flight.message_alone(self.number, place)
        if message is None:
            return False
        self._send(message)
        return True

    def waits_for(self, place: Place) -> bool:
        """Return whether a text is not answered, and somebody waits for it."""
        with self._lock:
            return self._in_flight.message_alone(self.number, place) is not None

    def began(self, message: Running) -> None:
        """Note that a batch has begun to run."""
        with self._lock:
            self._in_flight.began(message.texts)
            self._began_s = time.monotonic()

    def ended(self, message: Ran) -> None:
        """Count runs, and pass their answers on."""
        with self._lock:
            settled = tuple(self._in_flight.ended(message.answers, over=message.over))
            if message.over:
                self._began_s = None
        for report in message.reports:
            self._tally(report.report())
        for ticket, answer in settled:
            ticket.settle(answer)

    def unloaded(self) -> None:
        """Note that the engine process has closed the model."""
        self._unloaded.set()

    def lost(self) -> tuple[Place, ...]:
        """Note that the engine process has ended; return the texts that were running."""
        with self._lock:
            running = self._in_flight.running()
            self._in_flight.lost()
            self._began_s = None
            self._ready = False
        self._unloaded.set()
        return running

    def refuse(self, place: Place) -> None:
        """Answer a text that has ended the engine process twice, and remember it for a while."""
        with self._lock:
            ticket = self._in_flight.pop(place)
            if ticket is not None:
                self._refused.add(ticket, time.monotonic())
        if ticket is not None:
            ticket.settle(_ends_the_engine())

    def give_up(self, error: EarmarkError) -> None:
        """Answer all with an error, and take nothing until the model is loaded again."""
        with self._lock:
            self._down = error
            drained = self._in_flight.drain()
        _answer_all(drained, error)

    def running_s(self) -> float:
        """Return how long the run in progress has taken; 0 if there is none."""
        began_s = self._began_s
        return 0.0 if began_s is None else time.monotonic() - began_s

    @property
    def hangs(self) -> bool:
        """Whether the run in progress has outlived its bound."""
        return self.running_s() > self._bound.hang_s

    def _state(self, running_s: float) -> EngineState:
        if self._closed:
            return "closed"
        if self._down is not None:
            return "failing"
        if not self._ready:
            return "restarting"
        if running_s > self._bound.stalled_s:
            return "stalled"
        return "failing" if self._tally.failing else "ready"

    def _send_now(self, number: int) -> None:
        message: Submit | None = self._in_flight.message(self.number, number)
        if message is not None:
            self._send(message)

    def _left(self, number: int) -> None:
        with self._lock:
            had = self._in_flight.leave(number)
        if had:
            self._send(Abandon(self.number, number))


def _answer_all(tickets: Iterable[Ticket], answer: Answer) -> None:
    for ticket in tickets:
        ticket.settle(answer)


def _ends_the_engine() -> EngineEnded:
    return EngineEnded(
        "the engine process ended twice while it ran this text alone; it is refused for"
        f" {REMEMBERED_S / 60:.0f} minutes"
    )
