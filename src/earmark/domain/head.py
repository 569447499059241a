"""What a task needs to know about the model to read its logits."""

from dataclasses import dataclass
from typing import Literal, Protocol

from earmark.domain.labels import LabelSet
from earmark.domain.tags import Tag, parse_tags

HeadKind = Literal["sequence", "token"]
"""One answer per text, or one per token."""


class Pieces(Protocol):
    """Writes the tokens of a tokenizer as text."""

    @property
    def unknown(self) -> str | None:
        """The token for text that is not in the vocabulary; None if there is none."""
        ...

    def join(self, tokens: list[str]) -> str:
        """Join tokens into a text."""
        ...


@dataclass(frozen=True, slots=True)
class ModelHead:
    """How to read a model's answers.

    Attributes:
        kind: one answer per text or per token.
        labels: in the order of the logits.
        pieces: writes tokens as text.
    """

    kind: HeadKind
    labels: LabelSet
    pieces: Pieces

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The labels, parsed, in the same order."""
        return parse_tags(self.labels.names)
