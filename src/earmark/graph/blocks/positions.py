"""Positions that differ from the packer's, which count from 0 in each text."""

import numpy as np
from onnx import TensorProto

from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Recorder, Value


def positions_past_padding(r: Recorder, inputs: PackedInputs, padding: int) -> Value:
    """Count positions as RoBERTa does: after the padding token's id, without padding.

    The first token of a text has position ``padding + 1``. A padding token that is spelt out in a
    text has position ``padding`` and is not counted: `transformers` recognises padding by its id
    (models/roberta/modeling_roberta.py, `create_position_ids_from_input_ids`).

    Args:
        r: the graph.
        inputs: the packed batch.
        padding: id of the padding token.

    Returns:
        Rows of the position table, ``[rows, width]``.
    """
    ids = inputs.input_ids
    counts = r.op("Not", r.op("Equal", ids, r.integers(padding)))
    ones = r.op("Cast", counts, to=TensorProto.INT64)
    so_far = r.op("CumSum", ones, _number(r, 1))  # along the row, this token included
    # The row may begin with other texts: subtract the count at the start of the text.
    width = r.op("Gather", r.op("Shape", ids), _number(r, 1))
    columns = r.op("Range", _number(r, 0), width, _number(r, 1))
    starts = r.op("Sub", columns, inputs.position_ids)
    before = r.op("GatherElements", r.op("Sub", so_far, ones), starts, axis=1)
    own = r.op("Mul", r.op("Sub", so_far, before), ones)
    return r.op("Add", own, r.integers(padding))


def _number(r: Recorder, value: int) -> Value:
    """Store an int64 constant without axes."""
    return r.constant(np.asarray(value, np.int64))
