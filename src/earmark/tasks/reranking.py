"""Reranking: scores documents for a query, as pairs for a model with one label."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from earmark.domain.encoding import Encoding
from earmark.domain.head import HeadKind, ModelHead
from earmark.domain.packing import Float32
from earmark.domain.results import Relevance
from earmark.domain.texts import Question, TextInput
from earmark.tasks.activations import apply_function
from earmark.tasks.task import Part, TaskName


@dataclass(frozen=True, slots=True)
class Reranking:
    """A request to score documents.

    Attributes:
        query: the query.
        documents: the documents, scored in this order, each separately.
        function: `sigmoid` makes the model's one logit a score between 0 and 1.
        truncate: cut a query and document that together are too long for the model, the longer
            of the two first; False refuses the document instead.
    """

    task: ClassVar[TaskName] = "text-ranking"
    head: ClassVar[HeadKind] = "sequence"

    query: str
    documents: tuple[str, ...]
    function: Literal["sigmoid", "none"] = "sigmoid"
    truncate: bool = True

    @property
    def items(self) -> int:
        """How many documents are to be scored."""
        return len(self.documents)

    @property
    def texts(self) -> int:
        """One pair for each document."""
        return len(self.documents)

    @property
    def characters(self) -> int:
        """Unicode code points of all pairs, the query counted with each document."""
        return len(self.query) * len(self.documents) + sum(map(len, self.documents))

    def parameters(self) -> tuple[Part, ...]:
        """A document's score depends on all of them."""
        return (self.query, self.function, self.truncate)

    def content(self, item: int) -> tuple[Part, ...]:
        """The document."""
        return (self.documents[item],)

    def only(self, items: Sequence[int]) -> "Reranking":
        """Return the same request for some documents only, in the order given."""
        return replace(self, documents=tuple(self.documents[item] for item in items))

    def questions(self) -> Sequence[Question]:
        """Return the query paired with each document."""
        return [
            Question(item, TextInput(self.query, document), refuse=not self.truncate)
            for item, document in enumerate(self.documents)
        ]

    def finish(
        self,
        item: int,  # noqa: ARG002 - every document is read the same way
        encodings: Sequence[Encoding],
        logits: Sequence[Float32],
        head: ModelHead,  # noqa: ARG002 - the name of its only label has no meaning here
    ) -> Relevance:
        """Read one pair's logits, ``[1]``."""
        encoding = encodings[0]
        score = apply_function(logits[0], self.function)[0]
        return Relevance(float(score), len(encoding), encoding.truncated_tokens)


def best_first(results: Sequence[Relevance], top_k: int | None = None) -> list[int]:
    """Sort documents by their scores.

    Args:
        results: one per document.
        top_k: how many of the best to keep; None keeps all.

    Returns:
        Indices of documents, best first; documents of equal score keep their order.
    """
    order = sorted(range(len(results)), key=lambda index: -results[index].score)
    return order[:top_k]
