"""What a processor really does in a precision, in words for the info route."""

from collections.abc import Sequence

from earmark.graph.precision import ComputePrecision

__all__ = ["compute_note"]


def compute_note(
    precision: ComputePrecision, kernels: Sequence[str], *, dots_int8: bool | None
) -> str:
    """Say how a precision is carried out.

    A kernel is named after the type it writes, which with int8 weights is float32 also where it
    multiplies int8 with int8, so that only the processor tells which of the two it does.

    Args:
        precision: what the graph computes in.
        kernels: names of the matrix products' kernels; empty where the runtime tells none.
        dots_int8: whether the processor has an int8 dot product; None where that is not known.
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
