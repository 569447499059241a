"""What a caller sends, and what is asked of the model for it."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Cut", "Question", "TextInput"]

Cut = Literal["longest_first", "only_first", "windows"]
"""What to do with a text that is too long for the model.

`longest_first` cuts the longer text of a pair, `only_first` leaves the second
whole as long as that fits by itself, and `windows`
reads a single text in several pieces that overlap."""


@dataclass(frozen=True, slots=True)
class TextInput:
    """One thing to classify.

    Attributes:
        text: the text, or the first of a pair.
        pair: the second text of a pair; None for a single text. An empty string is a pair
            whose second half is empty, which is not the same thing.
    """

    text: str
    pair: str | None = None

    @property
    def characters(self) -> int:
        """Unicode code points in both halves."""
        return len(self.text) + len(self.pair or "")


@dataclass(frozen=True, slots=True)
class Question:
    """One text as the model is to read it; a request may ask several about one input.

    Attributes:
        item: index of the request's input that the question is about.
        text: what the model reads.
        cut: what to do when it is too long.
        stride: tokens that neighbouring windows share; for `windows` only.
        refuse: refuse the question rather than cut.
    """

    item: int
    text: TextInput
    cut: Cut = "longest_first"
    stride: int = 0
    refuse: bool = False
