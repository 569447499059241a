"""Zero-shot classification: scores any labels with an inference model, by entailment.

Follows `transformers` 5.23.0, pipelines/zero_shot_classification.py, but with a softmax that cannot
overflow, and with contradiction found by its name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from earmark.domain.encoding import Encoding
from earmark.domain.head import HeadKind, ModelHead
from earmark.domain.labels import LabelSet
from earmark.domain.packing import Float32
from earmark.domain.results import LabelScore, Ranking
from earmark.domain.texts import Question, TextInput
from earmark.errors import InvalidInput
from earmark.tasks.activations import apply_function
from earmark.tasks.task import Part, TaskName

DEFAULT_TEMPLATE = "This example is {}."

_FIELD = re.compile(r"\{\{|\}\}|\{0?\}|[{}]")
"""Escaped braces, the placeholder, and other braces."""

_ENTAILMENT = re.compile("entail", re.IGNORECASE)
_CONTRADICTION = re.compile(r"contradict|(?:not?|non)[\W_]*entail", re.IGNORECASE)
"""Beginnings of label names, as in MNLI (three labels) and in RTE and QNLI (two)."""


def hypothesis(template: str, label: str) -> str:
    """Put a label into a template.

    Supports what the reference's `str.format` does with one plain argument: ``{}`` once or ``{0}``
    any number of times, ``{{`` and ``}}`` for braces. Attributes and indices, which the formatter
    would also look up, are not supported, since the template comes from a client.

    Raises:
        InvalidInput: the template has no placeholder, ``{}`` twice, or any other brace.
    """
    seen: list[str] = []

    def replace(match: re.Match[str]) -> str:
        found = match.group()
        if found in ("{{", "}}"):
            return found[0]
        if found in ("{}", "{0}"):
            seen.append(found)
            return label
        raise InvalidInput(
            f"`hypothesis_template` has a lone {found}; write {{}} where the label goes, and "
            "{{ or }} for a brace"
        )

    text = _FIELD.sub(replace, template)
    if not seen:
        raise InvalidInput("`hypothesis_template` has no {}, which is where the label goes")
    if seen.count("{}") > 1 or len(set(seen)) > 1:
        raise InvalidInput(
            "`hypothesis_template` has more than one {}; write {0} to repeat a label"
        )
    return text


def names_entailment(labels: LabelSet) -> bool:
    """Return whether the name of a label means entailment, in upper or lower case."""
    return _first(_ENTAILMENT, labels) is not None


def _first(meaning: re.Pattern[str], labels: LabelSet) -> int | None:
    found = (index for index, name in enumerate(labels.names) if meaning.match(name))
    return next(found, None)


def _places(labels: LabelSet) -> tuple[int, int]:
    """Return the indices of entailment and contradiction: by name, else by position.

    Without such names, entailment is the last label, as in the reference, and contradiction the one
    at the other end.
    """
    entailment, contradiction = _first(_ENTAILMENT, labels), _first(_CONTRADICTION, labels)
    last = len(labels) - 1
    if entailment is None:
        entailment = last if contradiction != last else 0
    if contradiction is None:
        contradiction = last if entailment == 0 else 0
    return entailment, contradiction


@dataclass(frozen=True, slots=True)
class ZeroShot:
    """A request to score candidate labels that the model was not trained on.

    Attributes:
        inputs: the texts, answered in this order.
        labels: candidate labels, at least one.
        template: a sentence with ``{}`` where the label goes.
        multi_label: score each label independently of the others.
    """

    task: ClassVar[TaskName] = "zero-shot-classification"
    head: ClassVar[HeadKind] = "sequence"

    inputs: tuple[str, ...]
    labels: tuple[str, ...]
    template: str = DEFAULT_TEMPLATE
    multi_label: bool = False

    @property
    def items(self) -> int:
        """Number of texts."""
        return len(self.inputs)

    @property
    def texts(self) -> int:
        """One for each pair of an input and a label."""
        return len(self.inputs) * len(self.labels)

    @property
    def characters(self) -> int:
        """Unicode code points of all pairs of text and hypothesis, or a few more.

        Counted without creating the hypotheses: one with many placeholders for a long label can be
        as long as the product of the two.
        """
        places = self.template.count("{")
        texts = sum(len(text) for text in self.inputs) * len(self.labels)
        hypotheses = sum(len(self.template) + places * len(label) for label in self.labels)
        return texts + hypotheses * len(self.inputs)

    def parameters(self) -> tuple[Part, ...]:
        """The labels keep their order, since it decides between equal scores."""
        return (self.labels, self.template, self.multi_label)

    def content(self, item: int) -> tuple[Part, ...]:
        """The text."""
        return (self.inputs[item],)

    def only(self, items: Sequence[int]) -> "ZeroShot":
        """Return the same request for some inputs only, in the order given."""
        return replace(self, inputs=tuple(self.inputs[item] for item in items))

    def questions(self) -> Sequence[Question]:
        """Return each text with every hypothesis; a long text is cut, a hypothesis never.

        Raises:
            InvalidInput: the template is malformed.
        """
        hypotheses = [hypothesis(self.template, label) for label in self.labels]
        return [
            Question(item, TextInput(text, claim), cut="only_first")
            for item, text in enumerate(self.inputs)
            for claim in hypotheses
        ]

    def finish(
        self,
        item: int,  # noqa: ARG002 - every text is read the same way
        encodings: Sequence[Encoding],
        logits: Sequence[Float32],
        head: ModelHead,
    ) -> Ranking:
        """Read one text's logits, ``[labels of the model]`` for each candidate label."""
        scores = self._scores(np.stack(logits), *_places(head.labels))
        # The reference reverses an ascending order: of equal scores the later label comes first.
        order = np.argsort(scores, kind="stable")[::-1]
        ranked = tuple(LabelScore(self.labels[index], float(scores[index])) for index in order)
        return Ranking(
            ranked,
            sum(len(one) for one in encodings),
            sum(one.truncated_tokens for one in encodings),
        )

    def _scores(self, logits: Float32, entailment: int, contradiction: int) -> Float32:
        """Turn logits ``[candidates, labels of the model]`` into scores ``[candidates]``."""
        if not self.multi_label and len(self.labels) > 1:
            return apply_function(logits[:, entailment], "softmax")
        both = logits[:, [contradiction, entailment]]
        scores: Float32 = apply_function(both, "softmax")[:, 1]
        return scores
