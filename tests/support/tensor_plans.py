"""A tensor of a tiny checkpoint, planned: name, shape, and what kind of values it is to have."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Role = Literal["embedding", "matrix", "head", "norm", "bias"]


@dataclass(frozen=True, slots=True)
class TensorPlan:
    """A tensor to be made.

    Attributes:
        name: as `transformers` saves it today.
        shape: of a matrix, ``[out, in]``.
        role: decides the spread of its values.
    """

    name: str
    shape: tuple[int, ...]
    role: Role


def linear(
    name: str, out: int, into: int, *, role: Role = "matrix", bias: bool = True
) -> Iterator[TensorPlan]:
    """List a Linear layer's tensors."""
    yield TensorPlan(f"{name}.weight", (out, into), role)
    if bias:
        yield TensorPlan(f"{name}.bias", (out,), "bias")


def norm(name: str, hidden: int, *, bias: bool = True) -> Iterator[TensorPlan]:
    """List a LayerNorm's tensors."""
    yield TensorPlan(f"{name}.weight", (hidden,), "norm")
    if bias:
        yield TensorPlan(f"{name}.bias", (hidden,), "bias")
