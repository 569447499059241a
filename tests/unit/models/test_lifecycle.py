"""The moves of a model's life, and which models get a place in memory."""

from collections.abc import Iterator
from itertools import count, product
from typing import get_args

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from earmark.checkpoint.ref import BundledRef
from earmark.engine.info import EngineState
from earmark.errors import DeadlineExceeded
from earmark.models.catalogue import KnownModel
from earmark.models.lifecycle import (
    MOVES,
    SHOWN,
    Event,
    Failed,
    IllegalMove,
    Life,
    Lifecycle,
    Loading,
    NoRoom,
    Ready,
    Started,
    State,
    TooLarge,
    Unloaded,
    after,
)

PLACES = 2
RETRY_S = 30.0
A, B, C = (KnownModel(name, BundledRef(name)) for name in "ABC")
MENDED_A = KnownModel("A", BundledRef("A"), (("config.json", 2, 1),))
SIZES, BUDGET = {"A": 3, "B": 5, "C": 4}, 9
BROKEN = OSError("disk")


def _lifecycle(*loaded: KnownModel) -> Lifecycle[str]:
    lifecycle: Lifecycle[str] = Lifecycle(PLACES, RETRY_S)
    for now_s, known in enumerate(loaded):
        life = _begun(lifecycle, known, now_s=now_s)
        lifecycle.fetched(life, now_s=now_s)
        assert lifecycle.loaded(life, f"engine {known.model_id}", now_s=now_s)
    return lifecycle


def _begun(lifecycle: Lifecycle[str], known: KnownModel, *, now_s: float) -> Life[str]:
    """Begin a load and return its life."""
    step = lifecycle.want(known, load=True, now_s=now_s)
    assert isinstance(step, Started)
    return step.life


def _put_away(lifecycle: Lifecycle[str], known: KnownModel, *, now_s: float) -> str | None:
    """Begin a load and return the engine that has to be closed for it."""
    step = lifecycle.want(known, load=True, now_s=now_s)
    assert isinstance(step, Started)
    return step.put_away[0].engine if step.put_away else None


def _borrowed(lifecycle: Lifecycle[str], model_id: str) -> Life[str]:
    ready = lifecycle.borrow(model_id)
    assert ready is not None
    return ready.life


def _overdue(*, places: int = PLACES) -> tuple[Lifecycle[str], Life[str]]:
    """Let a load of A be overdue at 10 s."""
    lifecycle: Lifecycle[str] = Lifecycle(places, RETRY_S, load_s=10.0)
    slow = _begun(lifecycle, A, now_s=0.0)
    lifecycle.fetched(slow, now_s=0.0)
    return lifecycle, slow


@pytest.mark.parametrize(
    ("state", "event"),
    [each for each in product(State, Event) if each not in MOVES],
)
def test_an_event_that_a_state_does_not_expect_is_refused(state: State, event: Event) -> None:
    """A move that is not in the table raises, and names the state and the event."""
    with pytest.raises(IllegalMove, match=rf"{event}.*{state}"):
        after(state, event)


@pytest.mark.parametrize("state", State)
def test_every_state_is_reached_and_leads_to_an_end(state: State) -> None:
    """From UNKNOWN some events lead to each state, and from each some lead to FOUND."""
    assert state in _reached(State.UNKNOWN)
    assert State.FOUND in _reached(state)


def _reached(begin: State) -> set[State]:
    reached: set[State] = set()
    further = {begin}
    while further:
        reached |= further
        further = {to for (state, _), to in MOVES.items() if state in further} - reached
    return reached


def test_clients_see_a_word_for_every_state_but_unknown() -> None:
    """A model that is READY shows how its engine is; any other state has one word."""
    alone = {state for state, engine in SHOWN if engine is None}
    assert alone == set(State) - {State.UNKNOWN, State.READY}
    in_memory = {engine: word for (state, engine), word in SHOWN.items() if state is State.READY}
    assert in_memory == {each: each for each in get_args(EngineState)}


def test_two_callers_that_want_one_model_share_its_load() -> None:
    """The second caller learns for how long the load has been going on."""
    lifecycle = _lifecycle()
    life = _begun(lifecycle, A, now_s=5.0)
    assert lifecycle.want(A, load=True, now_s=8.0) == Loading(3.0)
    assert lifecycle.state("A", A, now_s=8.0) is State.FETCHING
    lifecycle.fetched(life, now_s=8.0)
    assert lifecycle.state("A", A, now_s=8.0) is State.LOADING
    lifecycle.loaded(life, "engine", now_s=9.0)
    assert lifecycle.state("A", A, now_s=9.0) is State.READY
    assert lifecycle.want(A, load=True, now_s=9.0) == Ready(life, "engine")


def test_a_caller_that_wants_no_load_starts_none() -> None:
    """It does not wait for the load of another caller either."""
    lifecycle = _lifecycle()
    assert lifecycle.want(A, load=False, now_s=0.0) == Unloaded()
    assert lifecycle.state("A", A, now_s=0.0) is State.FOUND
    lifecycle.want(A, load=True, now_s=0.0)
    assert lifecycle.want(A, load=False, now_s=0.0) == Unloaded()


def test_a_model_that_the_catalogue_lacks_is_unknown_unless_it_is_in_memory() -> None:
    """Files may go away while their engine serves."""
    lifecycle = _lifecycle(A)
    assert lifecycle.state("A", None, now_s=1.0) is State.READY
    assert lifecycle.state("B", None, now_s=1.0) is State.UNKNOWN


def test_the_idle_engine_used_least_recently_makes_room() -> None:
    """A was borrowed before B and given back after B, so B is put away."""
    lifecycle = _lifecycle(A, B)
    first, second = _borrowed(lifecycle, "A"), _borrowed(lifecycle, "B")
    lifecycle.give_back(second, now_s=7.0)
    lifecycle.give_back(first, now_s=8.0)
    assert _put_away(lifecycle, C, now_s=9.0) == "engine B"
    assert lifecycle.placed() == ("A", "C")


def test_an_engine_that_is_put_away_is_leaving_until_it_is_closed() -> None:
    """The model may be wanted again before its old engine is closed."""
    lifecycle = _lifecycle(A, B)
    step = lifecycle.want(C, load=True, now_s=9.0)
    assert isinstance(step, Started)
    (put_away,) = step.put_away
    assert lifecycle.state("A", A, now_s=9.0) is State.LEAVING
    assert lifecycle.want(A, load=True, now_s=9.0) != NoRoom()
    lifecycle.closed(put_away)
    assert put_away.engine is None
    assert lifecycle.state("A", A, now_s=9.0) is State.FETCHING
    with pytest.raises(IllegalMove):
        lifecycle.closed(put_away)


def test_engines_in_use_and_loads_make_no_room() -> None:
    """With one model in use and one loading, the third waits until the first is given back."""
    lifecycle = _lifecycle(A)
    life = _borrowed(lifecycle, "A")
    lifecycle.want(B, load=True, now_s=1.0)
    assert lifecycle.want(C, load=True, now_s=1.0) == NoRoom()
    lifecycle.give_back(life, now_s=2.0)
    assert _put_away(lifecycle, C, now_s=2.0) == "engine A"


def test_a_pinned_engine_takes_no_place_and_makes_no_room() -> None:
    """It is never put away, however long nobody uses it."""
    lifecycle = _lifecycle()
    lifecycle.pin("P", "pinned")
    assert _put_away(lifecycle, A, now_s=1.0) is None
    assert _put_away(lifecycle, B, now_s=1.0) is None
    assert lifecycle.want(C, load=True, now_s=1.0) == NoRoom()
    assert lifecycle.placed() == ("A", "B")
    assert lifecycle.engine("P") == "pinned"
    with pytest.raises(ValueError, match="two engines have the model id P"):
        lifecycle.pin("P", "another")


def test_a_failed_load_is_remembered_for_a_while_or_until_the_files_change() -> None:
    """Its place is free at once."""
    lifecycle = _lifecycle()
    life = _begun(lifecycle, A, now_s=0.0)
    lifecycle.failed(life, BROKEN, now_s=1.0)
    assert lifecycle.placed() == ()
    assert lifecycle.want(A, load=True, now_s=2.0) == Failed(BROKEN)
    assert lifecycle.want(A, load=True, now_s=0.9 + RETRY_S) == Failed(BROKEN)
    assert lifecycle.state("A", A, now_s=2.0) is State.FAILED
    again = _begun(lifecycle, A, now_s=1.0 + RETRY_S)
    lifecycle.failed(again, BROKEN, now_s=100.0)
    assert lifecycle.state("A", MENDED_A, now_s=101.0) is State.FOUND
    assert isinstance(lifecycle.want(MENDED_A, load=True, now_s=101.0), Started)


def test_a_load_that_takes_too_long_has_failed_and_its_end_changes_nothing() -> None:
    """Its time runs from when the files are here; its place may have another load by then."""
    lifecycle: Lifecycle[str] = Lifecycle(1, RETRY_S, load_s=10.0)
    slow = _begun(lifecycle, A, now_s=0.0)
    lifecycle.fetched(slow, now_s=100.0)
    assert lifecycle.want(B, load=True, now_s=109.0) == NoRoom()
    other = _begun(lifecycle, B, now_s=110.0)
    failed = lifecycle.want(A, load=True, now_s=110.0)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, DeadlineExceeded)
    assert not lifecycle.loaded(slow, "late", now_s=111.0)
    lifecycle.fetched(other, now_s=111.0)
    assert lifecycle.loaded(other, "engine", now_s=112.0)
    assert lifecycle.engines() == ("engine",)


def test_a_load_that_goes_on_is_not_begun_beside_itself() -> None:
    """The same files are not loaded however long ago it was overdue; other files may be."""
    lifecycle, slow = _overdue()
    assert lifecycle.state("A", A, now_s=9.0) is State.LOADING
    assert lifecycle.overdue() == ()
    assert lifecycle.state("A", A, now_s=10.0) is State.OVERDUE
    assert (lifecycle.overdue(), lifecycle.overdue()) == ((A,), ())
    much_later_s = 1000 * RETRY_S
    assert isinstance(lifecycle.want(A, load=True, now_s=much_later_s), Failed)
    mended = _begun(lifecycle, MENDED_A, now_s=much_later_s)
    lifecycle.failed(slow, BROKEN, now_s=much_later_s)
    assert lifecycle.state("A", MENDED_A, now_s=much_later_s) is State.FETCHING
    lifecycle.fetched(mended, now_s=much_later_s)
    assert lifecycle.loaded(mended, "mended", now_s=much_later_s)
    assert lifecycle.engines() == ("mended",)


def test_an_overdue_load_may_begin_again_once_its_late_engine_is_closed() -> None:
    """Its failure counts from when it was found to be overdue, and not from when it ended."""
    lifecycle, slow = _overdue(places=1)
    assert lifecycle.state("A", A, now_s=10.0) is State.OVERDUE
    assert not lifecycle.loaded(slow, "late", now_s=10.0 + RETRY_S)
    assert isinstance(lifecycle.want(A, load=True, now_s=10.0 + RETRY_S), Failed)
    lifecycle.closed(slow)
    assert isinstance(lifecycle.want(A, load=True, now_s=9.0 + RETRY_S), Failed)
    assert isinstance(lifecycle.want(A, load=True, now_s=10.0 + RETRY_S), Started)


def test_the_error_of_an_overdue_load_is_that_it_took_too_long() -> None:
    """An error that it ends with much later neither replaces nor prolongs the failure."""
    lifecycle, slow = _overdue()
    assert lifecycle.state("A", A, now_s=10.0) is State.OVERDUE
    lifecycle.failed(slow, BROKEN, now_s=20.0)
    failed = lifecycle.want(A, load=True, now_s=21.0)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, DeadlineExceeded)
    assert isinstance(lifecycle.want(A, load=True, now_s=10.0 + RETRY_S), Started)


def test_a_load_that_succeeds_forgets_the_failure() -> None:
    """A model that has failed and is loaded from mended files is in memory as any other."""
    lifecycle = _lifecycle()
    lifecycle.failed(_begun(lifecycle, A, now_s=0.0), BROKEN, now_s=0.0)
    life = _begun(lifecycle, MENDED_A, now_s=1.0)
    lifecycle.fetched(life, now_s=1.0)
    lifecycle.loaded(life, "engine", now_s=2.0)
    assert lifecycle.engines() == ("engine",)
    assert lifecycle.want(A, load=True, now_s=3.0) == Ready(life, "engine")


def test_a_server_that_goes_down_takes_what_is_borrowed() -> None:
    """An engine in use is to be closed too, and giving it back later does nothing more."""
    lifecycle = _lifecycle(A)
    lifecycle.pin("P", "pinned")
    life = _borrowed(lifecycle, "A")
    assert lifecycle.shut_down() == (life,)
    assert lifecycle.is_shut
    lifecycle.closed(life)
    lifecycle.give_back(life, now_s=2.0)
    assert lifecycle.borrow("A") is None
    assert lifecycle.engines() == ("pinned",)


def test_loads_that_end_after_the_server_went_down_serve_nobody() -> None:
    """Whether they were fetching, loading or overdue, and whether they succeed or not."""
    lifecycle: Lifecycle[str] = Lifecycle(PLACES, RETRY_S, load_s=10.0)
    late = _begun(lifecycle, C, now_s=0.0)
    lifecycle.fetched(late, now_s=0.0)
    assert lifecycle.state("C", C, now_s=10.0) is State.OVERDUE
    fetching = _begun(lifecycle, A, now_s=10.0)
    loading = _begun(lifecycle, B, now_s=10.0)
    lifecycle.fetched(loading, now_s=10.0)
    assert lifecycle.shut_down() == ()
    lifecycle.fetched(fetching, now_s=11.0)
    lifecycle.failed(fetching, BROKEN, now_s=11.0)
    for life in (loading, late):
        assert not lifecycle.loaded(life, "engine", now_s=11.0)
        lifecycle.closed(life)
    ended = [lifecycle.state(each.model_id, each, now_s=12.0) for each in (A, B, C)]
    assert ended == [State.FOUND] * 3


def test_what_was_used_least_recently_makes_room_in_memory() -> None:
    """As many engines as it takes, and no more; the files' own estimate counts before a load."""
    lifecycle: Lifecycle[str] = Lifecycle(9, RETRY_S, budget_bytes=10)
    for now_s, known in enumerate((A, B)):
        step = lifecycle.want(known, load=True, now_s=now_s, needed_bytes=4)
        assert isinstance(step, Started)
        lifecycle.fetched(step.life, now_s=now_s)
        lifecycle.loaded(step.life, f"engine {known.model_id}", now_s=now_s)
    lifecycle.measured({"A": 2})
    assert lifecycle.want(C, load=False, now_s=3.0, needed_bytes=5) == Unloaded()
    step = lifecycle.want(C, load=True, now_s=3.0, needed_bytes=5)
    assert isinstance(step, Started)
    assert [life.engine for life in step.put_away] == ["engine A"]


def test_a_model_that_never_fits_is_refused_with_its_figures() -> None:
    """Beside a pinned one of 6 bytes of 10, one of 5 has no room, however long it waits."""
    lifecycle: Lifecycle[str] = Lifecycle(9, RETRY_S, budget_bytes=10)
    lifecycle.pin("pinned", "engine", memory_bytes=6)
    assert lifecycle.want(A, load=True, now_s=0.0, needed_bytes=5) == TooLarge(5, 10, 6)
    assert isinstance(lifecycle.want(A, load=True, now_s=0.0, needed_bytes=4), Started)


def test_a_model_waits_for_memory_that_is_in_use() -> None:
    """It fits once the other is given back."""
    lifecycle: Lifecycle[str] = Lifecycle(9, RETRY_S, budget_bytes=10)
    step = lifecycle.want(A, load=True, now_s=0.0, needed_bytes=6)
    assert isinstance(step, Started)
    lifecycle.fetched(step.life, now_s=0.0)
    lifecycle.loaded(step.life, "engine", now_s=0.0)
    life = _borrowed(lifecycle, "A")
    assert lifecycle.want(B, load=True, now_s=1.0, needed_bytes=5) == NoRoom()
    lifecycle.give_back(life, now_s=2.0)
    assert isinstance(lifecycle.want(B, load=True, now_s=3.0, needed_bytes=5), Started)


def test_a_model_that_nobody_uses_is_put_away_after_a_while() -> None:
    """Not one that is used, nor one that is kept."""
    lifecycle = _lifecycle(A, B)
    lifecycle.kept = frozenset("B")
    life = _borrowed(lifecycle, "A")
    assert lifecycle.idle(now_s=1000.0, idle_s=60.0) == ()
    lifecycle.give_back(life, now_s=1000.0)
    assert lifecycle.idle(now_s=1059.0, idle_s=60.0) == ()
    (idle,) = lifecycle.idle(now_s=1060.0, idle_s=60.0)
    assert idle.model_id == "A"
    assert lifecycle.state("A", A, now_s=1060.0) is State.LEAVING


class Traffic(RuleBasedStateMachine):
    """Requests, loads that end, fail or are overdue, and engines that are closed, in any order."""

    borrowed = Bundle("borrowed")
    fetching = Bundle("fetching")
    loading = Bundle("loading")
    late = Bundle("late")

    def __init__(self) -> None:
        """Begin with one pinned engine and nothing loaded at time 0."""
        super().__init__()
        self.lifecycle: Lifecycle[int] = Lifecycle(
            PLACES, RETRY_S, load_s=50.0, budget_bytes=BUDGET, kept=frozenset("C")
        )
        self.names: Iterator[int] = count()
        self.now_s = 0.0
        self.users: dict[int, int] = {}
        self.put_away: set[int] = set()
        self.lifecycle.pin("pinned", -1, memory_bytes=1)

    @rule(idle_s=st.floats(1, 40))
    def nobody_uses_some(self, idle_s: float) -> None:
        """Engines in use, and those that are kept, are not put away."""
        for life in self.lifecycle.idle(now_s=self.now_s, idle_s=idle_s):
            assert life.engine is not None
            assert self.users[life.engine] == 0
            assert life.model_id != "C"
            self.lifecycle.closed(life)

    @rule(seconds=st.floats(0, 40))
    def time_passes(self, seconds: float) -> None:
        """Failures grow old, and loads become overdue."""
        self.now_s += seconds

    @rule(known=st.sampled_from((A, B, C, MENDED_A)), target=fetching)
    def somebody_wants(self, known: KnownModel) -> object:
        """A load that begins may put an engine away, never one in use."""
        step = self.lifecycle.want(
            known, load=True, now_s=self.now_s, needed_bytes=SIZES[known.model_id]
        )
        match step:
            case Ready(life):
                self.lifecycle.give_back(life, now_s=self.now_s)
            case Started(life, put_away):
                for each in put_away:
                    assert each.engine is not None
                    assert self.users[each.engine] == 0
                    assert each.model_id != "C"
                    self.put_away.add(each.engine)
                return life, put_away
            case NoRoom():
                pass  # places or memory are taken by engines in use, by loads, or by late ones
            case TooLarge():
                assert "C" in self.lifecycle.placed()  # the only one that stays
            case Loading() | Failed():
                assert self.lifecycle.engine(known.model_id) is None
            case Unloaded():
                raise AssertionError("a load was wanted")
        return multiple()

    @rule(known=st.sampled_from((A, B, C)), target=borrowed)
    def somebody_stays(self, known: KnownModel) -> object:
        """A caller that has an engine may keep it as long as it likes."""
        ready = self.lifecycle.borrow(known.model_id)
        if ready is None:
            return multiple()
        self.users[ready.engine] += 1
        return ready

    @rule(ready=consumes(borrowed))
    def somebody_leaves(self, ready: Ready[int]) -> None:
        """The engine that it had is still in memory."""
        assert self.lifecycle.engine(ready.life.model_id) == ready.engine
        self.lifecycle.give_back(ready.life, now_s=self.now_s)
        self.users[ready.engine] -= 1

    @rule(begun=consumes(fetching), target=loading)
    def files_are_here(self, begun: tuple[Life[int], tuple[Life[int], ...]]) -> object:
        """The engine that made room is closed first, as the thread of a load does."""
        life, put_away = begun
        for each in put_away:
            self.lifecycle.closed(each)
        self.lifecycle.fetched(life, now_s=self.now_s)
        return life

    @rule(begun=consumes(fetching))
    def a_fetch_fails(self, begun: tuple[Life[int], tuple[Life[int], ...]]) -> None:
        """The place is free."""
        life, put_away = begun
        self.lifecycle.failed(life, BROKEN, now_s=self.now_s)
        for each in put_away:
            self.lifecycle.closed(each)

    @rule(life=consumes(loading), target=late)
    def a_load_ends(self, life: Life[int]) -> object:
        """The engine takes the place that was kept for it, unless its load was overdue."""
        engine = next(self.names)
        overdue = life.state is State.OVERDUE
        assert self.lifecycle.loaded(life, engine, now_s=self.now_s) is not overdue
        if overdue:
            return life
        self.users[engine] = 0
        return multiple()

    @rule(life=consumes(late))
    def a_late_engine_is_closed(self, life: Life[int]) -> None:
        """The life ends, or is remembered as failed."""
        self.lifecycle.closed(life)

    @rule(life=consumes(loading))
    def a_load_fails(self, life: Life[int]) -> None:
        """The life has no place from then on."""
        self.lifecycle.failed(life, BROKEN, now_s=self.now_s)
        assert self.lifecycle.engine(life.model_id) is None or life.state is not State.READY

    @invariant()
    def no_more_than_fit(self) -> None:
        """Loads count as well, and pinned engines do not."""
        assert len(self.lifecycle.placed()) <= PLACES
        assert len(set(self.lifecycle.placed())) == len(self.lifecycle.placed())
        assert sum(SIZES[each] for each in self.lifecycle.placed()) + 1 <= BUDGET

    @invariant()
    def what_was_put_away_is_gone(self) -> None:
        """No engine that was put away is lent again, and none in use is missing."""
        held = set(self.lifecycle.engines())
        assert not held & self.put_away
        assert {engine for engine, users in self.users.items() if users} <= held
        assert self.lifecycle.engine("pinned") == -1


TestTraffic = Traffic.TestCase
