"""When the log is told of a model that is not to be had: strangers must not fill it.

Pure: time is passed in.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

__all__ = ["Telling"]


@dataclass(slots=True)
class Telling:
    """Tells of each id once, and of so many within a time.

    Attributes:
        most_ids: remembered; the one told of first is forgotten first, and may be told of again.
        most_at_once: told of within `span_s`.
        span_s: seconds.
    """

    most_ids: int = 1024
    most_at_once: int = 20
    span_s: float = 60.0
    _told: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _began_s: float = float("-inf")
    _within: int = 0

    def may_tell(self, model_id: str, *, now_s: float) -> bool:
        """Say whether to tell of an id now; it then counts as told."""
        if model_id in self._told:
            return False
        if now_s - self._began_s >= self.span_s:
            self._began_s, self._within = now_s, 0
        if self._within >= self.most_at_once:
            return False
        self._within += 1
        self._told[model_id] = None
        if len(self._told) > self.most_ids:
            self._told.popitem(last=False)
        return True
