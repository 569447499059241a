"""What a task needs to know of the model to read its logits."""

from dataclasses import dataclass
from typing import Literal, Protocol

from earmark.domain.labels import LabelSet
from earmark.domain.tags import Tag, parse_tags

__all__ = ["HeadKind", "ModelHead", "Pieces"]

HeadKind = Literal["sequence", "token"]
"""One answer per text, or one per token."""


class Pieces(Protocol):
    """How a tokenizer writes its tokens as text."""

    @property
    def unknown(self) -> str | None:
        """The token that stands for what the vocabulary does not have."""
        ...

    def join(self, tokens: list[str]) -> str:
        """Write tokens as text again."""
        ...


@dataclass(frozen=True, slots=True)
class ModelHead:
    """A model's answers, and how to read them.

    Attributes:
        kind: one answer per text or per token.
        labels: in the order of the logits.
        pieces: how tokens are written as text.
    """

    kind: HeadKind
    labels: LabelSet
    pieces: Pieces

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The labels, parsed, in the same order."""
        return parse_tags(self.labels.names)
