"""The engines loaded on demand: who loads, who is ready, who has to make room.

Pure: no thread, no lock, no clock; time is passed in. A model has a *place* from the moment its
load begins until it is put away or its load fails; there are never more places than are set.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Generic, Literal, TypeAlias, TypeVar

from earmark.errors import DeadlineExceeded
from earmark.models.catalogue import KnownModel

__all__ = ["Failed", "Loading", "NoRoom", "Ready", "Shelf", "Started", "Step", "Unloaded"]

Engine = TypeVar("Engine")


@dataclass(frozen=True, slots=True)
class Ready(Generic[Engine]):
    """The engine, borrowed: it stays until it is given back."""

    engine: Engine


@dataclass(frozen=True, slots=True)
class Started(Generic[Engine]):
    """The caller has to load the model, once the engine put away for it, if any, is closed.

    Attributes:
        put_away: that engine.
        load: names this load when it ends: it may have been given up by then.
    """

    put_away: Engine | None
    load: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Loading:
    """Someone loads it, for so many seconds by now."""

    elapsed_s: float


@dataclass(frozen=True, slots=True)
class NoRoom:
    """Every place is loading or in use."""


@dataclass(frozen=True, slots=True)
class Unloaded:
    """Not in memory, and the caller does not want it loaded."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The last load failed, too short a time ago to try again with the same files."""

    error: BaseException


Step: TypeAlias = Ready[Engine] | Started[Engine] | Loading | NoRoom | Unloaded | Failed
"""What there is for a caller who wants a model."""


@dataclass(slots=True)
class _Place(Generic[Engine]):
    known: KnownModel
    load: int
    started_s: float
    used_s: float
    due_s: float | None = None
    engine: Engine | None = None
    users: int = 0


@dataclass(frozen=True, slots=True)
class _Failure:
    known: KnownModel
    error: BaseException
    failed_s: float


@dataclass(slots=True)
class Shelf(Generic[Engine]):
    """Engines by model id, at most so many at once.

    Attributes:
        max_loaded: places.
        retry_after_s: for how long a failed load is not tried again, unless the files change.
        load_s: how long a load may take once the files are here.
    """

    max_loaded: int
    retry_after_s: float
    load_s: float = float("inf")
    _places: dict[str, _Place[Engine]] = field(default_factory=dict)
    _failures: dict[str, _Failure] = field(default_factory=dict)
    _loads: "count[int]" = field(default_factory=count)
    _left_behind: dict[int, _Failure] = field(default_factory=dict)
    _given_up: list[KnownModel] = field(default_factory=list)

    def engine(self, model_id: str) -> Engine | None:
        """Look at an engine without borrowing it."""
        place = self._places.get(model_id)
        return place.engine if place else None

    def engines(self) -> tuple[Engine, ...]:
        """List the engines that are ready."""
        return tuple(place.engine for place in self._places.values() if place.engine is not None)

    def ids(self) -> tuple[str, ...]:
        """List the models that have a place."""
        return tuple(self._places)

    def state(self, known: KnownModel, *, now_s: float) -> Literal["loadable", "loading", "failed"]:
        """Tell how a model is that is not ready."""
        self._give_up_overdue(now_s)
        if known.model_id in self._places:
            return "loading"
        return "failed" if self._failure(known, now_s) else "loadable"

    def borrow(self, model_id: str, *, now_s: float) -> Engine | None:
        """Take an engine that is ready; None where it is not."""
        place = self._places.get(model_id)
        if place is None or place.engine is None:
            return None
        place.users += 1
        place.used_s = now_s
        return place.engine

    def give_back(self, model_id: str, *, now_s: float) -> None:
        """End a borrowing; exactly once for each, and for nothing once the shelf is cleared."""
        place = self._places.get(model_id)
        if place is not None:
            place.users -= 1
            place.used_s = now_s

    def want(self, known: KnownModel, *, load: bool, now_s: float) -> Step[Engine]:
        """Borrow a model, or begin its load, or say why neither.

        Args:
            known: the model, as its files are now.
            load: whether a load may begin.
            now_s: on the caller's clock.
        """
        self._give_up_overdue(now_s)
        engine = self.borrow(known.model_id, now_s=now_s)
        if engine is not None:
            return Ready(engine)
        if not load:
            return Unloaded()
        place = self._places.get(known.model_id)
        if place is not None:
            return Loading(now_s - place.started_s)
        failure = self._failure(known, now_s)
        if failure is not None:
            return Failed(failure.error)
        return self._begin(known, now_s)

    def fetched(self, model_id: str, load: int, *, now_s: float) -> None:
        """Note that a load has its files: the time that it may take runs from now."""
        place = self._place(model_id, load)
        if place is not None:
            place.due_s = now_s + self.load_s

    def finished(self, model_id: str, load: int, engine: Engine, *, now_s: float) -> bool:
        """Put a loaded engine in its place; return False where the load was given up before."""
        self._left_behind.pop(load, None)
        place = self._place(model_id, load)
        if place is None:
            return False
        place.engine = engine
        place.used_s = now_s
        self._failures.pop(model_id, None)
        return True

    def failed(self, known: KnownModel, load: int, error: BaseException, *, now_s: float) -> None:
        """Give up the place of a model whose load failed, if it was not given up before."""
        self._left_behind.pop(load, None)
        if self._place(known.model_id, load) is not None:
            del self._places[known.model_id]
            self._failures[known.model_id] = _Failure(known, error, now_s)

    def given_up(self) -> tuple[KnownModel, ...]:
        """List the models whose loads were given up for taking too long, each load once."""
        found = tuple(self._given_up)
        self._given_up.clear()
        return found

    def clear(self) -> tuple[Engine, ...]:
        """Empty the shelf, whoever uses it; return the engines that were ready."""
        engines = self.engines()
        self._places.clear()
        return engines

    def _place(self, model_id: str, load: int) -> _Place[Engine] | None:
        """Return the place of this very load."""
        place = self._places.get(model_id)
        return place if place is not None and place.load == load else None

    def _give_up_overdue(self, now_s: float) -> None:
        """Take the places of loads that have taken too long."""
        for place in tuple(self._places.values()):
            if place.engine is None and place.due_s is not None and now_s >= place.due_s:
                error = DeadlineExceeded(f"the load did not end within {self.load_s:.0f} s")
                self.failed(place.known, place.load, error, now_s=now_s)
                self._left_behind[place.load] = self._failures[place.known.model_id]
                self._given_up.append(place.known)

    def _failure(self, known: KnownModel, now_s: float) -> _Failure | None:
        for left in self._left_behind.values():
            if left.known == known:
                return left  # it goes on still, and another would go on beside it
        failure = self._failures.get(known.model_id)
        if failure is None or failure.known != known:
            return None
        return failure if now_s - failure.failed_s < self.retry_after_s else None

    def _begin(self, known: KnownModel, now_s: float) -> Started[Engine] | NoRoom:
        """Take a place, which may be that of the idle engine used least recently."""
        put_away: Engine | None = None
        if len(self._places) >= self.max_loaded:
            idle = [
                (place.used_s, one)
                for one, place in self._places.items()
                if place.engine is not None and not place.users
            ]
            if not idle:
                return NoRoom()
            put_away = self._places.pop(min(idle)[1]).engine
        load = next(self._loads)
        self._places[known.model_id] = _Place(known, load, now_s, now_s)
        return Started(put_away, load)
