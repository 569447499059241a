"""What a caller gets back."""

from dataclasses import dataclass

__all__ = ["Classification", "LabelScore"]


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label and its score.

    Attributes:
        label: the label's name.
        score: a probability, or a raw logit where no function was applied.
    """

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Classification:
    """The answer for one text.

    Attributes:
        scores: best first; labels of equal score stay in the order of the head.
        tokens: tokens the model read, special ones included.
        truncated_tokens: tokens of the text that did not fit the model and were not read.
    """

    scores: tuple[LabelScore, ...]
    tokens: int
    truncated_tokens: int = 0

    @property
    def label(self) -> str:
        """The best label."""
        return self.scores[0].label

    @property
    def score(self) -> float:
        """The best label's score."""
        return self.scores[0].score
