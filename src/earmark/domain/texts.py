"""The inputs of a request, and the questions to the model about them."""

from dataclasses import dataclass
from typing import Literal

Cut = Literal["longest_first", "only_first", "windows"]
"""What to do with a text that is too long for the model.

`longest_first` cuts the longer text of a pair, `only_first` keeps the second whole if it fits by
itself, and `windows` reads a single text in several windows that overlap."""


@dataclass(frozen=True, slots=True)
class TextInput:
    """One text or pair to classify.

    Attributes:
        text: the text, or the first of a pair.
        pair: the second text of a pair; None for a single text. An empty string makes a pair with
            an empty second text, which differs from a single text.
    """

    text: str
    pair: str | None = None

    @property
    def characters(self) -> int:
        """Unicode code points of both texts."""
        return len(self.text) + len(self.pair or "")


@dataclass(frozen=True, slots=True)
class Question:
    """One text for the model to read; a request may ask several questions about one input.

    Attributes:
        item: index of the request's input that the question is about.
        text: what the model reads.
        cut: what to do if it is too long.
        stride: tokens that neighbouring windows share; for `windows` only.
        refuse: whether to refuse the question instead of cutting the text.
    """

    item: int
    text: TextInput
    cut: Cut = "longest_first"
    stride: int = 0
    refuse: bool = False
