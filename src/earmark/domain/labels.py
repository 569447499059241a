"""What a model can answer: its labels, and how its logits are to be read."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["LabelSet", "ProblemType"]

ProblemType = Literal["regression", "single_label_classification", "multi_label_classification"]
"""The names `config.json` uses for `problem_type`."""


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The labels of a head in the order of its logits.

    Attributes:
        names: label names, index = position of the logit.
        problem_type: as the checkpoint states it; None where it says nothing.
    """

    names: tuple[str, ...]
    problem_type: ProblemType | None = None

    def __len__(self) -> int:
        """Count the labels."""
        return len(self.names)
