"""Limits how often the log mentions models that cannot be had: strangers must not fill it.

Pure: time is passed in.
"""

from collections import OrderedDict
from dataclasses import dataclass, field


@dataclass(slots=True)
class LogLimit:
    """Lets each id into the log once, and only so many ids within a time.

    Attributes:
        most_ids: remembered; the one logged first is forgotten first, and may be logged again.
        most_at_once: logged within `span_s`.
        span_s: seconds.
    """

    most_ids: int = 1024
    most_at_once: int = 20
    span_s: float = 60.0
    _logged: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _began_s: float = float("-inf")
    _within: int = 0

    def may_log(self, model_id: str, *, now_s: float) -> bool:
        """Return whether an id may be logged now; it then counts as logged."""
        if model_id in self._logged:
            return False
        if now_s - self._began_s >= self.span_s:
            self._began_s, self._within = now_s, 0
        if self._within >= self.most_at_once:
            return False
        self._within += 1
        self._logged[model_id] = None
        if len(self._logged) > self.most_ids:
            self._logged.popitem(last=False)
        return True
