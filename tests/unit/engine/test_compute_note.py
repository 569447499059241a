"""The compute note of a precision describes what the processor does."""

import pytest

from earmark.engine.compute_note import compute_note
from earmark.graph.precision import ComputePrecision


@pytest.mark.parametrize(
    ("precision", "kernels", "dots_int8", "note"),
    [
        ("float32", ("brgemm_avx2_f32",), False, "kernels brgemm_avx2_f32"),
        ("bfloat16", ("brgemm_avx512_bf16",), True, "kernels brgemm_avx512_bf16"),
        ("int8", (), True, ""),
        ("int8", ("a_i8",), False, "kernels a_i8"),
        ("int8", ("a_f32",), True, "int8 weights, int8 dot products, float32 results (a_f32)"),
        ("int8", ("a_f32",), None, "int8 weights (kernels a_f32)"),
        (
            "int8",
            ("a_f32",),
            False,
            "int8 weights, float32 arithmetic (a_f32): this processor has no int8 dot product",
        ),
    ],
)
def test_a_note_says_what_is_known_and_no_more(
    precision: ComputePrecision, kernels: tuple[str, ...], *, dots_int8: bool | None, note: str
) -> None:
    """The note names the kernels, and whether int8 meets int8 on this processor."""
    assert compute_note(precision, kernels, dots_int8=dots_int8) == note
