"""How much memory the bodies of all requests may take together."""

from dataclasses import dataclass
from typing import Final

from earmark.errors import QueueFull

SMALL_BYTES: Final = 64 * 1024
"""Bodies of at most this many bytes are counted apart, so that large bodies that come slowly do not
shut out requests of one text."""


@dataclass(slots=True, eq=False)
class Held:
    """The share of the budget that one body takes."""

    budget: "BodyBudget"
    reserved: int = 0

    def reserve(self, size: int) -> None:
        """Take the share that a body of this size needs, before it is read.

        Raises:
            QueueFull: the bodies of other requests leave no room for it.
        """
        if size > self.reserved:
            self.budget.change(self.reserved, size)
            self.reserved = size

    def give_back(self) -> None:
        """Give the share back; a second call does nothing."""
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
        """The bytes that all bodies take now."""
        return self._large + self._small

    def change(self, before: int, after: int) -> None:
        """Change a body's share. A body that is alone is let in whatever its size.

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
