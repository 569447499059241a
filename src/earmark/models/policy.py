"""Which models of the Hub a request may have fetched, and whether it may at this moment."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from earmark.errors import SettingsError

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
        """Return whether a model may be fetched."""
        return self.everything or any(fnmatchcase(model_id, one) for one in self.patterns)

    def __str__(self) -> str:
        """Write the rule as the operator would."""
        return _ANY if self.everything else ", ".join(self.patterns) or _DENY


DENY: Final = HubRule()
ANY: Final = HubRule(everything=True)


class HubPolicy:
    """The operator's rule; without one, a rule that follows from who can reach the server.

    Without the operator's rule any model is fetched for programs on this machine, as long as no
    other machine can reach the server and no access key was ever created. A request that a page of
    another site makes a browser send does not count as one of this machine: see `refusal`.
    """

    def __init__(
        self, rule: HubRule | None, *, demands_key: Callable[[], bool], loopback: bool
    ) -> None:
        """Decide by a rule.

        Args:
            rule: the operator's; None where none was set.
            demands_key: returns whether a key is demanded, also one that is created later.
            loopback: whether only this machine can reach the server.
        """
        self._rule = rule
        self._demands_key = demands_key
        self._loopback = loopback

    @property
    def rule(self) -> HubRule:
        """The rule that holds at this moment.

        Raises:
            StateUnavailable: the access keys cannot be read.
        """
        if self._rule is not None:
            return self._rule
        return ANY if self._loopback and not self._demands_key() else DENY

    def refusal(self, model_id: str, *, here: bool) -> str | None:
        """Return why a model may not be fetched; None where it may.

        Args:
            model_id: an id of the Hub.
            here: whether the request is surely that of a program on this machine, or of the
                server's own page. It counts only where the operator set no rule.

        Raises:
            StateUnavailable: the access keys cannot be read.
        """
        rule = self.rule
        if not rule.allows(model_id):
            return f"hub_models is {rule}"
        if self._rule is None and not here:
            return "a page of another site, or another machine's name for this one, asks for it"
        return None
