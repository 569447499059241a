"""What a caller sends: a text, or two texts that belong together."""

from dataclasses import dataclass

__all__ = ["TextInput"]


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
