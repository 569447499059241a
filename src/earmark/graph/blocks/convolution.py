"""Convolution over packed rows, which never mixes tokens of different texts."""

import numpy as np

from earmark.domain.packing import Float32
from earmark.errors import InvalidCheckpoint
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter

NO_TEXT = -2
"""A segment id that no cell has."""
LAST = (1 << 31) - 1
"""The end of an axis, for `Slice`."""


def packed_convolution(  # noqa: PLR0913, PLR0917 - a layer's name and its three sizes
    w: GraphWriter,
    x: Value,
    inputs: PackedInputs,
    name: str,
    hidden: int,
    wide: int,
    groups: int,
) -> Value:
    """Convolve the tokens of each text.

    The neighbours of each token are concatenated to it, with zeros for those outside of its text,
    as the reference pads a single text; one matrix product follows, always in float32.

    Args:
        w: the graph.
        x: hidden states, ``[rows, width, hidden]``.
        inputs: the packed batch.
        name: the layer's tensors, without ``.weight``.
        hidden: channels, in and out.
        wide: width of the kernel in tokens, an odd number.
        groups: number of equal parts of the channels; only channels of one part are mixed.

    Returns:
        ``[rows, width, hidden]``.

    Raises:
        InvalidCheckpoint: the number of tokens is even, the groups do not divide the channels, or
            a tensor is missing or misshapen.
    """
    if wide % 2 == 0 or hidden % groups:
        raise InvalidCheckpoint(
            f"{w.weights.path}: a convolution over {wide} tokens (an odd number is needed) in "
            f"{groups} groups of {hidden} channels"
        )
    r = w.recorder
    neighbours = [_neighbour(w, x, inputs, offset) for offset in range(-(wide // 2), wide // 2 + 1)]
    beside = neighbours[0] if wide == 1 else r.op("Concat", *neighbours, axis=-1)
    kernel = w.weights.kernel(f"{name}.weight", hidden, hidden // groups, wide)
    bias = w.weights.vector(f"{name}.bias", hidden)
    product = r.op("MatMul", beside, r.constant(_matrix(kernel, groups), name))
    return r.op("Add", product, r.constant(bias, f"{name}.bias"))


def _neighbour(w: GraphWriter, x: Value, inputs: PackedInputs, offset: int) -> Value:
    """Shift cells left by `offset`, with zeros for cells of other texts.

    Segment ids are shifted in the same way, so that cells from beyond the row belong to no text.
    """
    if offset == 0:
        return x
    r = w.recorder
    own = inputs.segment_ids
    theirs = _moved(w, own, offset, pads=(0, 0), filler=r.constant(np.asarray(NO_TEXT, np.int64)))
    moved = _moved(w, x, offset, pads=(0, 0, 0), filler=r.scalar(0.0))
    same = r.op("Unsqueeze", r.op("Equal", own, theirs), r.integers(2))
    return r.op("Where", same, moved, r.scalar(0.0))


def _moved(w: GraphWriter, x: Value, offset: int, *, pads: tuple[int, ...], filler: Value) -> Value:
    """Shift the cells of each row, axis 1, left by `offset`, and pad them."""
    r = w.recorder
    before, after = list(pads), list(pads)
    before[1], after[1] = max(-offset, 0), max(offset, 0)
    padded = r.op("Pad", x, r.integers(*before, *after), filler)
    start, end = (offset, LAST) if offset > 0 else (0, offset)
    return r.op("Slice", padded, r.integers(start), r.integers(end), r.integers(1))


def _matrix(kernel: Float32, groups: int) -> Float32:
    """Convert a kernel ``[out, in / groups, wide]`` to a matrix ``[wide * in, out]``."""
    out, into, wide = kernel.shape
    parts = np.zeros((groups, out // groups, groups, into, wide), np.float32)
    for group in range(groups):
        parts[group, :, group] = kernel.reshape(groups, -1, into, wide)[group]
    return parts.reshape(out, -1, wide).transpose(2, 1, 0).reshape(-1, out)
