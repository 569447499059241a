"""Labels of tokens: what kind of entity a token is part of, and where in it the token stands.

One parser for everything that looks into a label: joining, naming and ignoring. The forms are
those of `IOB, BIO, BIOES and BILOU
<https://en.wikipedia.org/wiki/Inside-outside-beginning_(tagging)>`_, and of Chinese taggers
(``M-`` inside, ``W-`` whole).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

__all__ = ["OUTSIDE", "Place", "Tag", "parse_tags"]

OUTSIDE = "O"
"""The label of tokens that are part of no entity. An entity *type* may be called so as well."""

Place: TypeAlias = Literal["begin", "inside", "end", "single"]

PLACES: dict[str, Place] = {
    "B": "begin",
    "I": "inside",
    "M": "inside",
    "E": "end",
    "L": "end",
    "S": "single",
    "U": "single",
    "W": "single",
}
USUAL = frozenset("BI")
"""Letters that are always a place when they stand first, as in `transformers`."""
SCHEMES = (frozenset("BIES"), frozenset("BILU"), frozenset("BMES"), frozenset("BMEW"))
"""Letters that go together. The further ones count only where labels of one type have two of them:
``E-MAIL`` alone is a name with a dash."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A label, parsed.

    Attributes:
        kind: the entity's type; of a label without a place, the whole label.
        place: where in an entity the token stands; None where the label does not say.
        outside: whether the token is part of no entity.
    """

    kind: str
    place: Place | None = None
    outside: bool = False

    def goes_on(self, before: "Tag") -> bool:
        """Return whether a token belongs to the same entity as the token before it."""
        return (
            (self.kind, self.outside) == (before.kind, before.outside)
            and self.place not in {"begin", "single"}
            and before.place not in {"end", "single"}
        )


@lru_cache(maxsize=64)
def parse_tags(names: tuple[str, ...]) -> tuple[Tag, ...]:
    """Parse all labels of a model; one is read in the light of the others.

    Args:
        names: the labels, index = position of the logit.

    Returns:
        A tag for each label.
    """
    before = [_split(name, last=False) for name in names]
    first = USUAL | _letters(before)
    behind = [_split(name, last=True) for name in names]
    last = frozenset[str]() if _any_place(before, first) else _letters(behind)
    return tuple(
        _tag(name, prefix, first) or _tag(name, suffix, last) or _plain(name)
        for name, prefix, suffix in zip(names, before, behind, strict=True)
    )


def _split(name: str, *, last: bool) -> tuple[str, str]:
    """Take a label apart at its first or last dash: a letter, or nothing, and the rest."""
    if last:
        kind, _, letter = name.rpartition("-")
    else:
        letter, _, kind = name.partition("-")
    return (letter, kind) if kind and letter in PLACES else ("", name)


def _letters(labels: Sequence[tuple[str, str]]) -> frozenset[str]:
    """Find the letters that are places: those of a scheme that one type has two of."""
    of_kind: dict[str, set[str]] = {}
    for letter, kind in labels:
        if letter:
            of_kind.setdefault(kind, set()).add(letter)
    several = [letters for letters in of_kind.values() if len(letters) > 1]
    further = [letters for letters in several if letters - USUAL]
    schemes = [one for one in SCHEMES if any(letters <= one for letters in further)]
    return frozenset[str]().union(USUAL if several else (), *schemes)


def _any_place(labels: Sequence[tuple[str, str]], letters: frozenset[str]) -> bool:
    return any(letter in letters for letter, _ in labels)


def _tag(name: str, split: tuple[str, str], letters: frozenset[str]) -> Tag | None:
    letter, kind = split
    return Tag(kind, PLACES[letter]) if letter in letters and kind != name else None


def _plain(name: str) -> Tag:
    return Tag(name, outside=name == OUTSIDE)
