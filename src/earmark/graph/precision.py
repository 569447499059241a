"""Which precision a graph computes in, and how weights are made int8."""

from typing import Literal

import numpy as np

from earmark.checkpoint.weights import Int8Matrix
from earmark.domain.packing import Float32

__all__ = [
    "INT8_MAXIMUM",
    "PRECISIONS",
    "ComputePrecision",
    "Precision",
    "choose_precision",
    "quantize",
]

ComputePrecision = Literal["float32", "bfloat16", "int8"]
Precision = Literal["auto", "float32", "bfloat16", "int8"]
"""What may be asked for; `auto` is settled by `choose_precision`."""

PRECISIONS: tuple[Precision, ...] = ("auto", "float32", "bfloat16", "int8")

INT8_MAXIMUM = 127
"""-128 is left out, so that a weight and its negative are equally exact."""


def choose_precision(
    requested: Precision, *, stored_dtype: str, native_bfloat16: bool
) -> ComputePrecision:
    """Settle `auto`; anything else is taken at its word.

    Args:
        requested: what was asked for.
        stored_dtype: the type most of the checkpoint's weights have, such as ``float32``.
        native_bfloat16: whether the device computes bfloat16 itself rather than by emulation.
    """
    if requested != "auto":
        return requested
    if stored_dtype == "int8":
        return "int8"
    return "bfloat16" if native_bfloat16 else "float32"


def quantize(weight: Float32) -> Int8Matrix:
    """Quantise a matrix to int8, symmetrically, one scale per row.

    Args:
        weight: shape ``[out, in]``; a row is an output channel.
    """
    largest = np.abs(weight).max(axis=1)
    # A row of zeros, or of numbers too small to divide by, has no scale of its own; any will do.
    scales = np.maximum(largest / np.float32(INT8_MAXIMUM), np.finfo(np.float32).tiny)
    values = np.rint(weight / scales[:, None]).astype(np.int8)
    return Int8Matrix(values, scales)
