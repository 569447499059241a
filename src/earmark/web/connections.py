"""How many connections a server keeps: fewer than the system gives it descriptors.

A process that has used up its descriptors lets nobody in, and can open no file either. So that
idle connections never take it there, the idlest make room for new ones.
"""

import heapq
from collections.abc import Collection, Iterable
from typing import Final, Literal, Protocol, TypeAlias

import structlog

__all__ = ["Connection", "ConnectionBound", "Idleness"]

Idleness: TypeAlias = Literal["idle", "begun", "busy"]
"""`idle`: no byte of a request is here that is not answered; `begun`: a request's headers have not
all come; `busy`: a request is read or answered, and the connection is not to be closed."""

_CLOSED_AT_ONCE: Final = 64
"""Where the bound is as many times this, so many are closed together: looking for the idlest takes
a millisecond or two with ten thousand connections."""
_SPELL_ENDS_BELOW: Final = 0.75
"""Of the bound: with fewer connections than this, reaching it again is news."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.web")


class Connection(Protocol):
    """What has to be known of a connection."""

    @property
    def since_s(self) -> float:
        """When the state it is in began."""
        ...

    def idleness(self) -> Idleness | None:
        """Say what it waits for; None where it is being closed already."""
        ...

    def hang_up(self) -> None:
        """Close it."""
        ...


class ConnectionBound:
    """Keeps the connections of one server below a bound. For one event loop."""

    def __init__(self, most: int) -> None:
        """Start a server's.

        Args:
            most: connections at once.
        """
        self._most = most
        self._told = False

    @property
    def most(self) -> int:
        """How many there may be."""
        return self._most

    def admit(self, new: Connection, connections: Collection[Connection]) -> bool:
        """Make room for a connection where there are too many.

        Args:
            new: the one that was just made.
            connections: all of the server, the new one among them.

        Returns:
            Whether it may stay; no where all others are busy.
        """
        if len(connections) <= self._most:
            if len(connections) < self._most * _SPELL_ENDS_BELOW:
                self._told = False
            return True
        ranked = [(one, one.idleness()) for one in connections if one is not new]
        excess = 1 + sum(state is not None for _, state in ranked) - self._most
        if excess <= 0:
            return True  # some are on their way out
        self._tell()
        wanted = max(excess, self._most // _CLOSED_AT_ONCE)
        for state in ("idle", "begun"):
            chosen = _idlest((one for one, found in ranked if found == state), wanted)
            for one in chosen:
                one.hang_up()
            wanted -= len(chosen)
            excess -= len(chosen)
            if excess <= 0:
                return True
        return False

    def _tell(self) -> None:
        """Log it once for each spell in which the bound is reached."""
        if not self._told:
            self._told = True
            _log.warning(
                "too many connections: the idlest make room for new ones",
                most=self._most,
            )


def _idlest(connections: Iterable[Connection], count: int) -> list[Connection]:
    return heapq.nsmallest(count, connections, key=lambda one: one.since_s)
