"""The interface of a weights file: named tensors, each read on demand."""

from collections.abc import Mapping
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Shape: TypeAlias = tuple[int, ...]


class TensorSource(Protocol):
    """Named tensors in one or several files."""

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
        """Close the file and its memory map; no tensor can be read afterwards."""
        ...
