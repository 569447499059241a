"""Describes, for the info route, how the processor computes a precision."""

from collections.abc import Sequence

from earmark.graph.precision import ComputePrecision


def compute_note(
    precision: ComputePrecision, kernels: Sequence[str], *, dots_int8: bool | None
) -> str:
    """Return how a precision is computed.

    A kernel is named after the type of its output. With int8 weights that is float32, even if it
    multiplies int8 with int8; only the processor's features show which of the two it does.

    Args:
        precision: precision of the graph.
        kernels: names of the matrix products' kernels; empty if the runtime reports none.
        dots_int8: whether the processor has an int8 dot product; None if that is not known.
    """
    if not kernels:
        return ""
    names = ", ".join(kernels)
    if precision != "int8" or not all(kernel.endswith("f32") for kernel in kernels):
        return f"kernels {names}"
    if dots_int8 is None:
        return f"int8 weights (kernels {names})"
    if dots_int8:
        return f"int8 weights, int8 dot products, float32 results ({names})"
    return f"int8 weights, float32 arithmetic ({names}): this processor has no int8 dot product"
