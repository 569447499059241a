"""Chooses the precisions of a graph, and quantises weights to int8."""

from typing import Literal

import numpy as np

from earmark.checkpoint.weights.weights import Int8Matrix
from earmark.domain.packing import Float32

ComputePrecision = Literal["float32", "bfloat16", "int8"]
Precision = Literal["auto", "float32", "bfloat16", "int8"]
"""The precisions in the options; `auto` is resolved when a model is loaded (engine/settle.py)."""

PRECISIONS: tuple[Precision, ...] = ("auto", "float32", "bfloat16", "int8")

INT8_MAXIMUM = 127
"""-128 is left out, so that a weight and its negative are equally exact."""


def precisions_to_try(
    requested: Precision, *, stored_dtype: str, native_bfloat16: bool, bfloat16_first: bool = False
) -> tuple[ComputePrecision, ...]:
    """List the possible precisions for a requested one, fastest first: several only for `auto`.

    `auto` never rounds float weights to int8: the model was not evaluated in that form, and a few
    texts during the load are no evaluation.

    Args:
        requested: the requested precision.
        stored_dtype: the type most of the checkpoint's weights have, such as ``float32``.
        native_bfloat16: whether the device computes bfloat16 itself rather than by emulation.
        bfloat16_first: whether bfloat16 is faster than int8 on it.
    """
    if requested != "auto":
        return (requested,)
    able: dict[ComputePrecision, bool] = {
        "int8": stored_dtype == "int8",
        "bfloat16": native_bfloat16,
        "float32": True,
    }
    wanted = [precision for precision, there in able.items() if there]
    # A stable sort: the others keep their order.
    return tuple(sorted(wanted, key=lambda one: bfloat16_first and one != "bfloat16"))


def quantize(weight: Float32) -> Int8Matrix:
    """Quantise a matrix to int8, symmetrically, one scale per row.

    Args:
        weight: shape ``[out, in]``; a row is an output channel.
    """
    largest = np.abs(weight).max(axis=1)
    # A row of zeros, or of numbers too small to divide by, has no scale; any is fine.
    scales = np.maximum(largest / np.float32(INT8_MAXIMUM), np.finfo(np.float32).tiny)
    values = np.rint(weight / scales[:, None]).astype(np.int8)
    return Int8Matrix(values, scales)
