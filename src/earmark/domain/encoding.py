"""A text as the model reads it."""

from dataclasses import dataclass, replace

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

    def beyond(self, rows: int | None) -> int | None:
        """Find the first id that a table of so many rows has no row for; None where all have one.

        Args:
            rows: of the model's word embeddings; None where they are not known.
        """
        return None if rows is None else next((one for one in self.ids if one >= rows), None)

    def within(self, rows: int | None) -> "Encoding":
        """Put id 0 in place of each id that the table has no row for: for texts of our own."""
        if self.beyond(rows) is None or rows is None:
            return self
        return replace(self, ids=tuple(one if one < rows else 0 for one in self.ids))

    def __len__(self) -> int:
        """Count the tokens, special ones included."""
        return len(self.ids)
