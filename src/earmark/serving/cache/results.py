"""Where results are kept: in memory, the least recently used given up first."""

import sys
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

ENTRY_BYTES = 144
"""What an entry takes in the table beside its key and value: `tracemalloc` measured 71 to 130 on
CPython 3.11, by how full the table is, the most where old entries make room for new ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreState:
    """How full a store is.

    Attributes:
        entries: results kept.
        bytes: that they take, their keys and places in the table included.
        limit_bytes: the most they may take.
    """

    entries: int
    bytes: int
    limit_bytes: int


class ResultStore(Protocol):
    """Remembers results. It may forget any: the caller can compute it anew.

    Keys and values are bytes, so that a store may lie in another process.
    """

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key; None where there never was one, or it was given up."""
        ...

    def put(self, key: bytes, value: bytes) -> None:
        """Remember a value, in place of an earlier one; there is no promise to keep it."""
        ...

    def state(self) -> StoreState:
        """Return how full it is."""
        ...


def entry_bytes(key: bytes, value: bytes) -> int:
    """Count the memory of one entry."""
    return sys.getsizeof(key) + sys.getsizeof(value) + ENTRY_BYTES


class MemoryStore:
    """Results in this process's memory, bounded in bytes. For one thread."""

    def __init__(self, limit_bytes: int) -> None:
        """Start empty.

        Args:
            limit_bytes: the most that all entries together may take.
        """
        self._limit_bytes = limit_bytes
        self._bytes = 0
        # Oldest first. A plain dict would search past what was deleted at its front.
        self._values: OrderedDict[bytes, bytes] = OrderedDict()

    def get(self, key: bytes) -> bytes | None:
        """Return a value and make it the newest."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: bytes, value: bytes) -> None:
        """Keep a value, giving up the oldest until it fits.

        One that is larger than the whole store is not kept, and nothing is given up for it.
        """
        earlier = self._values.pop(key, None)
        if earlier is not None:
            self._bytes -= entry_bytes(key, earlier)
        size = entry_bytes(key, value)
        if size > self._limit_bytes:
            return
        while self._bytes + size > self._limit_bytes:
            self._bytes -= entry_bytes(*self._values.popitem(last=False))
        self._values[key] = value
        self._bytes += size

    def state(self) -> StoreState:
        """Return how full it is."""
        return StoreState(
            entries=len(self._values), bytes=self._bytes, limit_bytes=self._limit_bytes
        )
