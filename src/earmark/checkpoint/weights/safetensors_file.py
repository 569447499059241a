"""Reads a `.safetensors` file, mapped into memory, tensor by tensor.

Format: https://github.com/huggingface/safetensors#format
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from earmark.checkpoint.weights.tensor_source import Shape, TensorSource
from earmark.errors import InvalidCheckpoint

LARGEST_HEADER = 4_000_000
"""Longest header, in bytes; that of a model of a thousand tensors has 100 kB. The library's own
bound, 100 MB, is two million tensors: minutes of work, and gigabytes."""
COUNT_BYTES = 8
"""The length of the header, a little-endian number before it."""


class _Safetensors:
    def __init__(self, path: Path) -> None:
        # Any: the handle is a Rust object without type information.
        handle: Any = safe_open(path, framework="numpy")
        self._path = path
        self._handle: Any | None = handle
        slices = {name: handle.get_slice(name) for name in handle.keys()}  # noqa: SIM118 - not a dict
        self._shapes = {name: tuple(piece.get_shape()) for name, piece in slices.items()}
        self._dtypes = {name: str(piece.get_dtype()) for name, piece in slices.items()}

    def shapes(self) -> Mapping[str, Shape]:
        return self._shapes

    def dtype(self, name: str) -> str:
        return self._dtypes[name]

    def read(self, name: str) -> NDArray[np.generic]:
        if self._handle is None:
            raise ValueError(f"{self._path} is closed")
        # Opening checked the whole header; only a type that NumPy lacks can still fail.
        tensor: NDArray[np.generic] = self._handle.get_tensor(name)
        return tensor

    def close(self) -> None:
        self._handle = None


def open_safetensors(path: Path) -> TensorSource:
    """Open a `.safetensors` file.

    Raises:
        InvalidCheckpoint: the file cannot be read, is cut short, or has another format; or its
            header is too long.
    """
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(COUNT_BYTES), "little")
        if size > LARGEST_HEADER:
            raise InvalidCheckpoint(
                f"{path} cannot be read as safetensors: its header would have {size:,} bytes, and"
                f" at most {LARGEST_HEADER:,} are read; it is damaged, or another kind of file"
            )
        return _Safetensors(path)
    except (SafetensorError, OSError) as error:
        raise InvalidCheckpoint(f"{path} cannot be read as safetensors: {error}") from error
