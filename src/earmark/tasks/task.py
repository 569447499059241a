"""The interface of every task: questions to the model, and an answer per input."""

from collections.abc import Sequence
from typing import ClassVar, Literal, Protocol, TypeAlias, TypeVar

from earmark.domain.encoding import Encoding
from earmark.domain.head import HeadKind, ModelHead
from earmark.domain.packing import Float32
from earmark.domain.texts import Question

TaskName = Literal[
    "text-classification", "zero-shot-classification", "token-classification", "text-ranking"
]
"""Names of tasks, as on the Hub."""

Part: TypeAlias = "str | int | bool | tuple[Part, ...] | None"
"""A part of a request's identity: a plain value, so that it can be serialised."""

Result = TypeVar("Result", covariant=True)  # noqa: PLC0105 - named after its meaning


class TaskRequest(Protocol[Result]):
    """A request to one task, which knows what to ask and how to read the answer."""

    task: ClassVar[TaskName]
    head: ClassVar[HeadKind]

    @property
    def items(self) -> int:
        """Number of inputs to answer."""
        ...

    @property
    def texts(self) -> int:
        """Number of texts that the model reads, before any is cut into windows."""
        ...

    @property
    def characters(self) -> int:
        """Number of Unicode code points to encode, hypotheses included."""
        ...

    def parameters(self) -> tuple[Part, ...]:
        """What an input's result depends on, apart from the input and the model."""
        ...

    def content(self, item: int) -> tuple[Part, ...]:
        """Return the content of one input."""
        ...

    def only(self, items: Sequence[int]) -> "TaskRequest[Result]":
        """Return the same request for some inputs only, in the order given."""
        ...

    def questions(self) -> Sequence[Question]:
        """List the questions to the model, ordered by item."""
        ...

    def finish(
        self,
        item: int,
        encodings: Sequence[Encoding],
        logits: Sequence[Float32],
        head: ModelHead,
    ) -> Result:
        """Read the model's answers to one input's questions.

        Args:
            item: index of the input.
            encodings: of its questions, or of the windows of its only question, in order.
            logits: of each encoding; ``[labels]`` for a sequence head, ``[tokens, labels]`` for a
                token head.
            head: how to read them.
        """
        ...
