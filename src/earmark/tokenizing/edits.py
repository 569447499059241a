"""Applies changes to a text through the `tokenizers` library, so that offsets stay right.

A normalizer in Python can map each letter, and can replace every occurrence of a text by another.
With these two operations, any list of changes is made in a few passes over the text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import NormalizedString

STAYS = "a"
GOES = "\0"
GROWS = 0xF0000
"""First private-use letter that serves as a placeholder for a letter that becomes several."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement of some letters by another text.

    Attributes:
        start: first letter, in code points.
        stop: last letter plus one; there is at least one letter.
        made: the new text.
    """

    start: int
    stop: int
    made: str


def carry_out(normalized: NormalizedString, edits: Sequence[Edit]) -> None:
    """Apply edits to a text.

    The text is first brought to its new length with placeholders, then each letter is set. A new
    letter has the offset of the letter that it replaces; further letters have that of the last.

    Args:
        normalized: the text.
        edits: in the order of the text; they must not overlap.
    """
    if not edits:
        return
    text = normalized.normalized
    growths: dict[int, str] = {}
    shape, made, at = [], [], 0
    for edit in edits:
        shape.append(STAYS * (edit.start - at))
        made += [text[at : edit.start], edit.made]
        at = edit.stop
        before, after = edit.stop - edit.start, len(edit.made)
        if after <= before:
            shape.append(STAYS * after + GOES * (before - after))
        else:
            size = after - before + 1
            grown = growths.setdefault(size, chr(GROWS + len(growths)))
            shape.append(STAYS * (before - 1) + grown)
    shape.append(STAYS * (len(text) - at))
    made.append(text[at:])
    _set_letters(normalized, "".join(shape))
    normalized.replace(GOES, "")
    for size, grown in growths.items():
        normalized.replace(grown, STAYS * size)
    _set_letters(normalized, "".join(made))


def _set_letters(normalized: NormalizedString, letters: str) -> None:
    """Replace each letter of a text by another text of the same length."""
    following = iter(letters)
    normalized.map(lambda _: next(following))
