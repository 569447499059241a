"""Entities of a text that is read in windows, told as soon as they are certain."""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from math import inf

from earmark.domain.encoding import Encoding
from earmark.domain.results import Entity
from earmark.tasks.spans import alignment_of, beats, overlap

__all__ = ["WindowMerge", "earliest_start"]


def earliest_start(encoding: Encoding) -> float:
    """Say before which code point no entity of a window begins; infinity where it can have none.

    Args:
        encoding: the window, with its alignment.
    """
    alignment = alignment_of(encoding)
    places = zip(alignment.offsets, alignment.special, strict=True)
    return min((start for (start, _), special in places if not special), default=inf)


class WindowMerge:
    """Does what `spans.without_overlaps` does, window by window, in whatever order they finish.

    An entity is told once nothing of a window still out can come before it, and nothing can
    overlap it. All that is told, in the order in which it is told, is what `without_overlaps`
    makes of all windows at once. A single window is told as it is: nothing overlaps it.
    """

    def __init__(self, starts: Sequence[float]) -> None:
        """Begin with every window out.

        Args:
            starts: of each window, the code point before which no entity of it begins.
        """
        self._out = set(range(len(starts)))
        self._single = len(starts) == 1
        # Keys as the whole list is sorted: by start, then by window.
        self._bounds = [(start, window) for window, start in enumerate(starts)]
        heapify(self._bounds)
        self._waiting: list[tuple[float, int, int, Entity]] = []
        self._last: Entity | None = None

    def feed(self, window: int, entities: Sequence[Entity]) -> list[Entity]:
        """Take what was found in a window.

        Args:
            window: its place among the windows of the text; each is fed once.
            entities: in the order of the text.

        Returns:
            What has become certain, in the order of the text; over all calls, each entity once.
        """
        if self._single:
            return list(entities)
        self._out.remove(window)
        for place, entity in enumerate(entities):
            heappush(self._waiting, (entity.start, window, place, entity))
        while self._bounds and self._bounds[0][1] not in self._out:
            heappop(self._bounds)
        certain: list[Entity] = []
        while self._waiting and self._comes_next():
            self._keep(heappop(self._waiting)[-1], certain)
        if self._last is not None and self._last.end <= self._next_start():
            certain.append(self._last)
            self._last = None
        return certain

    def _comes_next(self) -> bool:
        """Say whether nothing of a window still out can come before the first that waits."""
        return not self._bounds or self._waiting[0][:2] < self._bounds[0]

    def _next_start(self) -> float:
        """Say where the next entity begins at the earliest."""
        waiting = self._waiting[0][0] if self._waiting else inf
        return min(waiting, self._bounds[0][0] if self._bounds else inf)

    def _keep(self, entity: Entity, certain: list[Entity]) -> None:
        """Go one step along the sorted list, as `without_overlaps` does."""
        last = self._last
        if last is not None and overlap(last, entity):
            self._last = entity if beats(entity, last) else last
            return
        if last is not None:
            certain.append(last)
        self._last = entity
