"""What a file of weights is to the rest: named tensors, each read when it is asked for."""

from collections.abc import Mapping
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Shape", "TensorSource"]

Shape: TypeAlias = tuple[int, ...]


class TensorSource(Protocol):
    """A file, or several, that hold named tensors."""

    def shapes(self) -> Mapping[str, Shape]:
        """Return every tensor's shape by its name in the file."""
        ...

    def dtype(self, name: str) -> str:
        """Return a tensor's element type in safetensors' spelling, such as ``F32``."""
        ...

    def read(self, name: str) -> NDArray[np.generic]:
        """Read one tensor into memory of its own, row by row.

        Raises:
            InvalidCheckpoint: the file does not hold what its header says.
        """
        ...

    def close(self) -> None:
        """Let go of the file and of the memory that it is mapped into; nothing reads any more."""
        ...
