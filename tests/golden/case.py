"""What a golden case is made of."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from golden.texts import FEW_TEXTS
from support.checkpoints import CheckpointSpec

Text: TypeAlias = str | tuple[str, str]
"""A text, or a pair."""

Release = Literal["5", "4"]
"""The major release of `transformers` that answers: 5 is the newest, 4 is 4.57.1, which computes
and reads some checkpoints as they were trained where 5 does not."""

Strategy = Literal["none", "simple", "first", "average", "max"]


@dataclass(frozen=True, slots=True)
class Tagging:
    """What the token-classification pipeline is asked for each text.

    Attributes:
        strategy: how tokens are joined.
        ignore_labels: labels left out.
        stride: tokens that the windows of a long text share; None cuts it.
    """

    strategy: Strategy
    ignore_labels: tuple[str, ...] = ()
    stride: int | None = None


@dataclass(frozen=True, slots=True)
class Sorting:
    """What the zero-shot-classification pipeline is asked for each text.

    Attributes:
        labels: candidate labels.
        template: a sentence with a place for the label.
        multi_label: each label by itself.
    """

    labels: tuple[str, ...]
    template: str = "This example is {}."
    multi_label: bool = False


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """A checkpoint, its texts and what is asked of each.

    Attributes:
        name: also the name of the file with the answers.
        spec: what to build.
        texts: texts and pairs, in order.
        taggings: questions to a token head.
        sortings: questions to a sequence head; without them the text-classification pipeline is
            asked.
        release: which release of `transformers` is asked.
    """

    name: str
    spec: CheckpointSpec
    texts: tuple[Text, ...] = FEW_TEXTS
    taggings: tuple[Tagging, ...] = ()
    sortings: tuple[Sorting, ...] = ()
    release: Release = "5"

    @property
    def plain_texts(self) -> tuple[str, ...]:
        """The texts that are no pairs."""
        return tuple(text for text in self.texts if isinstance(text, str))
