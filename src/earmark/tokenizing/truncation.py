"""Decides how many tokens of each text to keep if they do not all fit."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

CutSide: TypeAlias = Literal["right", "left"]
"""The end of a text that is cut off (`truncation_side` of `tokenizer_config.json`)."""
CUT_SIDES: Sequence[CutSide] = ("right", "left")

PairCut: TypeAlias = Literal["longest_first", "only_first"]
"""`longest_first` shortens the longer of a pair; `only_first` keeps the second whole if it fits by
itself."""


def kept(first: int, second: int, room: int, cut: PairCut = "longest_first") -> tuple[int, int]:
    """Divide the room between the two texts of a pair.

    The reference is `truncate_encodings` of the `tokenizers` library (utils/truncation.rs): if a
    pair does not fit, the longer is shortened until both are equal, then both share the room and
    the second keeps the odd token.

    Args:
        first: tokens of the first text.
        second: tokens of the second text; 0 for a single text.
        room: number of tokens that fit, special tokens already subtracted.
        cut: which text is shortened.

    Returns:
        Number of tokens to keep of each.
    """
    room = max(room, 0)
    if first + second <= room:
        return first, second
    if cut == "only_first":
        return max(room - second, 0), min(second, room)
    shorter, longer = sorted((first, second))
    if shorter > room // 2:
        # Both are too long: each gets an equal share. The odd token goes to the text that was
        # longer, or to the second if they are equal.
        small, large = room // 2, room - room // 2
        return (large, small) if first > second else (small, large)
    longer = room - shorter
    return (longer, shorter) if first > second else (shorter, longer)
