"""How much memory the bodies of all requests may take together."""

from dataclasses import dataclass
from typing import Final

from earmark.errors import QueueFull

__all__ = ["BODIES", "BodyBudget", "Held"]

SMALL_BYTES: Final = 64 * 1024
"""Bodies of at most so many are counted apart, so that large ones that come slowly shut nobody out
who has one text to ask for."""


@dataclass(slots=True, eq=False)
class Held:
    """What one body takes of the budget."""

    budget: "BodyBudget"
    reserved: int = 0

    def reserve(self, size: int) -> None:
        """Take as much as a body of this size needs, before it is read.

        Raises:
            QueueFull: the bodies of other requests leave no room for it.
        """
        if size > self.reserved:
            self.budget.change(self.reserved, size)
            self.reserved = size

    def give_back(self) -> None:
        """Give it back; a second call does nothing."""
        self.budget.change(self.reserved, 0)
        self.reserved = 0


class BodyBudget:
    """Counts the bytes of bodies in memory. For one event loop."""

    def __init__(self, most_bytes: int) -> None:
        """Start empty; `most_bytes` for large bodies, and a quarter of it for small ones."""
        self._most = most_bytes
        self._large = 0
        self._small = 0

    @property
    def held_bytes(self) -> int:
        """What all bodies take now."""
        return self._large + self._small

    def change(self, before: int, after: int) -> None:
        """Let a body's share grow or end. One body of any size is let in where it is alone.

        Raises:
            QueueFull: there is no room.
        """
        small, large = self._small, self._large
        if before > SMALL_BYTES:
            large -= before
        else:
            small -= before
        grows, is_large = after > before, after > SMALL_BYTES
        beside, most = (large, self._most) if is_large else (small, self._most // 4)
        if grows and beside and beside + after > most:
            raise QueueFull(
                f"the bodies of other requests take {self.held_bytes:,} bytes of memory, and"
                f" {self._most:,} are allowed; try again later"
            )
        self._large = large + (after if is_large else 0)
        self._small = small + (0 if is_large else after)


BODIES: Final = BodyBudget(128 * 1024 * 1024)
"""Of this process."""
