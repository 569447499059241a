"""The log mentions each id once, and never too many ids."""

from earmark.models.log_limit import LogLimit


def test_an_id_is_logged_once() -> None:
    """The second and every later mention of an id is left out, however late it comes."""
    limit = LogLimit()
    assert [limit.may_log(name, now_s=0.0) for name in ("a", "a", "b")] == [True, False, True]
    assert not limit.may_log("a", now_s=1e6)


def test_only_so_many_ids_are_logged_within_a_time() -> None:
    """An id that was left out is logged when it is asked for again after that time."""
    limit = LogLimit(most_at_once=2, span_s=60.0)
    assert [limit.may_log(name, now_s=10.0) for name in "abc"] == [True, True, False]
    assert not limit.may_log("c", now_s=69.0)
    assert limit.may_log("c", now_s=70.0)


def test_only_so_many_ids_are_remembered() -> None:
    """The id that was logged first is forgotten first, and may then be logged again."""
    limit = LogLimit(most_ids=2)
    for name in "abc":
        limit.may_log(name, now_s=0.0)
    assert limit.may_log("a", now_s=0.0)
    assert not limit.may_log("c", now_s=0.0)
