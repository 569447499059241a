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
        InvalidCheckpoint: the file cannot be read, is cut short, or has another format.
    """
    try:
        return _Safetensors(path)
    except (SafetensorError, OSError) as error:
        raise InvalidCheckpoint(f"{path} cannot be read as safetensors: {error}") from error
