"""A text as the model reads it."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Alignment:
    """The places of an encoding's tokens in the text; every tuple has one entry per token.

    Attributes:
        tokens: as in the vocabulary.
        offsets: first Unicode code point, and last plus one; (0, 0) for special tokens.
        special: whether the token is a special token around the text.
        continues: whether the token continues the word of the token before it.
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
        truncated_tokens: how many tokens of the input were cut off; 0 if all fitted.
        alignment: the places of the tokens in the text; None if it was not requested.
    """

    ids: tuple[int, ...]
    type_ids: tuple[int, ...]
    truncated_tokens: int = 0
    alignment: Alignment | None = None

    def beyond(self, rows: int | None) -> int | None:
        """Return the first id without a row in the word embeddings; None if all have one.

        Args:
            rows: number of rows of the word embeddings; None if it is not known.
        """
        return None if rows is None else next((one for one in self.ids if one >= rows), None)

    def within(self, rows: int | None) -> "Encoding":
        """Replace each id without a row in the word embeddings by 0; only for our own texts."""
        if self.beyond(rows) is None or rows is None:
            return self
        return replace(self, ids=tuple(one if one < rows else 0 for one in self.ids))

    def __len__(self) -> int:
        """Return the number of tokens, special ones included."""
        return len(self.ids)
