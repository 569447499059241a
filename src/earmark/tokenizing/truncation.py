"""How many tokens of each text to keep when they do not all fit."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

__all__ = ["CUT_SIDES", "CutSide", "PairCut", "kept"]

CutSide: TypeAlias = Literal["right", "left"]
"""The end of a text that is cut off (`truncation_side` of `tokenizer_config.json`)."""
CUT_SIDES: Sequence[CutSide] = ("right", "left")

PairCut: TypeAlias = Literal["longest_first", "only_first"]
"""`longest_first` shortens the longer of a pair; `only_first` leaves the second
whole as long as that fits by itself."""


def kept(first: int, second: int, room: int, cut: PairCut = "longest_first") -> tuple[int, int]:
    """Share the room between the two texts of a pair.

    The reference is `truncate_encodings` of the `tokenizers` library (utils/truncation.rs): of a
    pair that does not fit, the longer gives way until both are equal, then both share the room
    and the second keeps the odd token.

    Args:
        first: tokens of the first text.
        second: tokens of the second text; 0 for a single text.
        room: tokens there is room for, special tokens already taken off.
        cut: which text gives way.

    Returns:
        Tokens to keep of each.
    """
    room = max(room, 0)
    if first + second <= room:
        return first, second
    if cut == "only_first":
        return max(room - second, 0), min(second, room)
    shorter, longer = sorted((first, second))
    if shorter > room // 2:
        # Both are too long: an equal share each. The odd token goes to the text that was longer
        # or, where they are equal, to the second.
        small, large = room // 2, room - room // 2
        return (large, small) if first > second else (small, large)
    longer = room - shorter
    return (longer, shorter) if first > second else (shorter, longer)
