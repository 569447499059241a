"""The engines in memory: lent to requests, and loaded for them in threads."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from earmark.domain.preferences import Preferences
from earmark.errors import (
    CheckpointError,
    ModelLoading,
    ModelNotLoaded,
    ModelUnavailable,
    ShuttingDown,
)
from earmark.models.catalogue import KnownModel
from earmark.models.change_signal import Change, ChangeSignal
from earmark.models.engines import ServedEngine
from earmark.models.estimates import (
    DownloadTimes,
    first_estimate_bytes,
    first_estimate_s,
    remaining_s,
)
from earmark.models.lifecycle import (
    Failed,
    Life,
    Lifecycle,
    Loading,
    NoRoom,
    Ready,
    Started,
    State,
    TooLarge,
    Unloaded,
)
from earmark.models.on_demand import OnDemand
from earmark.models.refusals import refused, too_large
from earmark.models.status import KnownFacts

_LOOKED_FOR_IDLE_S: Final = 30.0
"""How often it is looked for models that nobody uses, at least."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.models")


class EnginePool:
    """Lends engines, loads models and puts the least used away; safe from any thread.

    A lock guards the `Lifecycle`, which decides. Callers that have to wait do so in their event
    loops, until the next change; each load runs in a thread of its own.

    Attributes:
        pinned: the engines that stay, by id; reading them needs no lock.
    """

    def __init__(
        self, pinned: Iterable[ServedEngine], on_demand: OnDemand, facts: KnownFacts
    ) -> None:
        """Take the engines that stay; load nothing yet.

        Args:
            pinned: loaded at the start, closed with the server.
            on_demand: the models that can be loaded beside them.
            facts: of those, for estimates.

        Raises:
            ValueError: two engines have one id.
        """
        options = on_demand.options
        self._on_demand = on_demand
        self._clock = on_demand.clock
        self._facts = facts
        self._downloads = DownloadTimes()
        self._lock = threading.Lock()
        self._changed = ChangeSignal()
        self._lifecycle: Lifecycle[ServedEngine] = Lifecycle(
            options.max_loaded,
            options.retry_after_s,
            options.load_s,
            options.memory_bytes,
            frozenset(options.kept),
        )
        engines = tuple(pinned)
        for engine in engines:
            estimate = first_estimate_bytes(engine.info.weights_bytes)
            self._lifecycle.pin(engine.info.model_id, engine, memory_bytes=estimate)
        self.pinned: Final = {engine.info.model_id: engine for engine in engines}
        self._memory_bytes: dict[KnownModel, int] = {}
        self._shut = threading.Event()
        if options.idle_s is not None:
            threading.Thread(
                target=self._put_idle_away, args=(options.idle_s,), name="earmark-idle", daemon=True
            ).start()

    def engine(self, model_id: str) -> ServedEngine | None:
        """Return a model's engine without borrowing it; None where it is not in memory."""
        pinned = self.pinned.get(model_id)
        if pinned is not None:
            return pinned
        with self._lock:
            return self._lifecycle.engine(model_id)

    def engines(self) -> tuple[ServedEngine, ...]:
        """List the engines in memory."""
        with self._lock:
            return self._lifecycle.engines()

    def placed(self) -> tuple[str, ...]:
        """List the models that were loaded on demand, or are being loaded."""
        with self._lock:
            return self._lifecycle.placed()

    def state(self, known: KnownModel) -> tuple[State, ServedEngine | None]:
        """Return the state of a model, and its engine where it is in memory."""
        with self._lock:
            state = self._lifecycle.state(known.model_id, known, now_s=self._clock())
            self._log_overdue()
            return state, self._lifecycle.engine(known.model_id)

    @asynccontextmanager
    async def lend(
        self, model_id: str, preferences: Preferences, *, until_s: float
    ) -> AsyncIterator[ServedEngine]:
        """Lend a model's engine while the context lasts, loading it where it is not in memory.

        A caller that leaves while it is held gives up its place in line; the load goes on.

        Args:
            model_id: of a model in memory or in the catalogue.
            preferences: whether to load it, and to wait for that.
            until_s: moment on the clock after which the caller does not wait.

        Raises:
            ModelLoading: it is not ready, and the caller does not wait or has waited long enough.
            ModelNotLoaded: it is not in memory, and the caller wants no load.
            ModelUnavailable: its load failed, or its files have gone.
            UnusableModel: its files cannot run here.
            ModelOutOfReach: it is of the Hub, and could not be fetched.
            ShuttingDown: the server is going down.
        """
        pinned = self.pinned.get(model_id)
        if pinned is not None:  # it stays, so its users need not be counted
            yield pinned
            return
        ready = await self._obtain(model_id, preferences, until_s)
        try:
            yield ready.engine
        finally:
            with self._lock:
                self._lifecycle.give_back(ready.life, now_s=self._clock())
                self._changed.notify()

    def close(self) -> list[Exception]:
        """Load nothing more and close the engines in memory; return what they raised.

        Waits for no load: the thread of one in progress closes its engine once it is loaded.
        """
        self._shut.set()
        with self._lock:
            lives = self._lifecycle.shut_down()
            self._changed.notify()
        engines = [life.engine for life in lives if life.engine is not None]
        faults: list[Exception] = []
        for engine in (*self.pinned.values(), *engines):
            try:
                engine.close()
            except Exception as fault:  # noqa: BLE001 - the others have to be closed too
                faults.append(fault)
        with self._lock:
            for life in lives:
                self._lifecycle.closed(life)
        return faults

    async def _obtain(
        self, model_id: str, preferences: Preferences, until_s: float
    ) -> Ready[ServedEngine]:
        until_s = min(until_s, self._clock() + self._on_demand.options.hold_s)
        while True:
            found = self._try(model_id, may_load=preferences.load)
            if isinstance(found, Ready):
                return found
            try:
                left_s = until_s - self._clock()
                if not preferences.wait or left_s <= 0:
                    raise ModelLoading(
                        f"Model {model_id} {found.text}", estimated_time_s=found.estimate_s
                    )
                await asyncio.wait((found.change,), timeout=left_s)
            finally:
                with self._lock:
                    self._changed.unsubscribe(found.change)

    def _try(self, model_id: str, *, may_load: bool) -> "Ready[ServedEngine] | _Wait":
        """Borrow the engine; otherwise begin its load, if need be, and wait for a change."""
        with self._lock:
            self._refuse_when_shut()
            ready = self._lifecycle.borrow(model_id)
        if ready is not None:
            return ready
        known = self._on_demand.catalogue.find(model_id)
        if known is None:
            raise ModelUnavailable(f"Model {model_id} is no longer there")
        expected_s = self._expected_s(known)
        needed_bytes = self._needed_bytes(known)
        with self._lock:
            step = self._want(known, needed_bytes, may_load=may_load)
            if isinstance(step, Ready):
                return step
            change = self._changed.subscribe()
        match step:
            case Loading(elapsed_s):
                return _Wait(change, remaining_s(expected_s, elapsed_s))
            case NoRoom():
                most = self._on_demand.options.max_loaded
                text = f"waits for room: the models in memory, {most} at most, are in use"
                return _Wait(change, remaining_s(expected_s, 0.0), text)
            case Started():
                self._begin(known, step)
                return _Wait(change, remaining_s(expected_s, 0.0))

    def _want(
        self, known: KnownModel, needed_bytes: int, *, may_load: bool
    ) -> Ready[ServedEngine] | Loading | NoRoom | Started[ServedEngine]:
        """Ask the lifecycle, with the lock held; raise what `lend` raises where there is no way."""
        self._refuse_when_shut()
        step = self._lifecycle.want(
            known, load=may_load, now_s=self._clock(), needed_bytes=needed_bytes
        )
        self._log_overdue()
        match step:
            case Unloaded():
                raise ModelNotLoaded(f"Model {known.model_id} is not loaded yet")
            case Failed(error):
                retry_after_s = self._on_demand.options.retry_after_s
                raise refused(known, error, retry_after_s=retry_after_s) from error
            case TooLarge():
                raise too_large(known, step)
            case _:
                return step

    def _refuse_when_shut(self) -> None:
        if self._lifecycle.is_shut:
            raise ShuttingDown("the server is going down")

    def _expected_s(self, known: KnownModel) -> float:
        load_s = self._on_demand.times.mean_s(known.model_id)
        if load_s is None:
            load_s = first_estimate_s(self._facts.of(known).weights_bytes)
        return load_s + self._downloads.expected_s(known)

    def _needed_bytes(self, known: KnownModel) -> int:
        """Return the memory that a model is likely to take; measure what the others take now."""
        if self._on_demand.options.memory_bytes is None:
            return 0
        found = {each.info.model_id: each.memory_bytes() for each in self.engines()}
        sizes = {model_id: size for model_id, size in found.items() if size is not None}
        with self._lock:
            self._lifecycle.measured(sizes)
        before = self._memory_bytes.get(known)
        return before or first_estimate_bytes(self._facts.of(known).weights_bytes)

    def _put_idle_away(self, idle_s: float) -> None:
        """Put engines away that nobody uses, until the end."""
        while not self._shut.wait(min(idle_s / 4, _LOOKED_FOR_IDLE_S)):
            with self._lock:
                lives = self._lifecycle.idle(now_s=self._clock(), idle_s=idle_s)
            for life in lives:
                _log.info("a model that nobody uses is put away", model=life.model_id)
                self._put_away(life)

    def _begin(self, known: KnownModel, begun: Started[ServedEngine]) -> None:
        try:
            self._on_demand.start(lambda: self._load(known, begun))
        except RuntimeError as error:  # the system gives no more threads
            self._fail(begun.life, known, error)
            for life in begun.put_away:
                self._put_away(life)

    def _load(self, known: KnownModel, begun: Started[ServedEngine]) -> None:
        """Load a model in a thread of its own, once the engine that made room is closed."""
        life = begun.life
        try:
            for other in begun.put_away:
                self._put_away(other)
            self._fetch(known)
            started_s = self._clock()
            with self._lock:
                self._lifecycle.fetched(life, now_s=started_s)
            engine = self._on_demand.loader.load(known)
        # Whatever it is, a panic of a library included: the callers that wait have to be answered.
        except BaseException as error:  # noqa: BLE001
            self._fail(life, known, error)
            return
        now_s = self._clock()
        memory_bytes = engine.memory_bytes()
        with self._lock:
            serves = self._lifecycle.loaded(life, engine, now_s=now_s)
            if memory_bytes is not None:
                life.memory_bytes = self._memory_bytes[known] = memory_bytes
            self._changed.notify()
        if serves:
            _log.info("model ready", model=known.model_id, load_s=round(now_s - started_s, 2))
            self._on_demand.times.add(known.model_id, now_s - started_s)
        else:
            self._close(life, engine)

    def _fetch(self, known: KnownModel) -> None:
        """Fetch the files of a model of the Hub, if they are not here."""
        if known.facts is None:
            return
        started_s = self._clock()
        self._on_demand.loader.fetch(known, lambda: not self._lifecycle.is_shut)
        self._downloads.add(known, self._clock() - started_s)

    def _fail(self, life: Life[ServedEngine], known: KnownModel, error: BaseException) -> None:
        if isinstance(error, CheckpointError):
            _log.warning("a model cannot be loaded", model=known.model_id, error=str(error))
        elif not isinstance(error, ShuttingDown):
            _log.error("a model cannot be loaded", model=known.model_id, exc_info=error)
        with self._lock:
            self._lifecycle.failed(life, error, now_s=self._clock())
            self._changed.notify()

    def _put_away(self, life: Life[ServedEngine]) -> None:
        if life.engine is not None:
            self._close(life, life.engine)

    def _close(self, life: Life[ServedEngine], engine: ServedEngine) -> None:
        try:
            engine.close()
        except Exception as fault:  # noqa: BLE001 - the next model is loaded all the same
            _log.error("an engine failed to close", model=engine.info.model_id, exc_info=fault)
        finally:
            with self._lock:
                self._lifecycle.closed(life)

    def _log_overdue(self) -> None:
        for known in self._lifecycle.overdue():
            _log.error("a load that does not end is given up", model=known.model_id)


@dataclass(frozen=True, slots=True)
class _Wait:
    """The model is not there at this moment.

    Attributes:
        change: done at the next change.
        estimate_s: how long the load is likely to take from now.
        text: why; where it loads, in the Hub's words.
    """

    change: Change
    estimate_s: float
    text: str = "is currently loading"
