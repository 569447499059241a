"""What every task has in common: questions to the model, and an answer per input."""

from collections.abc import Sequence
from typing import ClassVar, Literal, Protocol, TypeAlias, TypeVar

from earmark.domain.encoding import Encoding
from earmark.domain.head import HeadKind, ModelHead
from earmark.domain.packing import Float32
from earmark.domain.texts import Question

__all__ = ["Part", "TaskName", "TaskRequest"]

TaskName = Literal["text-classification", "zero-shot-classification", "token-classification"]
"""The Hub's names."""

Part: TypeAlias = "str | int | bool | tuple[Part, ...] | None"
"""What tells one question from another: plain values, so that they can be written down."""

Result = TypeVar("Result", covariant=True)  # noqa: PLC0105 - the name of what it stands for


class TaskRequest(Protocol[Result]):
    """A request to one task, which knows what to ask and how to read the answer."""

    task: ClassVar[TaskName]
    head: ClassVar[HeadKind]

    @property
    def items(self) -> int:
        """How many inputs are to be answered."""
        ...

    @property
    def texts(self) -> int:
        """How many texts the model reads for them, before any is cut into windows."""
        ...

    @property
    def characters(self) -> int:
        """Unicode code points that are to be encoded, hypotheses included."""
        ...

    def parameters(self) -> tuple[Part, ...]:
        """Tell on what an input's result depends beside the input and the model."""
        ...

    def content(self, item: int) -> tuple[Part, ...]:
        """Tell what one input is."""
        ...

    def only(self, items: Sequence[int]) -> "TaskRequest[Result]":
        """Ask the same of some inputs alone, in the order given."""
        ...

    def questions(self) -> Sequence[Question]:
        """List what the model is to read, ordered by item."""
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
            logits: of each; ``[labels]`` for a sequence head, ``[tokens, labels]`` for a token
                head.
            head: how to read them.
        """
        ...
