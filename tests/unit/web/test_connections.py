"""Who makes room for a new connection, and who never does."""

from collections.abc import Sequence
from dataclasses import dataclass

from structlog.testing import capture_logs

from earmark.web.connections import ConnectionBound, Idleness


@dataclass(eq=False)
class _Connection:
    """A connection that is what the test says."""

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
    """Nobody does below the bound; then the one that has been idle for longest."""
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
    """Whatever their age; where all are busy, the new one is not admitted."""
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
    """They are among the connections until the system has closed them."""
    bound = ConnectionBound(2)
    connections = [_Connection("idle", 1.0), _Connection("busy", 2.0, closed=True)]
    new = _new()
    assert bound.admit(new, [*connections, new])
    assert not connections[0].closed


def test_of_many_some_are_closed_together() -> None:
    """With 640 allowed, the ten idlest: each search looks at all."""
    bound = ConnectionBound(640)
    connections = [_Connection("idle", float(number)) for number in range(640)]
    new = _new()
    assert bound.admit(new, [*connections, new])
    assert _closed(connections) == list(range(10))


def test_each_spell_is_logged_once() -> None:
    """A spell ends where a quarter of the connections have gone."""
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
