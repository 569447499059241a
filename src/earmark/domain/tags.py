"""Parses the labels of tokens: the kind of entity, and the token's position in it.

Joining, naming and ignoring entities all use this parser. The forms are those of `IOB, BIO, BIOES
and BILOU <https://en.wikipedia.org/wiki/Inside-outside-beginning_(tagging)>`_, and of Chinese
taggers (``M-`` inside, ``W-`` whole).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

OUTSIDE = "O"
"""The label of tokens outside of any entity. An entity *type* may also have this name."""

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
"""Letters that always mean a position when they come first, as in `transformers`."""
SCHEMES = (frozenset("BIES"), frozenset("BILU"), frozenset("BMES"), frozenset("BMEW"))
"""Letters of each scheme. Letters outside of `USUAL` count only if labels of one type have two of
them: ``E-MAIL`` alone is a name with a dash."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A label, parsed.

    Attributes:
        kind: the entity's type; for a label without a position, the whole label.
        place: the token's position in the entity; None if the label has none.
        outside: whether the token is outside of any entity.
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
    """Parse all labels of a model; the meaning of one may depend on the others.

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
    """Split a label at its first or last dash into a letter, which may be empty, and the rest."""
    if last:
        kind, _, letter = name.rpartition("-")
    else:
        letter, _, kind = name.partition("-")
    return (letter, kind) if kind and letter in PLACES else ("", name)


def _letters(labels: Sequence[tuple[str, str]]) -> frozenset[str]:
    """Return the letters that mean positions: those of a scheme of which one type has two."""
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
