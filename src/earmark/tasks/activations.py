"""Turns logits into scores.

The rules are those of the `transformers` pipelines (`pipelines/text_classification.py`, 5.23.0).
"""

from typing import Literal, assert_never

import numpy as np

from earmark.domain.labels import LabelSet
from earmark.domain.packing import Float32

FunctionToApply = Literal["sigmoid", "softmax", "none"]
"""The functions that turn the logits of one text into scores."""

FUNCTIONS: tuple[FunctionToApply, ...] = ("sigmoid", "softmax", "none")


def default_function(labels: LabelSet) -> FunctionToApply:
    """Return the function that a checkpoint implies; the first rule that applies counts.

    Regression uses none, even with one label; several independent labels, or a single label, use a
    sigmoid; everything else uses a softmax.
    """
    if labels.problem_type == "regression":
        return "none"
    if labels.problem_type == "multi_label_classification" or len(labels) == 1:
        return "sigmoid"
    return "softmax"


def apply_function(logits: Float32, function: FunctionToApply) -> Float32:
    """Turn logits into scores, in float32 and without overflow.

    Args:
        logits: finite values, shape ``[..., labels]``.
        function: `softmax` applies to the last axis, `sigmoid` to each value.

    Returns:
        Scores of the same shape.
    """
    match function:
        case "none":
            return logits
        case "sigmoid":
            # exp of a non-positive number cannot overflow, whatever the sign of the logit.
            small = np.exp(-np.abs(logits))
            numerator = np.where(logits >= 0, np.ones_like(small), small)
            sigmoid: Float32 = numerator / (1 + small)
            return sigmoid
        case "softmax":
            with np.errstate(over="ignore"):
                # A difference beyond float32 becomes -inf, whose exp is 0, as it should be.
                shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
            softmax: Float32 = shifted / shifted.sum(axis=-1, keepdims=True)
            return softmax
        case _:
            assert_never(function)
