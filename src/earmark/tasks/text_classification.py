"""Text classification: labels for a text or a pair of texts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from earmark.domain.encoding import Encoding
from earmark.domain.head import HeadKind, ModelHead
from earmark.domain.packing import Float32
from earmark.domain.results import Classification, LabelScore
from earmark.domain.texts import Question, TextInput
from earmark.tasks.activations import FunctionToApply, apply_function, default_function
from earmark.tasks.task import Part, TaskName


@dataclass(frozen=True, slots=True)
class TextClassification:
    """A request to classify texts.

    Attributes:
        inputs: the texts, answered in this order.
        function: applied to the logits; None leaves the choice to the checkpoint.
        top_k: how many of the best labels to keep, at least 1; None keeps all.
        truncate: cut a text that is too long for the model; False refuses it instead.
        sort: best label first; False leaves the labels in the order of the head.
    """

    task: ClassVar[TaskName] = "text-classification"
    head: ClassVar[HeadKind] = "sequence"

    inputs: tuple[TextInput, ...]
    function: FunctionToApply | None = None
    top_k: int | None = None
    truncate: bool = True
    sort: bool = True

    @property
    def items(self) -> int:
        """How many texts are to be classified."""
        return len(self.inputs)

    @property
    def texts(self) -> int:
        """One for each input."""
        return len(self.inputs)

    @property
    def characters(self) -> int:
        """Unicode code points of all texts."""
        return sum(text.characters for text in self.inputs)

    def parameters(self) -> tuple[Part, ...]:
        """A text's result depends on all of them."""
        return (self.function, self.top_k, self.truncate, self.sort)

    def content(self, item: int) -> tuple[Part, ...]:
        """The text, and the second one of a pair."""
        text = self.inputs[item]
        return (text.text, text.pair)

    def only(self, items: Sequence[int]) -> "TextClassification":
        """Return the same request for some inputs only, in the order given."""
        return replace(self, inputs=tuple(self.inputs[item] for item in items))

    def questions(self) -> Sequence[Question]:
        """Return one question for each text."""
        return [
            Question(item, text, refuse=not self.truncate) for item, text in enumerate(self.inputs)
        ]

    def finish(
        self,
        item: int,  # noqa: ARG002 - every text is read the same way
        encodings: Sequence[Encoding],
        logits: Sequence[Float32],
        head: ModelHead,
    ) -> Classification:
        """Read one text's logits, ``[labels]``."""
        labels, encoding = head.labels, encodings[0]
        scores = apply_function(logits[0], self.function or default_function(labels))
        # Stable, so that equal scores keep the head's order, as in the reference.
        order = np.argsort(-scores, kind="stable")[: self.top_k]
        kept = order if self.sort else np.sort(order)
        best = tuple(LabelScore(labels.names[index], float(scores[index])) for index in kept)
        return Classification(best, len(encoding), encoding.truncated_tokens)
