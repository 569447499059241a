"""Bounds the connections of a server, so that they never use up its file descriptors.

A process without free descriptors can accept no connection and open no file. When the bound is
reached, the connections that were idle longest are closed to make room for new ones.
"""

import heapq
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

import structlog

Idleness: TypeAlias = Literal["idle", "begun", "busy"]
"""`idle`: every request is answered, and no byte of another has come; `begun`: a request's headers
have not all come; `busy`: a request is read or answered, and the connection must not be closed."""

_CLOSED_AT_ONCE: Final = 64
"""One in this many of the bound is closed at a time: to find the idlest of ten thousand connections
takes a millisecond or two."""
_SPELL_ENDS_BELOW: Final = 0.75
"""A part of the bound: after fewer connections than this, reaching the bound is logged again."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.web")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What a connection may take.

    Attributes:
        first_byte_s: from the connection to the first byte of a request.
        headers_s: from that byte to the end of the headers.
        body_s: from there to the end of the body.
        answer_s: for the client to read its answer, once its window is full.
        max_header_bytes: the request line and all headers; the default is nginx's.
        max_headers: how many; browsers send some twenty, and a chain of proxies adds as many.
        most_connections: at once; None for as many as there are descriptors for, with some spare.
    """

    first_byte_s: float = 15.0
    headers_s: float = 15.0
    body_s: float = 60.0
    answer_s: float = 60.0
    max_header_bytes: int = 32 * 1024
    max_headers: int = 256
    most_connections: int | None = None


class Connection(Protocol):
    """What `ConnectionBound` needs of a connection."""

    @property
    def since_s(self) -> float:
        """When the connection's present state began."""
        ...

    def idleness(self) -> Idleness | None:
        """Return what the connection waits for; None where it is being closed already."""
        ...

    def hang_up(self) -> None:
        """Close the connection."""
        ...


class ConnectionBound:
    """Keeps the connections of one server below a bound. For one event loop."""

    def __init__(self, most: int) -> None:
        """Set the bound of a server.

        Args:
            most: connections at once.
        """
        self._most = most
        self._logged = False

    @property
    def most(self) -> int:
        """The most connections at once."""
        return self._most

    def admit(self, new: Connection, connections: Collection[Connection]) -> bool:
        """Make room for a connection where there are too many.

        Args:
            new: the one that was just made.
            connections: all of the server, the new one among them.

        Returns:
            Whether the new one may stay; False where all others are busy.
        """
        if len(connections) <= self._most:
            if len(connections) < self._most * _SPELL_ENDS_BELOW:
                self._logged = False
            return True
        ranked = [(one, one.idleness()) for one in connections if one is not new]
        excess = 1 + sum(state is not None for _, state in ranked) - self._most
        if excess <= 0:
            return True  # some are being closed
        self._log_limit()
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

    def _log_limit(self) -> None:
        """Log that the bound is reached, once until the number of connections has fallen."""
        if not self._logged:
            self._logged = True
            _log.warning(
                "too many connections: the idlest make room for new ones",
                most=self._most,
            )


def _idlest(connections: Iterable[Connection], count: int) -> list[Connection]:
    return heapq.nsmallest(count, connections, key=lambda one: one.since_s)
