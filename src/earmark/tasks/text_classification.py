"""Labels for a text, or for a pair of texts."""

from dataclasses import dataclass

import numpy as np

from earmark.domain.encoding import Encoding
from earmark.domain.labels import LabelSet
from earmark.domain.packing import Float32
from earmark.domain.results import Classification, LabelScore
from earmark.domain.texts import TextInput
from earmark.tasks.activations import FunctionToApply, apply_function, default_function

__all__ = ["TextClassification", "finish"]


@dataclass(frozen=True, slots=True)
class TextClassification:
    """A request to classify texts.

    Attributes:
        inputs: the texts, answered in this order.
        function: applied to the logits; None leaves the choice to the checkpoint.
        top_k: how many of the best labels to keep, at least 1; None keeps all.
        truncate: cut a text that is too long for the model; False refuses it instead.
    """

    inputs: tuple[TextInput, ...]
    function: FunctionToApply | None = None
    top_k: int | None = None
    truncate: bool = True


def finish(
    request: TextClassification, encoding: Encoding, logits: Float32, labels: LabelSet
) -> Classification:
    """Read one text's logits.

    Args:
        request: says which function to apply and how many labels to keep.
        encoding: the text as the model read it.
        logits: finite values, shape ``[labels]``.
        labels: the head's labels, in the order of the logits.
    """
    function = request.function or default_function(labels)
    scores = apply_function(logits, function)
    # Stable, so that equal scores keep the head's order, as Python's sort does in the reference.
    order = np.argsort(-scores, kind="stable")[: request.top_k]
    best = tuple(LabelScore(labels.names[index], float(scores[index])) for index in order)
    return Classification(best, len(encoding), encoding.truncated_tokens)
