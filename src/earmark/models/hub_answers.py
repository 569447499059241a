"""Remembers what the Hub answered about ids that requests named, for a while and only so many.

Pure: no thread, no lock, no clock; time is passed in.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar

from earmark.models.catalogue import KnownModel


@dataclass(frozen=True, slots=True)
class Found:
    """A model that can run here."""

    known: KnownModel


@dataclass(frozen=True, slots=True)
class Absent:
    """The Hub shows no such model."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A model that cannot run here."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The Hub could not be asked."""

    reason: str


Kept = TypeVar("Kept")

Outcome: TypeAlias = Found | Absent | Unusable | Unreachable

_KEPT_S: Final = {Absent: 60.0, Unusable: 300.0, Unreachable: 10.0}
"""A repository may be created or made public at any time, and be mended; a network comes back."""


@dataclass(slots=True)
class HubAnswers:
    """What the Hub answered, by id.

    Attributes:
        most_found: models remembered at once; the one used least recently is forgotten first.
        most_others: other outcomes remembered at once; the oldest is forgotten first.
    """

    most_found: int = 256
    most_others: int = 1024
    _found: OrderedDict[str, Found] = field(default_factory=OrderedDict)
    _others: OrderedDict[str, tuple[Outcome, float]] = field(default_factory=OrderedDict)

    def find(self, model_id: str) -> KnownModel | None:
        """Return a model that was found."""
        found = self._found.get(model_id)
        if found is None:
            return None
        self._found.move_to_end(model_id)
        return found.known

    def recall(self, model_id: str, *, now_s: float) -> Outcome | None:
        """Return what is known of an id; None where nothing is, or it was forgotten."""
        if self.find(model_id) is not None:
            return self._found[model_id]
        outcome, until_s = self._others.get(model_id, (None, now_s))
        if outcome is not None and now_s >= until_s:
            del self._others[model_id]
            return None
        return outcome

    def left_s(self, model_id: str, *, now_s: float) -> float:
        """Return for how many seconds an outcome is remembered yet; 0 for a model."""
        _, until_s = self._others.get(model_id, (None, now_s))
        return max(until_s - now_s, 0.0)

    def keep(self, model_id: str, outcome: Outcome, *, now_s: float) -> None:
        """Remember an outcome in place of any earlier one."""
        self._found.pop(model_id, None)
        self._others.pop(model_id, None)
        if isinstance(outcome, Found):
            self._found[model_id] = outcome
            _shorten(self._found, self.most_found)
        else:
            self._others[model_id] = (outcome, now_s + _KEPT_S[type(outcome)])
            _shorten(self._others, self.most_others)


def _shorten(table: OrderedDict[str, Kept], most: int) -> None:
    while len(table) > most:
        table.popitem(last=False)
