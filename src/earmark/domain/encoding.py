"""A text as the model reads it."""

from dataclasses import dataclass

__all__ = ["Alignment", "Encoding"]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where the tokens of an encoding stand in their text; every tuple has one entry per token.

    Attributes:
        tokens: as the vocabulary writes them.
        offsets: first and last-plus-one Unicode code point; (0, 0) for special tokens.
        special: whether the token was added around the text.
        continues: whether the token goes on with the word of the token before it.
    """

    tokens: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]
    special: tuple[bool, ...]
    continues: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Encoding:
    """Token ids of one text or pair, special tokens included, cut to the model's maximum.

    Attributes:
        ids: vocabulary ids, shape ``[tokens]``.
        type_ids: 0 for the first text and 1 for the second, shape ``[tokens]``.
        truncated_tokens: how many tokens of the input were cut off; 0 when all fitted.
        alignment: where the tokens stand; None where nobody asked.
    """

    ids: tuple[int, ...]
    type_ids: tuple[int, ...]
    truncated_tokens: int = 0
    alignment: Alignment | None = None

    def __len__(self) -> int:
        """Count the tokens, special ones included."""
        return len(self.ids)
