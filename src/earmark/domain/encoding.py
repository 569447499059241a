"""A text as the model reads it."""

from dataclasses import dataclass

__all__ = ["Encoding"]


@dataclass(frozen=True, slots=True)
class Encoding:
    """Token ids of one text or pair, special tokens included, cut to the model's maximum.

    Attributes:
        ids: vocabulary ids, shape ``[tokens]``.
        type_ids: 0 for the first text and 1 for the second, shape ``[tokens]``.
        truncated_tokens: how many tokens of the input were cut off; 0 when all fitted.
    """

    ids: tuple[int, ...]
    type_ids: tuple[int, ...]
    truncated_tokens: int = 0

    def __len__(self) -> int:
        """Count the tokens, special ones included."""
        return len(self.ids)
