"""Which connections are closed for a new one, and which never are."""

from collections.abc import Sequence
from dataclasses import dataclass

from structlog.testing import capture_logs

from earmark.web.connections import ConnectionBound, Idleness


@dataclass(eq=False)
class _Connection:
    """A connection in the state that the test sets."""

    state: Idleness
    since_s: float
    closed: bool = False

    def idleness(self) -> Idleness | None:
        """Say so."""
        return None if self.closed else self.state

    def hang_up(self) -> None:
        """Close it."""
        self.closed = True


def _closed(connections: Sequence[_Connection]) -> list[int]:
    return [index for index, one in enumerate(connections) if one.closed]


def _new() -> _Connection:
    return _Connection("idle", 1000.0)


def test_the_idlest_makes_room() -> None:
    """At the bound the connection that was idle longest is closed; below it, none."""
    bound = ConnectionBound(4)
    connections = [_Connection("idle", since_s) for since_s in (5.0, 2.0, 9.0)]
    new = _new()
    assert bound.admit(new, [*connections, new])
    assert _closed(connections) == []
    connections.append(new)
    another = _new()
    assert bound.admit(another, [*connections, another])
    assert _closed(connections) == [1]


def test_idle_ones_go_before_those_that_have_begun_and_busy_ones_never() -> None:
    """Idle connections are closed before begun ones; where all are busy, the new one is refused."""
    bound = ConnectionBound(3)
    connections = [_Connection("busy", 1.0), _Connection("begun", 2.0), _Connection("idle", 3.0)]
    for closed in ([2], [1, 2]):
        new = _new()
        assert bound.admit(new, [*connections, new])
        assert _closed(connections) == closed
        connections.append(_Connection("busy", 4.0))
    new = _new()
    assert not bound.admit(new, [*connections, new])
    assert _closed(connections) == [1, 2]


def test_those_on_their_way_out_are_not_counted() -> None:
    """Connections that are being closed do not count towards the bound."""
    bound = ConnectionBound(2)
    connections = [_Connection("idle", 1.0), _Connection("busy", 2.0, closed=True)]
    new = _new()
    assert bound.admit(new, [*connections, new])
    assert not connections[0].closed


def test_of_many_some_are_closed_together() -> None:
    """With a bound of 640, the ten idlest are closed together."""
    bound = ConnectionBound(640)
    connections = [_Connection("idle", float(number)) for number in range(640)]
    new = _new()
    assert bound.admit(new, [*connections, new])
    assert _closed(connections) == list(range(10))


def test_each_spell_is_logged_once() -> None:
    """Reaching the bound is logged once until a quarter of the connections have gone."""
    bound = ConnectionBound(8)

    def reach(count: int) -> None:
        new = _new()
        bound.admit(new, [*(_Connection("idle", 1.0) for _ in range(count - 1)), new])

    with capture_logs() as logs:
        for count in (8, 9, 9, 6, 9):
            reach(count)
        assert len(logs) == 1
        reach(5)
        reach(9)
    assert [(one["log_level"], one["most"]) for one in logs] == [("warning", 8)] * 2
