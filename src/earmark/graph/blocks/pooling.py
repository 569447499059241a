"""Pooling: one vector for each text from the cells of a batch."""

from onnx import TensorProto

from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Recorder, Value


def _own_cells(r: Recorder, inputs: PackedInputs) -> Value:
    """Return which cells of the batch belong to each text: booleans, ``[texts, rows * width]``."""
    flat = r.reshape(inputs.segment_ids, -1)
    own = r.op("Unsqueeze", r.op("Gather", flat, inputs.first_token), r.integers(1))
    return r.op("Equal", own, r.op("Unsqueeze", flat, r.integers(0)))


def first_of_texts(r: Recorder, x: Value, inputs: PackedInputs, hidden: int) -> Value:
    """Take the first token of each text.

    Args:
        r: the graph.
        x: hidden states, ``[rows, width, hidden]``.
        inputs: the packed batch.
        hidden: width of a hidden state.

    Returns:
        ``[texts, hidden]``.
    """
    return r.op("Gather", r.reshape(x, -1, hidden), inputs.first_token)


def mean_of_texts(r: Recorder, x: Value, inputs: PackedInputs, hidden: int) -> Value:
    """Average the tokens of each text; arguments and result as for `first_of_texts`."""
    members = r.op("Cast", _own_cells(r, inputs), to=TensorProto.FLOAT)
    total = r.op("MatMul", members, r.reshape(x, -1, hidden))
    return r.op("Div", total, r.op("ReduceSum", members, r.integers(1), keepdims=1))


def last_of_texts(r: Recorder, x: Value, inputs: PackedInputs, hidden: int, token: int) -> Value:
    """Take the last occurrence of a given token in each text.

    A text without that token gives its first one, so that its answer depends on no other text.

    Args:
        r: the graph.
        x: hidden states, ``[rows, width, hidden]``.
        inputs: the packed batch.
        hidden: width of a hidden state.
        token: the token's id.

    Returns:
        ``[texts, hidden]``.
    """
    is_it = r.op("Equal", r.reshape(inputs.input_ids, -1), r.integers(token))
    places = r.reshape(inputs.position_ids, -1)
    found = r.op("Where", r.op("And", _own_cells(r, inputs), is_it), places, r.integers(0))
    last = r.op("ReduceMax", found, r.integers(1), keepdims=0)
    return r.op("Gather", r.reshape(x, -1, hidden), r.op("Add", inputs.first_token, last))
