"""The labels of a model, and how to read its logits."""

from dataclasses import dataclass
from typing import Literal

ProblemType = Literal["regression", "single_label_classification", "multi_label_classification"]
"""The values of `problem_type` in `config.json`."""


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The labels of a head in the order of its logits.

    Attributes:
        names: label names, index = position of the logit.
        problem_type: as in the checkpoint; None if it is not stated.
    """

    names: tuple[str, ...]
    problem_type: ProblemType | None = None

    def __len__(self) -> int:
        """Return the number of labels."""
        return len(self.names)
