"""A tensor as `torch.save` describes it: a storage, and the tensor's place in it.

Upstream: torch 2.13.0, torch/_utils.py (`_rebuild_tensor_v2`, `_rebuild_parameter`) and
torch/serialization.py (`persistent_id`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from earmark.checkpoint.weights.pickle_machine import Builder, Name, PickleRefused
from earmark.checkpoint.weights.tensor_source import Shape

Bytes: TypeAlias = NDArray[np.uint8]

MOST_AXES = 64
"""The most axes of a tensor: NumPy's own limit."""

ELEMENTS: Mapping[str, np.dtype[np.generic]] = {
    "F64": np.dtype(np.float64),
    "F32": np.dtype(np.float32),
    "F16": np.dtype(np.float16),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "I64": np.dtype(np.int64),
    "I32": np.dtype(np.int32),
    "I16": np.dtype(np.int16),
    "I8": np.dtype(np.int8),
    "U8": np.dtype(np.uint8),
    "BOOL": np.dtype(np.bool_),
}
"""Element types by safetensors' names for them."""

STORAGE_NAMES: Mapping[str, str] = {
    "torch.DoubleStorage": "F64",
    "torch.FloatStorage": "F32",
    "torch.HalfStorage": "F16",
    "torch.BFloat16Storage": "BF16",
    "torch.LongStorage": "I64",
    "torch.IntStorage": "I32",
    "torch.ShortStorage": "I16",
    "torch.CharStorage": "I8",
    "torch.ByteStorage": "U8",
    "torch.BoolStorage": "BOOL",
}


@dataclass(frozen=True, slots=True)
class Storage:
    """A sequence of elements in the file; several tensors may share one.

    Attributes:
        key: name of its bytes in the file.
        dtype: such as ``F32``.
        whole: number of elements that the file has under that key.
        first: index of the storage's first element among them: in old files a storage may be a
            part of another.
        size: number of its own elements.
    """

    key: str
    dtype: str
    whole: int
    first: int
    size: int

    @property
    def whole_bytes(self) -> int:
        """Number of bytes that the file has under the key."""
        return self.whole * ELEMENTS[self.dtype].itemsize


@dataclass(frozen=True, slots=True)
class TorchTensor:
    """A tensor's place in a storage; offset and strides count elements."""

    storage: Storage
    offset: int
    shape: Shape
    strides: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)


def _counts(value: object) -> tuple[int, ...] | None:
    """Return a tuple of whole numbers from 0; None if it is something else."""
    if not isinstance(value, tuple) or len(value) > MOST_AXES:
        return None
    counts = tuple(one for one in value if isinstance(one, int) and one >= 0)
    return counts if len(counts) == len(value) else None


def _rebuild_tensor(arguments: Sequence[object]) -> TorchTensor:
    """Do as `_rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, …)`."""
    storage, offset, size, stride = (*arguments, None, None, None, None)[:4]
    shape, strides = _counts(size), _counts(stride)
    if not isinstance(storage, Storage) or not isinstance(offset, int) or offset < 0:
        raise PickleRefused("its pickle makes a tensor of what is no storage")
    if shape is None or strides is None or len(shape) != len(strides):
        raise PickleRefused("its pickle makes a tensor whose shape and strides do not go together")
    tensor = TorchTensor(storage, offset, shape, strides)
    steps = zip(shape, strides, strict=True)
    end = offset + sum((count - 1) * step for count, step in steps) + 1
    if tensor.size and end > storage.size:
        raise PickleRefused(
            f"its pickle makes a tensor of shape {list(shape)} that reaches to element {end} of a "
            f"storage of {storage.size}"
        )
    return tensor


def _rebuild_parameter(arguments: Sequence[object]) -> TorchTensor:
    """Do as `_rebuild_parameter(data, requires_grad, backward_hooks)`: return the data."""
    if not arguments or not isinstance(arguments[0], TorchTensor):
        raise PickleRefused("its pickle makes a parameter of what is no tensor")
    return arguments[0]


def _ordered_dict(arguments: Sequence[object]) -> dict[object, object]:
    """Create a dictionary, filled if there are pairs, which Python 2 wrote as a list of lists."""
    pairs = arguments[0] if arguments else []
    made: dict[object, object] = {}
    for pair in pairs if isinstance(pairs, list) else [None]:
        if not isinstance(pair, list | tuple) or len(pair) != len(("key", "value")):
            raise PickleRefused("its pickle makes a dictionary of what are no pairs")
        if not isinstance(pair[0], str | int):
            raise PickleRefused(f"its pickle has a {type(pair[0]).__name__} for a key")
        made[pair[0]] = pair[1]
    return made


BUILDERS: Mapping[str, Builder] = {
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "collections.OrderedDict": _ordered_dict,
}
"""All functions that a weights file may call."""


def storage_of(reference: object) -> Storage:
    """Read a persistent id: ``("storage", type, key, location, elements[, view])``.

    Raises:
        PickleRefused: it is something else.
    """
    parts = reference if isinstance(reference, tuple) else ()
    kind, of_type, key, _, whole, part = (*parts, *[None] * 6)[:6]
    if (
        kind != "storage"
        or not isinstance(of_type, Name)
        or of_type.text not in STORAGE_NAMES
        or not isinstance(key, str)
        or not isinstance(whole, int)
        or whole < 0
    ):
        raise PickleRefused("its pickle refers to what is no storage")
    dtype = STORAGE_NAMES[of_type.text]
    if part is None:
        return Storage(key, dtype, whole, 0, whole)
    # Legacy form only: (own key, first element, elements) of a storage that is part of another.
    counts = _counts(part[1:]) if isinstance(part, tuple) else None
    if counts is None or len(counts) != len(("first", "size")) or sum(counts) > whole:
        raise PickleRefused("its pickle refers to a part of a storage that the storage has not")
    return Storage(key, dtype, whole, *counts)


def view(tensor: TorchTensor, stored: Bytes, *, big_endian: bool = False) -> NDArray[np.generic]:
    """Return a tensor as a view of the bytes of its storage; a copy if the byte order differs.

    Args:
        tensor: the tensor.
        stored: the bytes that the file has under the storage's key.
        big_endian: how the file orders the bytes of a number.

    Raises:
        ValueError: the tensor repeats elements of its storage. Weights never do, and a few bytes
            could claim to be a tensor of any size and use that much memory.
    """
    if tensor.size > tensor.storage.size:
        raise ValueError(
            f"it repeats its storage: {tensor.size} elements of {tensor.storage.size} stored"
        )
    dtype = ELEMENTS[tensor.storage.dtype]
    if not tensor.size:
        return np.empty(tensor.shape, dtype)
    flat: NDArray[np.generic] = stored.view(dtype)
    if big_endian:
        flat = flat.view(f"u{dtype.itemsize}").byteswap().view(dtype)
    steps = tuple(step * dtype.itemsize for step in tensor.strides)
    return np.lib.stride_tricks.as_strided(
        flat[tensor.storage.first + tensor.offset :], tensor.shape, steps, writeable=False
    )
