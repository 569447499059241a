"""A model in the caller's own process: the Python API behind `earmark.load`."""

import operator
import os
from collections.abc import Iterable, Mapping
from numbers import Number
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np

from earmark.domain.near_names import expected_one_of
from earmark.domain.results import Classification
from earmark.domain.texts import TextInput
from earmark.engine.engine import Engine
from earmark.engine.info import EngineInfo
from earmark.errors import CheckpointNotFound, InvalidInput, SettingsError, UnsupportedTask
from earmark.graph.precision import PRECISIONS
from earmark.runtime.runtimes import RUNTIMES
from earmark.tasks.activations import FUNCTIONS, FunctionToApply
from earmark.tasks.text_classification import TextClassification

TextLike: TypeAlias = str | tuple[str, str] | TextInput
"""A text, or a pair of texts."""

_PAIR = 2
"""Texts in a pair."""
_LONGEST_SHOWN = 40
"""The most characters of a wrong option that an error repeats."""


def check_load(source: object, *, precision: object, runtime: object, threads: object) -> str:
    """Check what `earmark.load` was given, which Python itself does not.

    Returns:
        The source as text, also where it is a path.

    Raises:
        CheckpointNotFound: the source is no text and no path.
        SettingsError: another argument has a value that is not supported.
    """
    for name, value, choices in (
        ("precision", precision, PRECISIONS),
        ("runtime", runtime, tuple(RUNTIMES)),
    ):
        # Only text: an array of numpy, for one, would compare by its elements.
        if not isinstance(value, str) or value not in choices:
            raise SettingsError(f"{name} is {_shown(value)}: {expected_one_of(value, choices)}")
    whole = isinstance(threads, int) and not isinstance(threads, bool)
    if threads is not None and (not whole or threads < 1):  # type: ignore[operator]  # whole
        raise SettingsError(
            f"threads is {_shown(threads)}: expected a whole number from 1, or None"
        )
    if isinstance(source, str | os.PathLike) and source != "":
        return os.fsdecode(source)
    raise CheckpointNotFound(
        f"the model is {_shown(source)}: expected a bundled id, a folder, or a model of the Hub"
    )


def _inputs(texts: object) -> tuple[TextInput, ...]:
    if isinstance(texts, str):
        raise InvalidInput("texts is a string, expected a list of texts; write [text]")
    if hasattr(texts, "columns"):  # to iterate over a table gives the names of its columns
        raise InvalidInput(
            f"texts is {_kind(texts)}, expected one column of it, or a list of texts"
        )
    if isinstance(texts, bytes | Mapping) or not isinstance(texts, Iterable):
        raise InvalidInput(f"texts is {_kind(texts)}, expected a list of texts")
    try:
        iter(texts)
    except TypeError as error:  # such as an array without dimensions
        raise InvalidInput(
            f"texts is {_kind(texts)} of a single value, expected a list of texts"
        ) from error
    return tuple(_input(text, row) for row, text in enumerate(texts))


def _input(text: object, row: int) -> TextInput:
    """Take one text or pair; an error names its row and its type, and never repeats a text."""
    if isinstance(text, str):
        return TextInput(text)
    halves: object = text
    if isinstance(text, TextInput):
        halves = (text.text,) * 2 if text.pair is None else (text.text, text.pair)
    if not isinstance(halves, tuple | list):
        raise InvalidInput(
            f"texts[{row}] is {_kind(text)}, expected a text or a pair of texts{_remedy(text)}"
        )
    if len(halves) != _PAIR:
        raise InvalidInput(
            f"texts[{row}] is {len(halves)} texts, expected a text, or two as a pair"
        )
    for half, one in enumerate(halves):
        if not isinstance(one, str):
            raise InvalidInput(
                f"texts[{row}][{half}] is {_kind(one)}, expected a text{_remedy(one)}"
            )
    return text if isinstance(text, TextInput) else TextInput(*halves)


def _kind(value: object) -> str:
    """Name the type of a value; a value that stands for something missing is itself named."""
    if value is None:
        return "None"
    if isinstance(value, Number) and value != value:  # noqa: PLR0124 - so is NaN of any library
        return "NaN"
    name = type(value).__name__
    return f"a number ({name})" if isinstance(value, Number) else f"of the type {name}"


def _remedy(value: object) -> str:
    if _kind(value) in ("None", "NaN", "of the type NAType", "of the type NaTType"):
        return '; where texts are missing, leave them out, or give ""'
    return "; write str(value) where it is meant as one" if isinstance(value, Number) else ""


def _shown(value: object) -> str:
    return repr(value)[:_LONGEST_SHOWN]


def _whole_number(name: str, value: object) -> int | None:
    """Return a whole number of at least 1; one of numpy's types is accepted too.

    Raises:
        InvalidInput: the value is no such number.
    """
    if value is None:
        return None
    try:
        number = 0 if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]  # tried
    except TypeError:
        number = 0
    if number < 1:
        raise InvalidInput(f"{name} is {_shown(value)}, expected a whole number from 1, or None")
    return number


def _seconds(value: object) -> float | None:
    if value is None or (isinstance(value, int | float) and value >= 0):
        return value
    raise InvalidInput(f"timeout_s is {_shown(value)}, expected seconds, 0 or more, or None")


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
        texts: Iterable[TextLike],
        *,
        top_k: int | None = None,
        function: FunctionToApply | None = None,
        truncate: bool = True,
        timeout_s: float | None = None,
    ) -> list[Classification]:
        """Classify texts or pairs, any number of them in one call.

        Args:
            texts: what to classify.
            top_k: how many of the best labels to keep; None keeps all.
            function: applied to the logits; None leaves the choice to the checkpoint.
            truncate: cut a text that is too long for the model; False refuses it instead.
            timeout_s: the longest wait; None waits without a limit.

        Returns:
            One result per text, in order, its scores best first.

        Raises:
            InvalidInput: `texts` holds something that is no text and no pair, another argument is
                out of range, a text is too long while `truncate` is off, or is no well-formed
                Unicode.
            UnsupportedTask: the model is for another task; the message names the call to make.
            DeadlineExceeded: `timeout_s` has passed.
            QueueFull: more is waiting than the engine accepts.
            ShuttingDown: the classifier is closed.
        """
        if function is not None and function not in FUNCTIONS:
            choices = expected_one_of(function, FUNCTIONS)
            raise InvalidInput(f"function is {_shown(function)}, {choices}, or None")
        # Text such as "no" would count as true.
        if not isinstance(truncate, bool | np.bool_):
            raise InvalidInput(f"truncate is {_shown(truncate)}, expected True or False")
        top_k, timeout_s = _whole_number("top_k", top_k), _seconds(timeout_s)
        inputs = _inputs(texts)
        self._check_task(inputs)
        request = TextClassification(inputs, function=function, top_k=top_k, truncate=truncate)
        return list(self._engine.answer_blocking(request, timeout_s=timeout_s).results())

    def _check_task(self, inputs: tuple[TextInput, ...]) -> None:
        """Refuse a model for another task, and name the call that runs it."""
        info = self._engine.info
        served = f"POST /models/{info.model_id} of earmark serve"
        if "text-classification" not in info.tasks:
            raise UnsupportedTask(
                f"model {info.model_id} is for {info.task}, and classify labels whole texts;"
                f" {served} answers it"
            )
        alone = bool(inputs) and all(one.pair is None for one in inputs)
        if info.task == "zero-shot-classification" and alone:
            raise UnsupportedTask(
                f"model {info.model_id} is for {info.task}, and reads pairs:"
                ' classify([(text, "This example is about money.")]) says whether the first entails'
                f" the second; {served} answers candidate_labels"
            )

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
