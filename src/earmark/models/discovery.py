"""Asks the Hub what a model is when a request names one that is not served."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from earmark.errors import (
    CheckpointError,
    CheckpointNotFound,
    HubUnavailable,
    ModelOutOfReach,
    QueueFull,
    ShuttingDown,
    UnusableModel,
)
from earmark.models.catalogue import KnownModel
from earmark.models.hub_answers import Absent, Found, HubAnswers, Outcome, Unreachable, Unusable
from earmark.models.log_limit import LogLimit
from earmark.models.policy import HubPolicy

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.models")


_LONGEST_REASON = 500
"""Characters that a caller reads of why a model cannot run."""


class Hub(Protocol):
    """Where models are looked for."""

    def look_up(self, model_id: str) -> KnownModel:
        """Ask the network what a model is, and wait for the answer; fetches no weights.

        Raises:
            CheckpointNotFound: there is no such model, or the Hub does not show it.
            HubUnavailable: the Hub cannot be asked for now.
            CheckpointError: it cannot run here; the message names no file of this machine.
        """
        ...

    def is_id(self, model_id: str) -> bool:
        """Return whether a model could have this id."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryOptions:
    """How much is found out at once.

    Attributes:
        at_once: models looked for at the same time.
        waiting: further ones that wait for their turn; a request for one more is refused.
        patience_s: how long a caller waits for an answer of the Hub.
        hold_s: how long a caller is held at most while the Hub cannot be reached.
    """

    at_once: int = 4
    waiting: int = 64
    patience_s: float = 15.0
    hold_s: float = 60.0


def _in_thread(work: Callable[[], None]) -> None:
    # A daemon, as it only asks and reads: a server that goes down waits for no answer of the Hub.
    threading.Thread(target=work, name="earmark-hub", daemon=True).start()


@dataclass(slots=True)
class _LookUps:
    """The look-ups that have not ended; the discovery's lock guards them.

    Attributes:
        pending: the outcome to come, by id.
        waiting: ids whose look-up has not begun.
        threads: how many threads look up.
    """

    pending: dict[str, Future[Outcome]] = field(default_factory=dict)
    waiting: deque[str] = field(default_factory=deque)
    threads: int = 0


class Discovery:
    """Looks models up, once for all callers that ask at the same time; safe from any thread.

    Callers wait in their event loops; threads ask the Hub.
    """

    def __init__(
        self,
        hub: Hub,
        policy: HubPolicy,
        options: DiscoveryOptions | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        start: Callable[[Callable[[], None]], None] = _in_thread,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Begin with nothing known.

        Args:
            hub: where to look.
            policy: what may be looked for.
            options: the defaults when None.
            clock: seconds.
            start: runs look-ups in a thread.
            sleep: makes a caller wait until the Hub may be asked again.
        """
        self._hub, self._policy = hub, policy
        self._options = options or DiscoveryOptions()
        self._clock, self._start, self._sleep = clock, start, sleep
        self._lock = threading.Lock()
        self._answers = HubAnswers()
        self._log_limit = LogLimit()
        self._look_ups = _LookUps()
        self._closed = False

    def find(self, model_id: str) -> KnownModel | None:
        """Return a model that was found, if it still may be fetched."""
        with self._lock:
            known = self._answers.find(model_id)
        return known if known and self._policy.rule.allows(model_id) else None

    async def discover(
        self, model_id: str, *, here: bool, hold_s: float = 0.0, patience_s: float | None = None
    ) -> bool:
        """Ask the Hub what a model is, unless that is known; return whether there is one.

        Args:
            model_id: what a request calls it.
            here: whether the request is surely of this machine; see `HubPolicy`.
            hold_s: how long a caller is held while the Hub cannot be reached.
            patience_s: how long the caller waits for the Hub; that of the options when None.

        Returns:
            True where `find` now finds it. False where the Hub has no such model, or it may not be
            fetched: only the log distinguishes the two.

        Raises:
            UnusableModel: it cannot run here.
            ModelOutOfReach: the Hub cannot be reached, or has not answered yet.
            QueueFull: too many models are being looked for.
            ShuttingDown: the server is going down.
            StateUnavailable: the access keys cannot be read.
        """
        if not self._hub.is_id(model_id):
            return False
        refusal = self._policy.refusal(model_id, here=here)
        if refusal is not None:
            self._log_refusal(model_id, refusal, _log.info)
            return False
        until_s = self._clock() + min(hold_s, self._options.hold_s)
        while True:
            outcome = await self._outcome(model_id, patience_s or self._options.patience_s)
            if isinstance(outcome, Unusable):
                raise UnusableModel(f"Model {model_id} cannot run here: {outcome.reason}")
            if not isinstance(outcome, Unreachable):
                return isinstance(outcome, Found)
            await self._wait_for_the_hub(model_id, until_s)

    def close(self) -> None:
        """Look for nothing more; wait for no answer of the Hub."""
        with self._lock:
            self._closed = True
            self._look_ups.waiting.clear()
            pendings = list(self._look_ups.pending.values())
            self._look_ups.pending.clear()
        for pending in pendings:
            pending.cancel()

    async def _outcome(self, model_id: str, patience_s: float) -> Outcome:
        """Recall what is known, or wait for the look-up that all callers share."""
        pending = self._pending(model_id)
        if not isinstance(pending, Future):
            return pending
        # A caller that leaves does not cancel the look-up: others may wait for it.
        answer = asyncio.wrap_future(pending)
        await asyncio.wait((answer,), timeout=patience_s)
        if answer.cancelled():
            raise ShuttingDown("the server is going down")
        if not answer.done():
            raise ModelOutOfReach(f"the Hugging Face Hub has not said yet what {model_id} is")
        return answer.result()

    def _pending(self, model_id: str) -> Outcome | Future[Outcome]:
        with self._lock:
            if self._closed:
                raise ShuttingDown("the server is going down")
            known = self._answers.recall(model_id, now_s=self._clock())
            if known is not None:
                return known
            pending = self._look_ups.pending.get(model_id)
            if pending is not None:
                return pending
            if len(self._look_ups.waiting) >= self._options.waiting:
                raise QueueFull(
                    f"{self._options.waiting} models of the Hub wait to be looked up already"
                )
            pending = self._look_ups.pending[model_id] = Future()
            self._look_ups.waiting.append(model_id)
            begins = self._look_ups.threads < self._options.at_once
            self._look_ups.threads += begins
        if begins:
            self._begin()
        return pending

    def _begin(self) -> None:
        try:
            self._start(self._work)
        except RuntimeError as error:  # the system gives no more threads
            with self._lock:
                self._look_ups.threads -= 1
                left = list(self._look_ups.waiting) if not self._look_ups.threads else []
            for model_id in left:
                self._settle(model_id, Unreachable(str(error)))

    def _work(self) -> None:
        """Look up the ids that wait, in a thread, until there are none."""
        while (model_id := self._next()) is not None:
            self._settle(model_id, self._look_up(model_id))

    def _next(self) -> str | None:
        with self._lock:
            if self._look_ups.waiting:
                return self._look_ups.waiting.popleft()
            self._look_ups.threads -= 1
            return None

    def _look_up(self, model_id: str) -> Outcome:
        try:
            return Found(self._hub.look_up(model_id))
        except CheckpointNotFound as error:
            outcome: Outcome = Absent()
            reason = str(error)
        except HubUnavailable as error:
            outcome, reason = Unreachable(str(error)), str(error)
        except CheckpointError as error:
            reason = str(error)
            # It may quote the model's files, which are a stranger's.
            outcome = Unusable(reason[:_LONGEST_REASON])
        except BaseException as error:  # noqa: BLE001 - the callers that wait have to be answered
            _log.error("a model of the Hub cannot be looked up", model=model_id, exc_info=error)
            return Unreachable(f"{type(error).__name__} was raised")
        self._log_refusal(model_id, reason, _log.warning)
        return outcome

    def _settle(self, model_id: str, outcome: Outcome) -> None:
        with self._lock:
            self._answers.keep(model_id, outcome, now_s=self._clock())
            pending = self._look_ups.pending.pop(model_id, None)
        if pending is not None:
            pending.set_result(outcome)

    async def _wait_for_the_hub(self, model_id: str, until_s: float) -> None:
        """Hold a caller until the Hub may be asked again.

        Raises:
            ModelOutOfReach: the Hub may be asked again later than the caller may be held.
        """
        now_s = self._clock()
        with self._lock:
            left_s = self._answers.left_s(model_id, now_s=now_s)
        if now_s + left_s > until_s:
            raise ModelOutOfReach(
                f"the Hugging Face Hub cannot be asked for {model_id} for now; the server's log"
                " says why",
                retry_after_s=max(left_s, 1.0),
            )
        await self._sleep(left_s)

    def _log_refusal(self, model_id: str, reason: str, log: Callable[..., object]) -> None:
        with self._lock:
            may_log = self._log_limit.may_log(model_id, now_s=self._clock())
        if may_log:
            log("a model of the Hub was asked for", model=model_id, refused=reason)
