"""A download goes on only as long as its model is wanted."""

import threading

import pytest

from earmark.errors import HubUnavailable, ShuttingDown
from earmark.models.threads import WhileWanted, fetched_while_wanted


def test_a_download_that_is_wanted_goes_on() -> None:
    """A download that stays wanted is never stopped."""
    watch = WhileWanted(lambda: True)
    watch.begin("org/name", total_bytes=10, there_bytes=0)
    watch.advance(10)
    watch.finish()


def test_a_download_that_nobody_wants_breaks_off() -> None:
    """A download that is not wanted stops before it begins, and whenever bytes come."""
    answers = iter([False, True, False])
    watch = WhileWanted(lambda: next(answers))
    with pytest.raises(ShuttingDown):
        watch.begin("org/name", total_bytes=10, there_bytes=0)
    watch.advance(5)
    with pytest.raises(ShuttingDown):
        watch.advance(5)


def test_a_download_is_waited_for() -> None:
    """The caller gets the error that the download raised."""
    watches: list[WhileWanted] = []
    fetched_while_wanted(watches.append, lambda: True)
    assert len(watches) == 1

    def fail(_: WhileWanted) -> None:
        raise HubUnavailable("broke off")

    with pytest.raises(HubUnavailable, match="broke off"):
        fetched_while_wanted(fail, lambda: True)


def test_nobody_waits_for_a_download_that_hangs_once_it_is_not_wanted() -> None:
    """The caller is free while the thread of the download still hangs."""
    hangs, begun = threading.Event(), threading.Event()

    def hang(_: WhileWanted) -> None:
        begun.set()
        hangs.wait(10)

    with pytest.raises(ShuttingDown):
        fetched_while_wanted(hang, lambda: not begun.is_set())
    hangs.set()


def test_a_slow_download_is_waited_for_as_long_as_it_is_wanted() -> None:
    """It is asked whether the model is wanted also while no byte comes."""
    asked = threading.Event()

    def wanted() -> bool:
        asked.set()
        return True

    def fetch(_: WhileWanted) -> None:
        assert asked.wait(10)

    fetched_while_wanted(fetch, wanted)
    assert asked.is_set()
