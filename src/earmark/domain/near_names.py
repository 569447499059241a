"""Names that were meant for others: a few slips of the finger, another case, other separators.

Pure, and quick for names of any length: how many slips are looked for is bounded.
"""

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["expected_one_of", "nearest", "nearest_model"]

_MOST_SLIPS: Final = 3
_SHORTEST: Final = 3
"""Characters; in a shorter name each slip makes another word."""
_LETTERS_PER_SLIP: Final = 5
"""So `bert-base-ner` is near `bert-bsae-nre`, and not near `bert-large-ner`."""
_LONGEST: Final = 200
"""Characters; no name is longer, and an address may hold kilobytes."""
_BESIDE_THE_NAME: Final = re.compile(r"^@\w+/|(?<=[^/])[:@][^/:@]*$")


def nearest(written: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant; None where none is near.

    Case and separators count for nothing: `topK` is near `top_k`. Beyond that a name of three
    letters may have one slip, of eight two, of thirteen three: a letter that is missing, added,
    wrong, or in the place of its neighbour.

    Args:
        written: what a person wrote.
        known: the names that there are; of equally near ones the first is returned.
    """
    found = [(slips, name) for name in known if (slips := _slips(written, name)) is not None]
    return min(found, key=lambda one: one[0])[1] if found else None


def expected_one_of(written: object, choices: Iterable[str]) -> str:
    """Say what may stand in the place of a word that is none of a few, and which was meant."""
    choices = tuple(choices)
    near = nearest(written, choices) if isinstance(written, str) else None
    hint = f" (did you mean {near}?)" if near else ""
    return f"expected one of {', '.join(choices)}{hint}"


def nearest_model(written: str, known: Iterable[str]) -> str | None:
    """Return the known model id that was probably meant; None where none is near.

    The name and its owner, what stands before the last slash, have to be near each by itself; an
    owner that is left out counts as near. What only says where a model is from, `@cf/`, or which
    revision or precision is meant, as in `org/name@main` and `org/name:int8`, counts for nothing.
    """
    written = _BESIDE_THE_NAME.sub("", written[: _LONGEST + 1])
    found = [(slips, name) for name in known if (slips := _model_slips(written, name)) is not None]
    return min(found, key=lambda one: one[0])[1] if found else None


def _model_slips(written: str, known: str) -> int | None:
    owner, _, name = written.rpartition("/")
    known_owner, _, known_name = _BESIDE_THE_NAME.sub("", known).rpartition("/")
    of_owner = _slips(owner, known_owner) if owner and known_owner else 0
    of_name = _slips(name, known_name)
    if of_name is None or of_owner is None:
        return None
    return of_name + of_owner


def _slips(written: str, known: str) -> int | None:
    """Count the slips between two names; None where they are too many."""
    if len(written) > _LONGEST:
        return None
    one, other = _plain(written), _plain(known)
    if not one or not other:
        return None
    spare = min(len(one), len(other)) - _SHORTEST
    most = 0 if spare < 0 else min(_MOST_SLIPS, 1 + spare // _LETTERS_PER_SLIP)
    return next((slips for slips in range(most + 1) if _within(one, other, slips)), None)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def _within(one: str, other: str, slips: int) -> bool:
    """Say whether so many slips make one of the other (the distance of Damerau and Levenshtein)."""
    pairs = enumerate(zip(one, other, strict=False))
    shared = next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
    one, other = one[shared:], other[shared:]
    if abs(len(one) - len(other)) > slips:
        return False
    if not one or not other:
        return True
    if not slips:
        return False
    swapped = len(one) > 1 and one[:2] == other[1::-1]
    return (
        (swapped and _within(one[2:], other[2:], slips - 1))
        or _within(one[1:], other[1:], slips - 1)
        or _within(one[1:], other, slips - 1)
        or _within(one, other[1:], slips - 1)
    )
