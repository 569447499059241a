"""The life of a model: its states, what moves it from one to the next, and who has a place.

Everything that affects a model's state is here, and as much of it as possible is in `MOVES`.
Nothing here knows a thread, a lock or a clock: time is passed in, and the caller sees to it that
one call ends before the next begins.

A *life* begins when a model is named at the start (it is *pinned*) or when a request wants it, and
ends when nothing of it is left. `MOVES` has every move of a life::

    UNKNOWN -> FOUND -> FETCHING -> LOADING -> READY -> LEAVING -> FOUND
                 ^         |         |   |
                 |         v         |   v
                 +------ FAILED <----+  OVERDUE
                           ^               |
                           +---------------+

When the server goes down, a life that has a place or is OVERDUE is LEAVING. Any other move raises
`IllegalMove`: it is a mistake in the code that calls.

*Nothing is kept of a model that is UNKNOWN or FOUND*: the catalogue is asked each time. So a life
that comes back to FOUND has ended.

*A model may have several lives at once.* At most one of them is current: it has a place, is pinned,
or its load failed lately. The others have lost their place and have not ended: an OVERDUE load that
nothing can interrupt, or an engine that is LEAVING. The same files are not loaded beside their own
OVERDUE load; other files under the same id may be.

*Places.* A life has a place while it is FETCHING, LOADING or READY, and there are never more places
than are set, nor more bytes of memory than all lives may take. Where room is needed, the READY
engines that were used least recently, and are not in use, are put away. A pinned life takes no
place, is READY from the beginning, and never leaves: its engine is closed with the server. A kept
one comes on demand, and then stays as well.

*Time.* Two moves come from time alone, and are made at the next call: a load that has taken too
long becomes OVERDUE, and a FAILED life ends once it is old enough or its files have changed.

*What is shown.* A model in memory is as well as its engine. Whether that is ready, failing,
stalled, restarting or closed the engine alone knows (`earmark.engine.handle`), and it changes
without an event here, so those are no states of `MOVES`: `SHOWN` joins the two.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Generic, Literal, TypeAlias, TypeVar

from earmark.engine.info import EngineState
from earmark.errors import DeadlineExceeded
from earmark.models.catalogue import KnownModel

Engine = TypeVar("Engine")


class State(Enum):
    """Where a life stands."""

    UNKNOWN = "unknown"  # nothing says that there is such a model
    FOUND = "found"  # the catalogue has it, and a request would load it
    FETCHING = "fetching"  # its files are on their way; files that are here take no time
    LOADING = "loading"  # its files are here, and a thread loads it
    READY = "ready"  # its engine is in memory
    OVERDUE = "overdue"  # its load has taken too long and lost its place, and goes on
    FAILED = "failed"  # its load failed, and is not tried again for a while
    LEAVING = "leaving"  # it has lost its place, and its engine is not closed yet


class Event(Enum):
    """What happens to a life."""

    NAMED = "the catalogue has it"
    PINNED = "it was loaded at the start"
    WANTED = "a request wants it, and there is a place"
    FETCHED = "its files are here"
    LOADED = "its load has ended with an engine"
    LOAD_FAILED = "its load has ended with an error"
    LATE = "its load has taken too long"
    FORGIVEN = "its failure is old, or its files have changed"
    PUT_AWAY = "another model gets its room, or nobody has used it for long"
    SHUT_DOWN = "the server goes down"
    CLOSED = "its engine is closed"


MOVES: Final[Mapping[tuple[State, Event], State]] = {
    (State.UNKNOWN, Event.NAMED): State.FOUND,
    (State.UNKNOWN, Event.PINNED): State.READY,
    (State.FOUND, Event.WANTED): State.FETCHING,
    (State.FETCHING, Event.FETCHED): State.LOADING,
    (State.FETCHING, Event.LOAD_FAILED): State.FAILED,
    (State.FETCHING, Event.SHUT_DOWN): State.LEAVING,
    (State.LOADING, Event.LOADED): State.READY,
    (State.LOADING, Event.LOAD_FAILED): State.FAILED,
    (State.LOADING, Event.LATE): State.OVERDUE,
    (State.LOADING, Event.SHUT_DOWN): State.LEAVING,
    (State.READY, Event.PUT_AWAY): State.LEAVING,
    (State.READY, Event.SHUT_DOWN): State.LEAVING,
    (State.OVERDUE, Event.LOADED): State.OVERDUE,  # the late engine has to be closed first
    (State.OVERDUE, Event.CLOSED): State.FAILED,
    (State.OVERDUE, Event.LOAD_FAILED): State.FAILED,
    (State.OVERDUE, Event.SHUT_DOWN): State.LEAVING,
    (State.FAILED, Event.FORGIVEN): State.FOUND,
    (State.LEAVING, Event.FETCHED): State.LEAVING,  # a load goes on while the server goes down
    (State.LEAVING, Event.LOADED): State.LEAVING,
    (State.LEAVING, Event.LOAD_FAILED): State.FOUND,
    (State.LEAVING, Event.CLOSED): State.FOUND,
}

ModelState = EngineState | Literal["loadable", "loading", "failed"]
"""`loadable`: not in memory, a request would load it. `failed`: its last load did, lately."""

SHOWN: Final[Mapping[tuple[State, EngineState | None], ModelState]] = {
    (State.FOUND, None): "loadable",
    (State.FETCHING, None): "loading",
    (State.LOADING, None): "loading",
    (State.READY, "ready"): "ready",
    (State.READY, "failing"): "failing",
    (State.READY, "stalled"): "stalled",
    (State.READY, "restarting"): "restarting",
    (State.READY, "closed"): "closed",
    (State.OVERDUE, None): "failed",
    (State.FAILED, None): "failed",
    (State.LEAVING, None): "loadable",
}
"""What clients see, by the state of a life and of the engine that is in memory."""

_PLACED: Final = frozenset({State.FETCHING, State.LOADING, State.READY})
_IN_MEMORY: Final = _PLACED | {State.OVERDUE}
_WITHOUT_PLACE: Final = frozenset({State.OVERDUE, State.LEAVING})


class IllegalMove(RuntimeError):
    """An event came in a state that does not expect it: a mistake in this program."""


def after(state: State, event: Event) -> State:
    """Return the state that an event leads to; raise `IllegalMove` where it leads nowhere."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise IllegalMove(f"{event} came while a model was {state}") from None


@dataclass(slots=True, eq=False)
class Life(Generic[Engine]):
    """One life of a model; only its `Lifecycle` changes it.

    Attributes:
        model_id: the model.
        known: its files, as they were when the life began; None of a pinned one.
        state: where it stands.
        engine: while it is READY, and afterwards until it is closed.
        users: how many requests have borrowed the engine.
        began_s: when a request wanted it.
        used_s: when it was loaded or given back last.
        due_s: when the load is taken to be too late; infinite while files are fetched.
        failed_s: when the load failed, or was found to be too late.
        error: why it failed.
        memory_bytes: what it takes, measured or estimated.
    """

    model_id: str
    known: KnownModel | None
    state: State = State.UNKNOWN
    engine: Engine | None = None
    users: int = 0
    began_s: float = 0.0
    used_s: float = 0.0
    due_s: float = float("inf")
    failed_s: float = float("-inf")
    error: BaseException | None = None
    memory_bytes: int = 0

    @property
    def pinned(self) -> bool:
        """Whether the model was loaded at the start and stays."""
        return self.known is None


@dataclass(frozen=True, slots=True)
class Ready(Generic[Engine]):
    """The engine is borrowed: it stays until it is given back."""

    life: Life[Engine]
    engine: Engine


@dataclass(frozen=True, slots=True)
class Started(Generic[Engine]):
    """The caller has to load the model.

    Attributes:
        life: of the model.
        put_away: lives whose engines have to be closed before the load begins.
    """

    life: Life[Engine]
    put_away: tuple[Life[Engine], ...]


@dataclass(frozen=True, slots=True)
class Loading:
    """The model is being loaded, for so many seconds by now."""

    elapsed_s: float


@dataclass(frozen=True, slots=True)
class NoRoom:
    """Every place is taken by a load or by an engine in use."""


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The model does not fit even alone beside what stays.

    Attributes:
        needed_bytes: what it takes.
        budget_bytes: what all models may take.
        stays_bytes: what those take that stay.
    """

    needed_bytes: int
    budget_bytes: int
    stays_bytes: int


@dataclass(frozen=True, slots=True)
class Unloaded:
    """The model is not in memory, and the caller wants no load."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The last load failed, too short a time ago to try again with the same files."""

    error: BaseException


Step: TypeAlias = Ready[Engine] | Started[Engine] | Loading | NoRoom | TooLarge | Unloaded | Failed
"""What a caller that wants a model gets, or has to do."""


@dataclass(slots=True)
class Lifecycle(Generic[Engine]):
    """The lives of all models.

    Attributes:
        max_loaded: places.
        retry_after_s: for how long a failed load is not tried again, unless the files change.
        load_s: how long a load may take once the files are here.
        budget_bytes: memory that all lives may take; None for any.
        kept: models that are not put away once they are loaded.
        is_shut: whether the server goes down.
    """

    max_loaded: int
    retry_after_s: float
    load_s: float = float("inf")
    budget_bytes: int | None = None
    kept: frozenset[str] = frozenset()
    is_shut: bool = False
    _current: dict[str, Life[Engine]] = field(default_factory=dict)
    _without_place: set[Life[Engine]] = field(default_factory=set)
    _overdue: list[KnownModel] = field(default_factory=list)

    def pin(self, model_id: str, engine: Engine, *, memory_bytes: int = 0) -> None:
        """Take an engine that stays until the end.

        Raises:
            ValueError: there is one of this id.
        """
        if model_id in self._current:
            raise ValueError(f"two engines have the model id {model_id}")
        life = Life(model_id, None, engine=engine, memory_bytes=memory_bytes)
        self._move(life, Event.PINNED)

    def engine(self, model_id: str) -> Engine | None:
        """Return an engine in memory, without borrowing it."""
        life = self._current.get(model_id)
        return life.engine if life is not None else None

    def engines(self) -> tuple[Engine, ...]:
        """List the engines in memory, pinned ones first."""
        return tuple(life.engine for life in self._current.values() if life.engine is not None)

    def placed(self) -> tuple[str, ...]:
        """List the models that have a place."""
        return tuple(life.model_id for life in self._places())

    def state(self, model_id: str, known: KnownModel | None, *, now_s: float) -> State:
        """Return the state of a model; `known` is what the catalogue has under the id, if any."""
        self._find_overdue(now_s)
        life = self._current.get(model_id)
        if life is not None and life.state in _PLACED:
            return life.state
        if known is None:
            return State.UNKNOWN
        failed = self._failed(known, now_s)
        if failed is not None:
            return failed.state
        leaves = any(each.known == known for each in self._without_place)
        return State.LEAVING if leaves else State.FOUND

    def borrow(self, model_id: str) -> Ready[Engine] | None:
        """Borrow an engine in memory; None where it is not."""
        life = self._current.get(model_id)
        if life is None or life.engine is None:
            return None
        life.users += 1
        return Ready(life, life.engine)

    def give_back(self, life: Life[Engine], *, now_s: float) -> None:
        """Give a borrowed engine back, exactly once."""
        life.users -= 1
        life.used_s = now_s

    def measured(self, memory_bytes: Mapping[str, int]) -> None:
        """Note how much memory engines take, by model."""
        for model_id, found in memory_bytes.items():
            life = self._current.get(model_id)
            if life is not None and life.engine is not None:
                life.memory_bytes = found

    def idle(self, *, now_s: float, idle_s: float) -> tuple[Life[Engine], ...]:
        """Put engines away that nobody has used for so long; they have to be closed."""
        found = tuple(life for life in self._idle() if now_s - life.used_s >= idle_s)
        for life in found:
            self._move(life, Event.PUT_AWAY)
        return found

    def want(
        self, known: KnownModel, *, load: bool, now_s: float, needed_bytes: int = 0
    ) -> Step[Engine]:
        """Borrow a model, begin its load if one may begin, or return the reason for neither.

        Args:
            known: the model.
            load: whether its load may begin.
            now_s: moment on the clock.
            needed_bytes: memory that it is likely to take.
        """
        self._find_overdue(now_s)
        ready = self.borrow(known.model_id)
        if ready is not None:
            return ready
        if not load:
            return Unloaded()
        life = self._current.get(known.model_id)
        if life is not None and life.state in _PLACED:
            return Loading(now_s - life.began_s)
        failed = self._failed(known, now_s)
        if failed is not None and failed.error is not None:
            return Failed(failed.error)
        return self._begin(known, now_s, needed_bytes)

    def fetched(self, life: Life[Engine], *, now_s: float) -> None:
        """Note that a load has its files: the time that it may take runs from now."""
        self._move(life, Event.FETCHED)
        life.due_s = now_s + self.load_s

    def loaded(self, life: Life[Engine], engine: Engine, *, now_s: float) -> bool:
        """Take a loaded engine, and return whether it serves; otherwise it has to be closed."""
        self._move(life, Event.LOADED)
        if life.state is not State.READY:
            return False
        life.engine, life.used_s = engine, now_s
        return True

    def failed(self, life: Life[Engine], error: BaseException, *, now_s: float) -> None:
        """Note that a load has failed; one that was overdue failed when it became so."""
        if life.state is not State.OVERDUE:
            life.error, life.failed_s = error, now_s
        self._move(life, Event.LOAD_FAILED)

    def closed(self, life: Life[Engine]) -> None:
        """Note that the engine of a life that has no place is closed."""
        self._move(life, Event.CLOSED)
        life.engine = None

    def overdue(self) -> tuple[KnownModel, ...]:
        """List the models whose loads were found to be overdue since the last call."""
        found = tuple(self._overdue)
        self._overdue.clear()
        return found

    def shut_down(self) -> tuple[Life[Engine], ...]:
        """Take every place, and return the lives whose engines have to be closed."""
        self.is_shut = True
        ready = tuple(life for life in self._places() if life.state is State.READY)
        overdue = [life for life in self._without_place if life.state is State.OVERDUE]
        for life in (*self._places(), *overdue):
            self._move(life, Event.SHUT_DOWN)
        return ready

    def _move(self, life: Life[Engine], event: Event) -> None:
        """Make a move, and keep the life where its state belongs."""
        life.state = after(life.state, event)
        current = self._current.get(life.model_id) is life
        if current and (life.state in _WITHOUT_PLACE or life.state is State.FOUND):
            del self._current[life.model_id]
        if life.state in _WITHOUT_PLACE:
            self._without_place.add(life)
            return
        self._without_place.discard(life)
        if life.state is not State.FOUND:
            # A later life of the model, if there is one, stays the current one.
            self._current.setdefault(life.model_id, life)

    def _places(self) -> list[Life[Engine]]:
        lives = self._current.values()
        return [life for life in lives if life.state in _PLACED and not life.pinned]

    def _find_overdue(self, now_s: float) -> None:
        for life in self._places():
            if life.state is State.LOADING and now_s >= life.due_s and life.known is not None:
                life.error = DeadlineExceeded(f"the load did not end within {self.load_s:.0f} s")
                life.failed_s = now_s
                self._move(life, Event.LATE)
                self._overdue.append(life.known)

    def _failed(self, known: KnownModel, now_s: float) -> Life[Engine] | None:
        """Return the life because of which these files are not loaded now."""
        for life in self._without_place:
            if life.state is State.OVERDUE and life.known == known:
                return life
        failed = self._current.get(known.model_id)
        if failed is None or failed.state is not State.FAILED:
            return None
        if failed.known == known and now_s - failed.failed_s < self.retry_after_s:
            return failed
        self._move(failed, Event.FORGIVEN)
        return None

    def _begin(
        self, known: KnownModel, now_s: float, needed_bytes: int
    ) -> Started[Engine] | NoRoom | TooLarge:
        room = self._room(needed_bytes)
        if not isinstance(room, tuple):
            return room
        for life in room:
            self._move(life, Event.PUT_AWAY)
        begun: Life[Engine] = Life(known.model_id, known, began_s=now_s, memory_bytes=needed_bytes)
        self._move(begun, Event.NAMED)
        self._move(begun, Event.WANTED)
        return Started(begun, room)

    def _room(self, needed_bytes: int) -> tuple[Life[Engine], ...] | NoRoom | TooLarge:
        """Choose what to put away for a model."""
        budget = self.budget_bytes if self.budget_bytes is not None else sys.maxsize
        idle = self._idle()
        lives = (*self._current.values(), *self._without_place)
        stays = sum(one.memory_bytes for one in lives if self._stays(one))
        if stays + needed_bytes > budget:
            return TooLarge(needed_bytes, budget, stays)
        places = len(self._places())
        taken = sum(one.memory_bytes for one in lives if one.state in _IN_MEMORY)
        chosen: list[Life[Engine]] = []
        while places >= self.max_loaded or taken + needed_bytes > budget:
            if not idle:
                return NoRoom()
            life = idle.pop(0)
            chosen.append(life)
            places -= 1
            taken -= life.memory_bytes
        return tuple(chosen)

    def _stays(self, life: Life[Engine]) -> bool:
        return life.pinned or (life.model_id in self.kept and life.state is State.READY)

    def _idle(self) -> list[Life[Engine]]:
        """List the engines that may be put away, the one used least recently first."""
        found = [
            life
            for life in self._places()
            if life.state is State.READY and not life.users and not self._stays(life)
        ]
        return sorted(found, key=lambda life: (life.used_s, life.model_id))
