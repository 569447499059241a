"""Changes to a text that the `tokenizers` library carries out, so that offsets stay right.

A normalizer written in Python may change each letter, and put one text in the place of another
wherever it stands. With these two, any list of changes is made in a few passes over the text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import NormalizedString

__all__ = ["Edit", "carry_out"]

STAYS = "a"
GOES = "\0"
GROWS = 0xF0000
"""From here on, letters of the private use stand for a letter that becomes several."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Another text in place of some letters.

    Attributes:
        start: of the letters, in code points.
        stop: their end; there is one letter or more.
        made: the text.
    """

    start: int
    stop: int
    made: str


def carry_out(normalized: NormalizedString, edits: Sequence[Edit]) -> None:
    """Change a text.

    The text is first brought to its new length with placeholders, then each letter is set. A new
    letter stands where the letter did that it takes the place of; further ones stand with the last.

    Args:
        normalized: the text.
        edits: in its order; no two share a letter.
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
    """Set each letter of a text that is as long already."""
    following = iter(letters)
    normalized.map(lambda _: next(following))
