"""The log is told of each id once, and never of too many."""

from earmark.models.log_limit import Telling


def test_an_id_is_told_of_once() -> None:
    """However often it is asked for."""
    telling = Telling()
    assert [telling.may_tell(name, now_s=0.0) for name in ("a", "a", "b")] == [True, False, True]
    assert not telling.may_tell("a", now_s=1e6)


def test_only_so_many_are_told_of_within_a_time() -> None:
    """Those left out are told of later, when they are asked for again."""
    telling = Telling(most_at_once=2, span_s=60.0)
    assert [telling.may_tell(name, now_s=10.0) for name in "abc"] == [True, True, False]
    assert not telling.may_tell("c", now_s=69.0)
    assert telling.may_tell("c", now_s=70.0)


def test_only_so_many_ids_are_remembered() -> None:
    """The one told of first is forgotten first."""
    telling = Telling(most_ids=2)
    for name in "abc":
        telling.may_tell(name, now_s=0.0)
    assert telling.may_tell("a", now_s=0.0)
    assert not telling.may_tell("c", now_s=0.0)
