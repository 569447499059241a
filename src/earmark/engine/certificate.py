"""Certificates: how far a model, as it runs here, is from its reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
import numpy as np

from earmark.domain.head import HeadKind
from earmark.domain.labels import LabelSet
from earmark.domain.packing import Float32
from earmark.graph.precision import ComputePrecision
from earmark.tasks.activations import apply_function, default_function

ReferenceKind = Literal["off", "float32", "transformers"]
"""What a model is compared with on load: nothing, itself in float32, or `transformers`."""

TOLERANCES: Final[dict[ComputePrecision, float]] = {
    "float32": 1e-3,
    "bfloat16": 0.01,
    "int8": 0.1,
}
"""Greatest difference of a probability that a precision may have. float32 differs from
`transformers` only in the order of additions, by 1e-5 at most; a wrong weight differs far more.
On the bundled models bfloat16 differed by 0.008 at most, and int8 by 0.043 in OpenVINO and 0.065 in
ONNX Runtime, without changing a label; they were trained and measured as int8
(docs/certificate.md)."""

_GREATEST = 1.0
"""The greatest possible difference of two probabilities; also used if an answer is not finite."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference between two ways of running a model.

    Attributes:
        answers: number of texts or tokens that were compared.
        greatest_difference: of a probability, over all answers and labels.
        mean_difference: the mean over the answers of each one's greatest.
        disagreements: answers with another best label that were no close calls.
        close_calls: answers whose two best labels in the reference are within the tolerance.
    """

    answers: int
    greatest_difference: float
    mean_difference: float
    disagreements: int
    close_calls: int

    def within(self, tolerance: float) -> bool:
        """Return whether all differences are within a tolerance, and all labels agree."""
        return self.greatest_difference <= tolerance and not self.disagreements


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The result of comparing a model with its reference.

    Attributes:
        precision: precision of the model.
        runtime: runtime of the model, such as ``openvino 2026.4.1``.
        device: name of the device.
        reference: what it was compared with, such as ``float32`` or ``transformers 5.24.0``.
        texts: number of texts that were run.
        answers: number of answers that were compared: one a text, or one a token.
        greatest_difference: of a probability, over all answers and labels.
        mean_difference: the mean over the answers of each one's greatest.
        disagreements: answers with another best label that were no close calls.
        close_calls: answers whose two best labels in the reference are within the tolerance.
        tolerance: greatest difference with which the certificate holds.
        holds: whether all differences are within it, and all labels agree.
    """

    precision: ComputePrecision
    runtime: str
    device: str
    reference: str
    texts: int
    answers: int
    greatest_difference: float
    mean_difference: float
    disagreements: int
    close_calls: int
    tolerance: float
    holds: bool

    @property
    def verdict(self) -> str:
        """The result in a few words."""
        found = f"{self.greatest_difference:.2g} from {self.reference} at most"
        labels = f"{self.disagreements} of {self.answers} labels differ"
        return f"{found} (tolerance {self.tolerance:g}), {labels}"


def compare(
    reference: Sequence[Float32],
    found: Sequence[Float32],
    *,
    labels: LabelSet,
    head: HeadKind,
    tolerance: float,
) -> Comparison:
    """Compare a model's answers with those of its reference.

    Values of a regression are not probabilities: they are divided by the largest one.

    Args:
        reference: finite logits of each text, ``[answers, labels]``.
        found: logits of the model to judge; need not be finite.
        labels: how logits become probabilities.
        head: for whole texts or for tokens.
        tolerance: two labels that differ by no more are a close call.
    """
    function = "softmax" if head == "token" else default_function(labels)
    expected, actual = np.concatenate(reference), np.concatenate(found)
    finite = bool(np.isfinite(actual).all())
    if not finite:
        actual = np.nan_to_num(actual, nan=0.0, posinf=0.0, neginf=0.0)
    if function == "none":
        scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
        expected, actual = expected / scale, actual / scale
    else:
        expected, actual = apply_function(expected, function), apply_function(actual, function)
    differences = np.abs(expected - actual).max(axis=-1)
    other = expected.argmax(axis=-1) != actual.argmax(axis=-1)
    close = np.zeros_like(other)
    if expected.shape[-1] > 1:
        best = np.sort(expected, axis=-1)
        close = best[:, -1] - best[:, -2] <= tolerance
    return Comparison(
        answers=len(expected),
        greatest_difference=float(differences.max(initial=0.0)) if finite else _GREATEST,
        mean_difference=float(differences.mean()) if len(differences) else 0.0,
        disagreements=int((other & ~close).sum()),
        close_calls=int(close.sum()),
    )
