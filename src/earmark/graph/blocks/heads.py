"""Heads that several architectures share."""

from earmark.graph.blocks.activations import activation
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter


def dense_head(w: GraphWriter, x: Value, function: str, hidden: int, labels: int) -> Value:
    """Write the two layers of a `ClassificationHead`, always in float32.

    Args:
        w: the graph.
        x: hidden states of the first tokens, ``[texts, hidden]``.
        function: the activation between the layers.
        hidden: width of `x`.
        labels: how many.

    Returns:
        ``[texts, labels]``.
    """
    dense = w.exact_linear(x, "classifier.dense", hidden, hidden)
    active = activation(w.recorder, dense, function)
    return w.exact_linear(active, "classifier.out_proj", labels, hidden)
