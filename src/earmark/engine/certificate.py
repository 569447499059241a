"""What a certificate says: how far a model, as it runs here, is from its reference."""

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

__all__ = ["TOLERANCES", "Certificate", "Comparison", "ReferenceKind", "compare"]

ReferenceKind = Literal["off", "float32", "transformers"]
"""What a model is held against when it is loaded: nothing, itself in float32, or `transformers`."""

TOLERANCES: Final[dict[ComputePrecision, float]] = {
    "float32": 1e-3,
    "bfloat16": 0.01,
    "int8": 0.1,
}
"""Greatest difference of a probability that a precision may show. float32 differs from
`transformers` in the order of additions alone, 1e-5 at most; a wrong weight shows far above.
bfloat16 was 0.008 off at most on the models in the box, int8 0.043 in OpenVINO and 0.065 in ONNX
Runtime, no label with it, and as int8 they were trained and measured (docs/certificate.md)."""

_GREATEST = 1.0
"""The greatest difference that two probabilities can have: also that of an answer that is none."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two ways of running a model are apart.

    Attributes:
        answers: how many were compared: texts, or tokens of them.
        greatest_difference: of a probability, over all answers and labels.
        mean_difference: over the answers, of each one's greatest.
        disagreements: answers whose best label is another, although it was no close call.
        close_calls: answers whose two best labels the reference has within the tolerance.
    """

    answers: int
    greatest_difference: float
    mean_difference: float
    disagreements: int
    close_calls: int

    def within(self, tolerance: float) -> bool:
        """Say whether differences stay within a tolerance, and all labels agree."""
        return self.greatest_difference <= tolerance and not self.disagreements


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What was found when a model was held against its reference.

    Attributes:
        precision: in which the model ran.
        runtime: in which it ran, such as ``openvino 2026.4.1``.
        device: on which it ran, its own name.
        reference: what it was held against, such as ``float32`` or ``transformers 5.24.0``.
        texts: how many it was asked.
        answers: how many were compared: as many, or one for each of their tokens.
        greatest_difference: of a probability, over all answers and labels.
        mean_difference: over the answers, of each one's greatest.
        disagreements: answers whose best label is another, although it was no close call.
        close_calls: answers whose two best labels the reference has within the tolerance.
        tolerance: greatest difference with which the certificate holds.
        holds: whether differences stay within it, and all labels agree.
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
        """What was found, in a few words."""
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
    """Hold a model's answers against those of its reference.

    Values of a regression are no probabilities: they are taken in units of the largest one.

    Args:
        reference: finite logits of each text, ``[answers, labels]``.
        found: the same of the way that is to be judged; need not be finite.
        labels: how logits become probabilities.
        head: of whole texts or of tokens.
        tolerance: two labels that are no further apart are a close call.
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
