"""Models that are loaded when a request asks for them."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import structlog
from msgspec import Meta

from earmark.domain.preferences import Preferences
from earmark.domain.setting import Setting
from earmark.errors import (
    CheckpointError,
    ModelLoading,
    ModelNotLoaded,
    ModelUnavailable,
    ShuttingDown,
)
from earmark.models.catalogue import Catalogue, KnownModel
from earmark.models.change_signal import Bell, Ear
from earmark.models.download_times import DownloadTimes
from earmark.models.engines import ModelLoader, ServedEngine
from earmark.models.facts import KnownFacts
from earmark.models.lifecycle import Failed, Loading, NoRoom, Ready, Shelf, Started, Unloaded
from earmark.models.load_threads import start_load
from earmark.models.load_times import LoadTimes, first_estimate_s, remaining_s
from earmark.models.refusals import refused
from earmark.models.status import ModelStatus

__all__ = ["OnDemand", "OnDemandOptions"]

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.models")


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDemandOptions:
    """How models are loaded on demand.

    Attributes:
        max_loaded: those loaded at the start do not count.
        hold_s: below the 300 s after which Node's fetch gives up on its own.
        retry_after_s: a load that failed is not tried again for so long, unless files change.
        load_s: a load that has taken longer, downloads not counted, has failed: its place is free
            for another. What it still makes is closed, and as long as it goes on the same files
            are not loaded again.
    """

    max_loaded: Annotated[int, Meta(ge=1, le=1024), Setting("Models loaded on demand at once.")] = 4
    hold_s: Annotated[
        float,
        Meta(ge=0, lt=300),
        Setting("Seconds for which a request waits for its model, if it does."),
    ] = 60.0
    retry_after_s: float = 30.0
    load_s: Annotated[
        float,
        Meta(gt=0),
        Setting(
            "Seconds after which a load on demand has failed, downloads not counted.",
            name="load_timeout_s",
        ),
    ] = 900.0


class OnDemand:
    """Loads models of a catalogue, and puts the least used away; safe from any thread.

    Those who wait do so in their event loop; each load runs in a thread of its own.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        loader: ModelLoader,
        options: OnDemandOptions | None = None,
        *,
        times: LoadTimes | None = None,
        clock: Callable[[], float] = time.monotonic,
        start: Callable[[Callable[[], None]], None] = start_load,
    ) -> None:
        """Begin with nothing loaded.

        Args:
            catalogue: what can be had.
            loader: how to get it.
            options: the defaults when None.
            times: what is known of earlier loads; nothing when None.
            clock: seconds.
            start: runs a load beside the caller.
        """
        self._options = options or OnDemandOptions()
        self._catalogue, self._loader = catalogue, loader
        self._times = times or LoadTimes()
        self._downloads = DownloadTimes()
        self._clock, self._start = clock, start
        self._lock = threading.Lock()
        self._bell = Bell()
        self._closed = False
        self._shelf: Shelf[ServedEngine] = Shelf(
            self._options.max_loaded, self._options.retry_after_s, self._options.load_s
        )
        self._facts = KnownFacts(loader)

    def ids(self) -> tuple[str, ...]:
        """List what can be had now, and what is in memory though its files have gone."""
        with self._lock:
            held = self._shelf.ids()
        return tuple(dict.fromkeys((*self._catalogue.ids(), *held)))

    def knows(self, model_id: str) -> bool:
        """Say whether a model is in memory or can be had."""
        with self._lock:
            held = self._shelf.engine(model_id) is not None
        return held or self._catalogue.find(model_id) is not None

    def at_hand(self, model_id: str) -> bool:
        """Say whether a model is in memory, or can be had without the Hub."""
        with self._lock:
            held = self._shelf.engine(model_id) is not None
        if held:
            return True
        known = self._catalogue.find(model_id)
        return known is not None and known.facts is None

    def engines(self) -> tuple[ServedEngine, ...]:
        """List the engines in memory."""
        with self._lock:
            return self._shelf.engines()

    def status(self, model_id: str) -> ModelStatus | None:
        """Tell how a model is, without loading it; None for an unknown one.

        Raises:
            UnusableModel: its files do not even say what it is for.
        """
        with self._lock:
            engine = self._shelf.engine(model_id)
        if engine is not None:
            return ModelStatus.of(engine)
        known = self._catalogue.find(model_id)
        if known is None:
            return None
        facts = self._facts.of(known)
        with self._lock:
            state = self._shelf.state(known, now_s=self._clock())
            given_up = self._shelf.given_up()
        _tell(given_up)
        return ModelStatus(facts, state)

    @asynccontextmanager
    async def engine(
        self, model_id: str, preferences: Preferences, *, until_s: float
    ) -> AsyncIterator[ServedEngine]:
        """Borrow a model's engine, loading it where it is not in memory.

        A caller who leaves while he is held gives up his place; the load goes on.

        Args:
            model_id: of a model that `knows` knows.
            preferences: whether to load it, and to wait for that.
            until_s: moment on the clock after which nobody waits.

        Raises:
            ModelLoading: it is not ready, and the caller does not wait or has waited long enough.
            ModelNotLoaded: it is not in memory, and the caller wants no load.
            ModelUnavailable: its load failed, or its files have gone.
            UnusableModel: its files cannot run here.
            ModelOutOfReach: it is of the Hub, and could not be fetched.
            ShuttingDown: the server is going down.
        """
        engine = await self._obtain(model_id, preferences, until_s)
        try:
            yield engine
        finally:
            with self._lock:
                self._shelf.give_back(model_id, now_s=self._clock())
                self._bell.ring()

    def close(self) -> tuple[ServedEngine, ...]:
        """Load nothing more; return the engines in memory, for the caller to close.

        Waits for no load: one in progress is closed by its own thread when it is done.
        """
        with self._lock:
            self._closed = True
            self._bell.ring()
            return self._shelf.clear()

    async def _obtain(
        self, model_id: str, preferences: Preferences, until_s: float
    ) -> ServedEngine:
        until_s = min(until_s, self._clock() + self._options.hold_s)
        while True:
            found = self._try(model_id, may_load=preferences.load)
            if not isinstance(found, _Wait):
                return found
            try:
                left_s = until_s - self._clock()
                if not preferences.wait or left_s <= 0:
                    raise ModelLoading(
                        f"Model {model_id} {found.text}", estimated_time_s=found.estimate_s
                    )
                await asyncio.wait((found.ear,), timeout=left_s)
            finally:
                with self._lock:
                    self._bell.leave(found.ear)

    def _try(self, model_id: str, *, may_load: bool) -> "ServedEngine | _Wait":
        """Take the engine, or begin its load, and hear of the next change."""
        with self._lock:
            self._refuse_when_closed()
            engine = self._shelf.borrow(model_id, now_s=self._clock())
        if engine is not None:
            return engine
        known = self._catalogue.find(model_id)
        if known is None:
            raise ModelUnavailable(f"Model {model_id} is no longer there")
        expected_s = self._expected_s(known)
        begun: Started[ServedEngine] | None = None
        with self._lock:
            self._refuse_when_closed()
            step = self._shelf.want(known, load=may_load, now_s=self._clock())
            _tell(self._shelf.given_up())
            match step:
                case Ready(engine):
                    return engine
                case Unloaded():
                    raise ModelNotLoaded(f"Model {model_id} is not loaded yet")
                case Failed(error):
                    raise refused(
                        known, error, retry_after_s=self._options.retry_after_s
                    ) from error
                case Loading(elapsed_s):
                    wait = _Wait(self._bell.listen(), remaining_s(expected_s, elapsed_s))
                case Started():
                    begun = step
                    wait = _Wait(self._bell.listen(), remaining_s(expected_s, 0.0))
                case NoRoom():
                    text = (
                        f"waits for room: {self._options.max_loaded} models, as many as may be in"
                        " memory, are in use"
                    )
                    wait = _Wait(self._bell.listen(), remaining_s(expected_s, 0.0), text)
        if begun is not None:
            self._begin(known, begun)
        return wait

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise ShuttingDown("the server is going down")

    def _expected_s(self, known: KnownModel) -> float:
        load_s = self._times.mean_s(known.model_id)
        if load_s is None:
            load_s = first_estimate_s(self._facts.of(known).weights_bytes)
        return load_s + self._downloads.expected_s(known)

    def _begin(self, known: KnownModel, begun: Started[ServedEngine]) -> None:
        try:
            self._start(lambda: self._load(known, begun.load, begun.put_away))
        except RuntimeError as error:  # the system gives no more threads
            self._give_up(known, begun.load, error)
            if begun.put_away is not None:
                _close(begun.put_away)

    def _load(self, known: KnownModel, load: int, put_away: ServedEngine | None) -> None:
        """Load a model in a thread of its own, once what made room for it is gone."""
        try:
            if put_away is not None:
                _close(put_away)
            self._fetch(known)
            started_s = self._clock()
            with self._lock:
                self._shelf.fetched(known.model_id, load, now_s=started_s)
            engine = self._loader.load(known)
        except ShuttingDown:
            return  # whoever waits has been told
        # Whatever it is, a panic of a library included: whoever waits for the model is told.
        except BaseException as error:  # noqa: BLE001
            self._give_up(known, load, error)
            return
        took_s = self._clock() - started_s
        with self._lock:
            now_s = self._clock()
            wanted = not self._closed and self._shelf.finished(
                known.model_id, load, engine, now_s=now_s
            )
            self._bell.ring()
        if not wanted:
            _close(engine)
            return
        _log.info("model ready", model=known.model_id, load_s=round(took_s, 2))
        self._times.add(known.model_id, took_s)

    def _fetch(self, known: KnownModel) -> None:
        """Bring the files of a model of the Hub here, if they are not."""
        if known.facts is None:
            return
        started_s = self._clock()
        self._loader.fetch(known, lambda: not self._closed)
        self._downloads.add(known, self._clock() - started_s)

    def _give_up(self, known: KnownModel, load: int, error: BaseException) -> None:
        if isinstance(error, CheckpointError):
            _log.warning("a model cannot be loaded", model=known.model_id, error=str(error))
        else:
            _log.error("a model cannot be loaded", model=known.model_id, exc_info=error)
        with self._lock:
            if not self._closed:
                self._shelf.failed(known, load, error, now_s=self._clock())
            self._bell.ring()


@dataclass(frozen=True, slots=True)
class _Wait:
    """Nothing to be had at this moment.

    Attributes:
        ear: done at the next change.
        estimate_s: how long the load is likely to take from now.
        text: why; the Hub's words where it loads.
    """

    ear: Ear
    estimate_s: float
    text: str = "is currently loading"


def _tell(given_up: tuple[KnownModel, ...]) -> None:
    for known in given_up:
        _log.error("a load that does not end is given up", model=known.model_id)


def _close(engine: ServedEngine) -> None:
    try:
        engine.close()
    except Exception as fault:  # noqa: BLE001 - one that will not go must not keep the next out
        _log.error("an engine failed to close", model=engine.info.model_id, exc_info=fault)
