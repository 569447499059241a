"""Finds the known name that a misspelt one was meant for.

A name may have a few typing slips, another case or other separators. Pure, and fast for names of
any length, since the number of slips is limited.
"""

import re
from collections.abc import Iterable
from typing import Final

_MOST_SLIPS: Final = 3
_SHORTEST: Final = 3
"""Shortest name, in characters, with a slip: in a shorter one each slip makes another word."""
_LETTERS_PER_SLIP: Final = 5
"""With these, `bert-base-ner` is near `bert-bsae-nre`, but not near `bert-large-ner`."""
_LONGEST: Final = 200
"""Longest name, in characters; an address may contain kilobytes."""
_BESIDE_THE_NAME: Final = re.compile(r"^@\w+/|(?<=[^/])[:@][^/:@]*$")


def nearest(written: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant; None if none is near.

    Case and separators are ignored: `topK` is near `top_k`. Apart from that, a name of three
    letters may have one slip, of eight two, of thirteen three: a missing, added or wrong letter, or
    two swapped neighbours.

    Args:
        written: what a person wrote.
        known: the known names; of equally near ones the first is returned.
    """
    found = [(slips, name) for name in known if (slips := _slips(written, name)) is not None]
    return min(found, key=lambda one: one[0])[1] if found else None


def expected_one_of(written: object, choices: Iterable[str]) -> str:
    """Return the allowed words, for a message about another word, and which was probably meant."""
    choices = tuple(choices)
    near = nearest(written, choices) if isinstance(written, str) else None
    hint = f" (did you mean {near}?)" if near else ""
    return f"expected one of {', '.join(choices)}{hint}"


def nearest_model(written: str, known: Iterable[str]) -> str | None:
    """Return the known model id that was probably meant; None if none is near.

    The name and its owner, the part before the last slash, must each be near; a missing owner
    counts as near. A prefix for the origin, `@cf/`, and a suffix for the revision or the precision,
    as in `org/name@main` and `org/name:int8`, are ignored.
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
    """Return the number of slips between two names; None if there are too many."""
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
    """Return whether two names differ by at most so many slips (Damerau-Levenshtein distance)."""
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
