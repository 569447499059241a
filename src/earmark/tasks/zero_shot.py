"""Any labels for a text, by asking a language inference model whether the text entails each.

Follows `transformers` 5.23.0, pipelines/zero_shot_classification.py, with a softmax that cannot
overflow, and contradiction found by its name.
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

__all__ = ["DEFAULT_TEMPLATE", "ZeroShot", "hypothesis", "names_entailment"]

DEFAULT_TEMPLATE = "This example is {}."

_FIELD = re.compile(r"\{\{|\}\}|\{0?\}|[{}]")
"""Escaped braces, the placeholder, and braces that are neither."""

_ENTAILMENT = re.compile("entail", re.IGNORECASE)
_CONTRADICTION = re.compile(r"contradict|(?:not?|non)[\W_]*entail", re.IGNORECASE)
"""How the names of labels begin, as in MNLI (three labels) and in RTE and QNLI (two)."""


def hypothesis(template: str, label: str) -> str:
    """Put a label into a template.

    Only what the reference's `str.format` does with one plain argument: ``{}`` once or ``{0}`` any
    number of times, ``{{`` and ``}}`` for braces. Attributes and indices of the label, which the
    formatter would also look up, are no template of a client's to ask for.

    Raises:
        InvalidInput: the template has no placeholder, ``{}`` twice, or a brace that is neither.
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
    """Return whether a label's name, in any case, begins as entailment does."""
    return _first(_ENTAILMENT, labels) is not None


def _first(meaning: re.Pattern[str], labels: LabelSet) -> int | None:
    found = (index for index, name in enumerate(labels.names) if meaning.match(name))
    return next(found, None)


def _places(labels: LabelSet) -> tuple[int, int]:
    """Find entailment and contradiction among a model's labels: by name, else by position.

    Where the names do not say, entailment is the last label, as in the reference, and
    contradiction the one at the other end.
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
    """A request to sort texts by labels the model has never seen.

    Attributes:
        inputs: the texts, answered in this order.
        labels: candidate labels, at least one.
        template: a sentence with ``{}`` where the label goes.
        multi_label: score each label by itself rather than against the others.
    """

    task: ClassVar[TaskName] = "zero-shot-classification"
    head: ClassVar[HeadKind] = "sequence"

    inputs: tuple[str, ...]
    labels: tuple[str, ...]
    template: str = DEFAULT_TEMPLATE
    multi_label: bool = False

    @property
    def items(self) -> int:
        """How many texts are to be sorted."""
        return len(self.inputs)

    @property
    def texts(self) -> int:
        """Every input beside every label."""
        return len(self.inputs) * len(self.labels)

    @property
    def characters(self) -> int:
        """Unicode code points of all texts beside every hypothesis, or a few more.

        Counted without writing the hypotheses: a template that repeats a long label is as long as
        the product of the two.
        """
        places = self.template.count("{")
        texts = sum(len(text) for text in self.inputs) * len(self.labels)
        hypotheses = sum(len(self.template) + places * len(label) for label in self.labels)
        return texts + hypotheses * len(self.inputs)

    def parameters(self) -> tuple[Part, ...]:
        """The order of the labels counts: it decides between equal scores."""
        return (self.labels, self.template, self.multi_label)

    def content(self, item: int) -> tuple[Part, ...]:
        """The text."""
        return (self.inputs[item],)

    def only(self, items: Sequence[int]) -> "ZeroShot":
        """Ask the same of some inputs alone, in the order given."""
        return replace(self, inputs=tuple(self.inputs[item] for item in items))

    def questions(self) -> Sequence[Question]:
        """Ask of each text every hypothesis; a long text is cut, a hypothesis never.

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
        item: int,  # noqa: ARG002 - every text is read alike
        encodings: Sequence[Encoding],
        logits: Sequence[Float32],
        head: ModelHead,
    ) -> Ranking:
        """Read one text's logits, ``[labels of the model]`` for each candidate label."""
        scores = self._scores(np.stack(logits), *_places(head.labels))
        # The reference reverses a rising order: of equal scores the later label comes first.
        order = np.argsort(scores, kind="stable")[::-1]
        ranked = tuple(LabelScore(self.labels[index], float(scores[index])) for index in order)
        return Ranking(
            ranked,
            sum(len(one) for one in encodings),
            sum(one.truncated_tokens for one in encodings),
        )

    def _scores(self, logits: Float32, entailment: int, contradiction: int) -> Float32:
        """Score candidates; ``[candidates, labels of the model]`` to ``[candidates]``."""
        if not self.multi_label and len(self.labels) > 1:
            return apply_function(logits[:, entailment], "softmax")
        both = logits[:, [contradiction, entailment]]
        scores: Float32 = apply_function(both, "softmax")[:, 1]
        return scores
