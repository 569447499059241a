"""Token classification: labels for the tokens of a text, such as named entities.

Follows `transformers` 5.23.0, pipelines/token_classification.py, except for what
`docs/differences.md` lists.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from earmark.domain.encoding import Encoding
from earmark.domain.head import HeadKind, ModelHead
from earmark.domain.packing import Float32
from earmark.domain.results import Entities, Entity
from earmark.domain.texts import Question, TextInput
from earmark.tasks.activations import apply_function
from earmark.tasks.spans import (
    AggregationStrategy,
    aligned_tokens,
    group,
    ignored,
    join,
    label_tokens,
    label_words,
    without_overlaps,
)
from earmark.tasks.task import Part, TaskName
from earmark.tasks.window_merge import WindowMerge, earliest_start


@dataclass(frozen=True, slots=True)
class TokenClassification:
    """A request to label the tokens of texts.

    Attributes:
        inputs: the texts, answered in this order.
        strategy: how tokens are joined.
        ignore_labels: labels of the model, or kinds of entities, to leave out.
        stride: read long texts in windows that share so many tokens; None truncates them.
    """

    task: ClassVar[TaskName] = "token-classification"
    head: ClassVar[HeadKind] = "token"

    inputs: tuple[str, ...]
    strategy: AggregationStrategy = "simple"
    ignore_labels: frozenset[str] = frozenset({"O"})
    stride: int | None = None

    @property
    def items(self) -> int:
        """How many texts are to be labelled."""
        return len(self.inputs)

    @property
    def texts(self) -> int:
        """One for each input."""
        return len(self.inputs)

    @property
    def characters(self) -> int:
        """Unicode code points of all texts."""
        return sum(len(text) for text in self.inputs)

    def parameters(self) -> tuple[Part, ...]:
        """The ignored labels are sorted, since their order does not matter."""
        return (self.strategy, tuple(sorted(self.ignore_labels)), self.stride)

    def content(self, item: int) -> tuple[Part, ...]:
        """The text."""
        return (self.inputs[item],)

    def only(self, items: Sequence[int]) -> "TokenClassification":
        """Return the same request for some inputs only, in the order given."""
        return replace(self, inputs=tuple(self.inputs[item] for item in items))

    def questions(self) -> Sequence[Question]:
        """Return one question for each text, to be truncated or read in windows."""
        if self.stride is None:
            return [Question(item, TextInput(text)) for item, text in enumerate(self.inputs)]
        return [
            Question(item, TextInput(text), cut="windows", stride=self.stride)
            for item, text in enumerate(self.inputs)
        ]

    def finish(
        self,
        item: int,
        encodings: Sequence[Encoding],
        logits: Sequence[Float32],
        head: ModelHead,
    ) -> Entities:
        """Read one text's windows, ``[tokens, labels]`` each."""
        found = [
            entity
            for encoding, values in zip(encodings, logits, strict=True)
            for entity in self.read_window(item, encoding, values, head)
        ]
        if len(encodings) > 1:
            found = without_overlaps(found)
        return Entities(
            tuple(found),
            sum(len(one) for one in encodings),
            sum(one.truncated_tokens for one in encodings),
        )

    def merge(self, encodings: Sequence[Encoding]) -> WindowMerge:
        """Return a merge to read one text's windows one by one; its result is that of `finish`."""
        return WindowMerge([earliest_start(one) for one in encodings])

    def read_window(
        self, item: int, encoding: Encoding, logits: Float32, head: ModelHead
    ) -> list[Entity]:
        """Read one window's logits, ``[tokens, labels]``."""
        scores = apply_function(logits, "softmax")
        tokens = aligned_tokens(self.inputs[item], encoding, scores, head.pieces)
        if self.strategy == "none" or self.strategy == "simple":  # noqa: PLR1714 - narrows the type
            labelled = label_tokens(tokens, head)
        else:
            labelled = label_words(tokens, head, self.strategy)
        if self.strategy == "none":
            return [one.entity for one in labelled if not ignored([one], self.ignore_labels)]
        groups = group(labelled)
        return [join(one, head.pieces) for one in groups if not ignored(one, self.ignore_labels)]
