"""A model in the caller's own process: the Python API behind `earmark.load`."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self, TypeAlias

from earmark.domain.results import Classification
from earmark.domain.texts import TextInput
from earmark.engine.engine import Engine
from earmark.engine.info import EngineInfo
from earmark.errors import InvalidInput
from earmark.tasks.activations import FunctionToApply
from earmark.tasks.text_classification import TextClassification

__all__ = ["Classifier", "TextLike"]

TextLike: TypeAlias = str | tuple[str, str] | TextInput
"""A text, or a pair of texts."""


def _as_input(text: TextLike) -> TextInput:
    if isinstance(text, str):
        return TextInput(text)
    return text if isinstance(text, TextInput) else TextInput(*text)


class Classifier:
    """A loaded model; close it, or use it as a context manager."""

    def __init__(self, engine: Engine) -> None:
        """Take an engine; `earmark.load` makes both."""
        self._engine = engine

    @property
    def info(self) -> EngineInfo:
        """Facts about the model: labels, precision, runtime and more."""
        return self._engine.info

    def classify(
        self,
        texts: Sequence[TextLike],
        *,
        top_k: int | None = None,
        function: FunctionToApply | None = None,
        truncate: bool = True,
        timeout_s: float | None = None,
    ) -> list[Classification]:
        """Classify texts or pairs, in one go however many they are.

        Args:
            texts: what to classify.
            top_k: how many of the best labels to keep; None keeps all.
            function: applied to the logits; None leaves the choice to the checkpoint.
            truncate: cut a text that is too long for the model; False refuses it instead.
            timeout_s: how long to wait at most; None for as long as it takes.

        Returns:
            One result per text, in order, its scores best first.

        Raises:
            InvalidInput: `texts` is a bare string, `top_k` is below 1, a text is too long while
                `truncate` is off, or is no well-formed Unicode.
            DeadlineExceeded: `timeout_s` has passed.
            QueueFull: more is waiting than the engine accepts.
            ShuttingDown: the classifier is closed.
        """
        if isinstance(texts, str):
            raise InvalidInput("texts is a string, expected a list of texts; write [text]")
        if top_k is not None and top_k < 1:
            raise InvalidInput(f"top_k is {top_k}, expected 1 or more")
        inputs = tuple(_as_input(text) for text in texts)
        request = TextClassification(inputs, function=function, top_k=top_k, truncate=truncate)
        return list(self._engine.answer_blocking(request, timeout_s=timeout_s).results())

    def close(self) -> None:
        """Free the model; what waits is answered with `ShuttingDown`."""
        self._engine.close()

    def __enter__(self) -> Self:
        """Use the classifier as a context manager."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the classifier."""
        self.close()
