"""Choosing a precision, and quantising weights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from earmark.domain.packing import Float32
from earmark.graph.precision import ComputePrecision, Precision, precisions_to_try, quantize

WEIGHTS = arrays(np.float32, (3, 5), elements=st.floats(-100, 100, width=32))


@pytest.mark.parametrize(
    ("requested", "stored", "native", "wanted"),
    [
        ("auto", "float32", False, ("float32",)),
        ("auto", "float32", True, ("bfloat16", "float32")),
        ("auto", "bfloat16", False, ("float32",)),
        ("auto", "int8", True, ("int8", "bfloat16", "float32")),
        ("auto", "int8", False, ("int8", "float32")),
        ("float32", "int8", True, ("float32",)),
        ("int8", "float32", True, ("int8",)),
        ("bfloat16", "float32", False, ("bfloat16",)),
    ],
)
def test_auto_has_several_to_try_and_anything_else_is_taken_at_its_word(
    requested: Precision, stored: str, *, native: bool, wanted: tuple[ComputePrecision, ...]
) -> None:
    """`auto` tries several precisions, never int8 for float weights; a named one is kept."""
    found = precisions_to_try(requested, stored_dtype=stored, native_bfloat16=native)
    assert found == wanted


def test_bfloat16_goes_first_where_the_processor_is_faster_at_it() -> None:
    """bfloat16 is tried first where the processor is faster at it; float32 is last."""
    first = precisions_to_try(
        "auto", stored_dtype="int8", native_bfloat16=True, bfloat16_first=True
    )
    assert first == ("bfloat16", "int8", "float32")
    without = precisions_to_try(
        "auto", stored_dtype="int8", native_bfloat16=False, bfloat16_first=True
    )
    assert without == ("int8", "float32")


@given(WEIGHTS)
def test_every_weight_is_within_half_a_step(weight: Float32) -> None:
    """A row's step is its largest weight over 127; zeros stay zeros."""
    quantized = quantize(weight)
    steps = np.abs(weight).max(axis=1, keepdims=True) / 127
    error = np.abs(quantized.dequantized() - weight)
    # A little above one half for the rounding of the scale itself.
    assert (error <= 0.501 * steps + 1e-30).all()
    assert quantized.values.min() >= -127


def test_rows_have_scales_of_their_own() -> None:
    """Each row has its own scale, so that a large row does not change a small one."""
    quantized = quantize(np.asarray([[1000.0, 0.0], [0.001, 0.0005]], np.float32))
    np.testing.assert_allclose(quantized.dequantized()[1], [0.001, 0.0005], rtol=1e-2)
