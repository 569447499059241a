"""Which models of the Hub requests may have fetched, as the operator writes it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from earmark.errors import SettingsError

__all__ = ["ANY", "DENY", "HubRule"]

_DENY: Final = "deny"
_ANY: Final = "any"

_PATTERN: Final = re.compile(r"[A-Za-z0-9._*?\[\]!-]+/[A-Za-z0-9._*?\[\]!-]+")
"""What the Hub allows in an id of two parts, and the signs of a shell's patterns."""


@dataclass(frozen=True, slots=True)
class HubRule:
    """A rule over ids.

    Attributes:
        patterns: as a shell has them; an id has to fit one as a whole, in the same case.
        everything: any id will do.
    """

    patterns: tuple[str, ...] = ()
    everything: bool = False

    @classmethod
    def read(cls, written: Iterable[str]) -> "HubRule":
        """Read a rule as the operator writes it: ``deny``, ``any``, or patterns.

        Args:
            written: one or several; each may hold several, separated by commas.

        Raises:
            SettingsError: there is none, one is no pattern, or ``deny`` or ``any`` is not alone.
        """
        words = [word.strip() for each in written for word in each.split(",")]
        if words == [_DENY]:
            return DENY
        if words == [_ANY]:
            return ANY
        for word in words:
            if word in (_DENY, _ANY):
                raise SettingsError(
                    f"hub_models has {word!r} beside other values: {', '.join(words)}; expected"
                    f" {word!r} alone, or patterns"
                )
            if not _PATTERN.fullmatch(word):
                raise SettingsError(
                    f"hub_models has {word!r}; expected {_DENY}, {_ANY}, or patterns such as"
                    " dslim/* or cardiffnlp/twitter-*, with one / and the signs * ? [ ]"
                )
        if not words:
            raise SettingsError(f"hub_models is empty; expected {_DENY}, {_ANY}, or patterns")
        return cls(tuple(dict.fromkeys(words)))

    def allows(self, model_id: str) -> bool:
        """Say whether a model may be fetched."""
        return self.everything or any(fnmatchcase(model_id, one) for one in self.patterns)

    def __str__(self) -> str:
        """Write the rule as the operator would."""
        return _ANY if self.everything else ", ".join(self.patterns) or _DENY


DENY: Final = HubRule()
ANY: Final = HubRule(everything=True)
