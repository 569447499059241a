"""Merges the entities of a text's windows, and returns each as soon as it is certain."""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from math import inf

from earmark.domain.encoding import Encoding
from earmark.domain.results import Entity
from earmark.tasks.spans import alignment_of, beats, overlap


def earliest_start(encoding: Encoding) -> float:
    """Return the code point before which no entity of a window begins; infinity if it has none.

    Args:
        encoding: the window, with its alignment.
    """
    alignment = alignment_of(encoding)
    places = zip(alignment.offsets, alignment.special, strict=True)
    return min((start for (start, _), special in places if not special), default=inf)


class WindowMerge:
    """Does the work of `spans.without_overlaps` window by window, in any order.

    An entity is returned when no open window can have an entity before it or overlapping it. All
    returned entities, in order, are those that `without_overlaps` returns for all windows at once.
    The entities of a single window are returned as they are: none overlap.
    """

    def __init__(self, starts: Sequence[float]) -> None:
        """Begin with every window open.

        Args:
            starts: for each window, the code point before which none of its entities begins.
        """
        self._out = set(range(len(starts)))
        self._single = len(starts) == 1
        # Sort keys of the whole list: start, then window.
        self._bounds = [(start, window) for window, start in enumerate(starts)]
        heapify(self._bounds)
        self._waiting: list[tuple[float, int, int, Entity]] = []
        self._last: Entity | None = None

    def feed(self, window: int, entities: Sequence[Entity]) -> list[Entity]:
        """Add the entities of a window, and return those that are now certain.

        Args:
            window: its index among the windows of the text; each is fed once.
            entities: in the order of the text.

        Returns:
            The entities that became certain, in the order of the text; each is returned once.
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
        """Return whether no open window can have an entity before the first that waits."""
        return not self._bounds or self._waiting[0][:2] < self._bounds[0]

    def _next_start(self) -> float:
        """Return the earliest place where the next entity may begin."""
        waiting = self._waiting[0][0] if self._waiting else inf
        return min(waiting, self._bounds[0][0] if self._bounds else inf)

    def _keep(self, entity: Entity, certain: list[Entity]) -> None:
        """Process the next entity of the sorted list, as `without_overlaps` does."""
        last = self._last
        if last is not None and overlap(last, entity):
            self._last = entity if beats(entity, last) else last
            return
        if last is not None:
            certain.append(last)
        self._last = entity
