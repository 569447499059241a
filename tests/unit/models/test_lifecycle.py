"""The shelf holds so many engines and no more, and never puts away one that is in use."""

from collections.abc import Iterator
from itertools import count

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from earmark.checkpoint.ref import BundledRef
from earmark.models.catalogue import KnownModel
from earmark.models.lifecycle import Failed, Loading, NoRoom, Ready, Shelf, Started, Unloaded

PLACES = 2
RETRY_S = 30.0
A, B, C = (KnownModel(name, BundledRef(name)) for name in "ABC")
BROKEN = OSError("disk")


def _shelf(*loaded: KnownModel) -> Shelf[str]:
    shelf: Shelf[str] = Shelf(PLACES, RETRY_S)
    for now_s, known in enumerate(loaded):
        load = _begun(shelf, known, now_s=now_s)
        shelf.finished(known.model_id, load, f"engine {known.model_id}", now_s=now_s)
    return shelf


def _begun(shelf: Shelf[str], known: KnownModel, *, now_s: float) -> int:
    """Begin a load and return what names it."""
    step = shelf.want(known, load=True, now_s=now_s)
    assert isinstance(step, Started)
    return step.load


def test_two_who_want_one_model_share_its_load() -> None:
    """The second is told for how long it has been going on."""
    shelf = _shelf()
    load = _begun(shelf, A, now_s=5.0)
    assert shelf.want(A, load=True, now_s=8.0) == Loading(3.0)
    assert shelf.state(A, now_s=8.0) == "loading"
    shelf.finished("A", load, "engine", now_s=9.0)
    assert shelf.want(A, load=True, now_s=9.0) == Ready("engine")


def test_who_wants_no_load_starts_none() -> None:
    """Nor does he wait for another's."""
    shelf = _shelf()
    assert shelf.want(A, load=False, now_s=0.0) == Unloaded()
    assert shelf.state(A, now_s=0.0) == "loadable"
    shelf.want(A, load=True, now_s=0.0)
    assert shelf.want(A, load=False, now_s=0.0) == Unloaded()


def test_the_idle_engine_used_least_recently_makes_room() -> None:
    """B was loaded later, but A was used later still."""
    shelf = _shelf(A, B)
    shelf.borrow("A", now_s=7.0)
    shelf.give_back("A", now_s=8.0)
    assert shelf.want(C, load=True, now_s=9.0) == Started("engine B")
    assert shelf.ids() == ("A", "C")


def test_engines_in_use_and_loads_make_no_room() -> None:
    """One in use, one loading: the third has to wait until the first is given back."""
    shelf = _shelf(A)
    shelf.borrow("A", now_s=1.0)
    shelf.want(B, load=True, now_s=1.0)
    assert shelf.want(C, load=True, now_s=1.0) == NoRoom()
    shelf.give_back("A", now_s=2.0)
    assert shelf.want(C, load=True, now_s=2.0) == Started("engine A")


def test_a_failed_load_is_remembered_for_a_while_or_until_the_files_change() -> None:
    """And its place is free."""
    shelf = _shelf()
    load = _begun(shelf, A, now_s=0.0)
    shelf.failed(A, load, BROKEN, now_s=1.0)
    assert shelf.ids() == ()
    assert shelf.want(A, load=True, now_s=2.0) == Failed(BROKEN)
    assert shelf.state(A, now_s=2.0) == "failed"
    mended = KnownModel("A", BundledRef("A"), (("config.json", 2, 1),))
    assert shelf.state(mended, now_s=2.0) == "loadable"
    assert shelf.want(A, load=True, now_s=1.0 + RETRY_S) == Started(None)


def test_a_load_that_takes_too_long_has_failed_and_its_end_changes_nothing() -> None:
    """The time runs from when the files are here; its place may have another load by then."""
    shelf: Shelf[str] = Shelf(1, RETRY_S, load_s=10.0)
    slow = _begun(shelf, A, now_s=0.0)
    shelf.fetched("A", slow, now_s=100.0)
    assert shelf.want(B, load=True, now_s=109.0) == NoRoom()
    other = _begun(shelf, B, now_s=110.0)
    assert isinstance(shelf.want(A, load=True, now_s=110.0), Failed)
    assert not shelf.finished("A", slow, "late", now_s=111.0)
    assert shelf.finished("B", other, "engine", now_s=112.0)
    assert shelf.engines() == ("engine",)


def test_a_load_that_goes_on_is_not_begun_beside_itself() -> None:
    """However long ago it was given up, which is told once; other files may be loaded."""
    shelf: Shelf[str] = Shelf(2, RETRY_S, load_s=10.0)
    slow = _begun(shelf, A, now_s=0.0)
    shelf.fetched("A", slow, now_s=0.0)
    assert shelf.state(A, now_s=9.0) == "loading"
    assert shelf.given_up() == ()
    assert shelf.state(A, now_s=10.0) == "failed"
    assert (shelf.given_up(), shelf.given_up()) == ((A,), ())
    much_later_s = 1000 * RETRY_S
    assert isinstance(shelf.want(A, load=True, now_s=much_later_s), Failed)
    mended = KnownModel("A", BundledRef("A"), (("config.json", 2, 1),))
    assert isinstance(shelf.want(mended, load=True, now_s=much_later_s), Started)
    shelf.failed(A, slow, BROKEN, now_s=much_later_s)
    shelf = Shelf(1, RETRY_S, load_s=10.0)
    slow = _begun(shelf, A, now_s=0.0)
    shelf.fetched("A", slow, now_s=0.0)
    shelf.state(A, now_s=10.0)
    shelf.finished("A", slow, "late", now_s=much_later_s)
    assert isinstance(shelf.want(A, load=True, now_s=much_later_s), Started)


def test_a_load_that_succeeds_forgets_the_failure() -> None:
    """Even within its time."""
    shelf = _shelf()
    load = _begun(shelf, A, now_s=0.0)
    shelf.failed(A, load, BROKEN, now_s=0.0)
    mended = KnownModel("A", BundledRef("A"), (("config.json", 2, 1),))
    load = _begun(shelf, mended, now_s=1.0)
    shelf.finished("A", load, "engine", now_s=2.0)
    assert shelf.engines() == ("engine",)
    assert shelf.want(A, load=True, now_s=3.0) == Ready("engine")


def test_a_cleared_shelf_takes_back_what_was_borrowed() -> None:
    """The server goes down while a request runs."""
    shelf = _shelf(A)
    shelf.borrow("A", now_s=1.0)
    assert shelf.clear() == ("engine A",)
    shelf.give_back("A", now_s=2.0)
    assert shelf.borrow("A", now_s=3.0) is None


class Traffic(RuleBasedStateMachine):
    """Requests, loads that end and loads that fail, in any order."""

    borrowed = Bundle("borrowed")
    loading = Bundle("loading")

    def __init__(self) -> None:
        """Begin with an empty shelf at time 0."""
        super().__init__()
        self.shelf: Shelf[int] = Shelf(PLACES, RETRY_S)
        self.names: Iterator[int] = count()
        self.now_s = 0.0
        self.users: dict[int, int] = {}
        self.put_away: set[int] = set()

    @rule(seconds=st.floats(0, 40))
    def time_passes(self, seconds: float) -> None:
        """Failures are forgotten."""
        self.now_s += seconds

    @rule(known=st.sampled_from((A, B, C)), target=loading)
    def somebody_wants(self, known: KnownModel) -> object:
        """A load that begins may put an engine away, never one in use."""
        step = self.shelf.want(known, load=True, now_s=self.now_s)
        match step:
            case Ready(engine):
                self.users[engine] += 1
                self.shelf.give_back(known.model_id, now_s=self.now_s)
                self.users[engine] -= 1
            case Started(engine, load):
                if engine is not None:
                    assert self.users[engine] == 0
                    self.put_away.add(engine)
                return known, load
            case NoRoom():
                assert len(self.shelf.ids()) == PLACES
            case Loading() | Failed():
                assert self.shelf.engine(known.model_id) is None
            case Unloaded():
                raise AssertionError("a load was wanted")
        return multiple()

    @rule(known=st.sampled_from((A, B, C)), target=borrowed)
    def somebody_stays(self, known: KnownModel) -> object:
        """Who has an engine may keep it as long as he likes."""
        engine = self.shelf.borrow(known.model_id, now_s=self.now_s)
        if engine is None:
            return multiple()
        self.users[engine] += 1
        return known, engine

    @rule(one=consumes(borrowed))
    def somebody_leaves(self, one: tuple[KnownModel, int]) -> None:
        """What he had is still there."""
        known, engine = one
        assert self.shelf.engine(known.model_id) == engine
        self.shelf.give_back(known.model_id, now_s=self.now_s)
        self.users[engine] -= 1

    @rule(one=consumes(loading))
    def a_load_ends(self, one: tuple[KnownModel, int]) -> None:
        """The engine takes the place that was kept for it."""
        known, load = one
        engine = next(self.names)
        self.users[engine] = 0
        assert self.shelf.finished(known.model_id, load, engine, now_s=self.now_s)

    @rule(one=consumes(loading))
    def a_load_fails(self, one: tuple[KnownModel, int]) -> None:
        """Its place is free."""
        known, load = one
        self.shelf.failed(known, load, BROKEN, now_s=self.now_s)
        assert known.model_id not in self.shelf.ids()

    @invariant()
    def no_more_than_fit(self) -> None:
        """Loads count as well."""
        assert len(self.shelf.ids()) <= PLACES

    @invariant()
    def what_was_put_away_is_gone(self) -> None:
        """And what is in use is not."""
        held = set(self.shelf.engines())
        assert not held & self.put_away
        assert {engine for engine, users in self.users.items() if users} <= held


TestTraffic = Traffic.TestCase
