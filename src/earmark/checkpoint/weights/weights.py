"""The tensors of a checkpoint, by canonical name, each checked as it is read."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from earmark.checkpoint.weights.files import open_tensors
from earmark.checkpoint.weights.leftovers import is_buffer
from earmark.checkpoint.weights.tensor_source import Shape, TensorSource
from earmark.domain.packing import Float32
from earmark.errors import InvalidCheckpoint

Int8: TypeAlias = NDArray[np.int8]

OLD_NAMES = {".gamma": ".weight", ".beta": ".bias"}
"""Names of LayerNorm parameters in checkpoints converted from TensorFlow."""
SCALE_SUFFIX = "_scale"
"""`compressed-tensors` stores the scales of ``x.weight`` as ``x.weight_scale``."""
ZERO_POINT_SUFFIX = "_zero_point"
"""The same for zero points: the integers that mean 0."""
MATRIX_AXES = 2
INTEGER_TYPES = ("I8", "I16", "I32", "I64")
FLOAT_TYPES = ("F64", "F32", "F16", "BF16")
DTYPE_NAMES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I8": "int8",
}


@dataclass(frozen=True, slots=True)
class Int8Matrix:
    """A matrix quantised symmetrically, one scale per row.

    Attributes:
        values: shape ``[rows, columns]``; rows are output channels of a linear layer, or
            entries of an embedding table.
        scales: shape ``[rows]``; the matrix is ``values * scales[:, None]``.
    """

    values: Int8
    scales: Float32

    def dequantized(self) -> Float32:
        """Return the matrix in float32."""
        return self.values.astype(np.float32) * self.scales[:, None]


Matrix: TypeAlias = Float32 | Int8Matrix
"""A weight for a graph. Floats of any width become float32, and so do integers with zero points or
with more than one scale in a row: no kernel here multiplies these as integers."""


def floats_of(matrix: Matrix) -> Float32:
    """Return a matrix in float32, however it is stored."""
    return matrix.dequantized() if isinstance(matrix, Int8Matrix) else matrix


def rows_of(matrix: Matrix, rows: NDArray[np.int64]) -> Matrix:
    """Return some rows of a matrix, in the order of their indices."""
    if isinstance(matrix, Int8Matrix):
        return Int8Matrix(matrix.values[rows], matrix.scales[rows])
    return matrix[rows]


def weigh(tensors: TensorSource) -> tuple[int, str]:
    """Return the number of weights in a file, and the type that most of them have."""
    counts: dict[str, int] = {}
    for name, shape in tensors.shapes().items():
        if name.endswith((SCALE_SUFFIX, ZERO_POINT_SUFFIX)):
            continue  # describes a weight, but is none itself
        kind = tensors.dtype(name)
        counts[kind] = counts.get(kind, 0) + math.prod(shape)
    most = max(counts, key=lambda kind: counts[kind], default="")
    kind = DTYPE_NAMES.get(most, most)
    return sum(counts.values()), _integer_kind(tensors) if kind == "int8" else kind


def _integer_kind(tensors: TensorSource) -> str:
    """Return the name of the kind of int8 matrices, from their scales and zero points."""
    shapes = tensors.shapes()
    points = (name for name in shapes if name.endswith(ZERO_POINT_SUFFIX))
    if any(tensors.read(name).any() for name in points):
        return "asymmetric int8"
    scales = (shape for name, shape in shapes.items() if name.endswith(SCALE_SUFFIX))
    if any(len(shape) == MATRIX_AXES and shape[1] > 1 for shape in scales):
        return "grouped int8"
    return "int8"


def _canonical(name: str, prefix: str) -> str:
    """Remove differences between checkpoints of one architecture: prefixes and old names."""
    while name.startswith(prefix):
        name = name.removeprefix(prefix)
    for old, new in OLD_NAMES.items():
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


@dataclass(slots=True)
class Weights:
    """The tensors of one checkpoint under their canonical names.

    A canonical name has no base-model prefix (``encoder.layer.0.output.dense.weight``, never
    ``bert.encoder…``), since files carry the prefix once, twice or not at all.

    Attributes:
        path: the file, for error messages.
        parameters: how many weights have been read so far.
    """

    path: Path
    _source: TensorSource
    _names: dict[str, str]
    _shapes: Mapping[str, Shape]
    _unread: set[str]
    parameters: int = 0

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        prefix: str,
        opener: Callable[[Path], TensorSource] = open_tensors,
    ) -> "Weights":
        """Open a weights file.

        Args:
            path: the file, or the index of several.
            prefix: the architecture's base-model prefix with its dot, such as ``bert.``.
            opener: how to read the file.

        Raises:
            CheckpointNotFound: a file that an index names is missing.
            InvalidCheckpoint: the file cannot be read, or two tensors have the same canonical name.
        """
        source = opener(path)
        shapes = source.shapes()
        names: dict[str, str] = {}
        for name in shapes:
            canonical = _canonical(name, prefix)
            if canonical in names:
                raise InvalidCheckpoint(
                    f"{path} holds both {names[canonical]} and {name}; they mean the same tensor"
                )
            names[canonical] = name
        return cls(path, source, names, shapes, set(names))

    def has(self, name: str) -> bool:
        """Return whether a tensor exists."""
        return name in self._names

    def shape_of(self, name: str) -> Shape | None:
        """Return a tensor's shape without reading it; None if it does not exist."""
        return self._shapes[self._names[name]] if self.has(name) else None

    @property
    def stored_dtype(self) -> str:
        """The element type that most of the weights have, such as ``float16``.

        ``int8`` is plain: one scale for each row or fewer, no zero points. Other integers have a
        name of their own, since they run as floats.
        """
        counts = dict.fromkeys(DTYPE_NAMES, 0)
        for name, shape in self._shapes.items():
            dtype = self._source.dtype(name)
            if dtype in counts:
                counts[dtype] += math.prod(shape)
        most = DTYPE_NAMES[max(counts, key=lambda dtype: counts[dtype])]
        return most if most != "int8" else _integer_kind(self._source)

    def close(self) -> None:
        """Close the files and their memory maps."""
        self._source.close()

    def read(self) -> tuple[str, ...]:
        """List the tensors that were read or disregarded."""
        return tuple(name for name in self._names if name not in self._unread)

    def unread(self, *, of_base: bool = False) -> tuple[str, ...]:
        """List, sorted, the tensors that were not read, without buffers.

        Args:
            of_base: list only those whose names in the file have the base model's prefix.
        """
        return tuple(
            sorted(
                name
                for name in self._unread
                if not is_buffer(name) and not (of_base and self._names[name] == name)
            )
        )

    def disregard(self, *names: str) -> None:
        """Leave tensors out of `unread`: they repeat others, or are known not to matter."""
        for name in names:
            self._unread -= {name, name + SCALE_SUFFIX, name + ZERO_POINT_SUFFIX}

    def vector(self, name: str, size: int) -> Float32:
        """Read a float tensor of one axis, shape ``[size]``, as float32.

        Raises:
            InvalidCheckpoint: the tensor is missing, of another shape, or not of floats.
        """
        return self._floats(name, (size,))

    def kernel(self, name: str, out: int, into: int, width: int) -> Float32:
        """Read a convolution's weight, shape ``[out, into, width]``, as float32.

        Raises:
            InvalidCheckpoint: the tensor is missing, of another shape, or not of floats.
        """
        return self._floats(name, (out, into, width))

    def matrix(self, name: str, rows: int, columns: int) -> Matrix:
        """Read a matrix, shape ``[rows, columns]``, with its scales if it is int8.

        Raises:
            InvalidCheckpoint: the tensor, its scales or its zero points are missing, misshapen, or
                of a type that is neither float nor int8.
        """
        if self.has(name) and self._source.dtype(self._names[name]) == "I8":
            self._expect(name, (rows, columns))
            return self._integers(name)
        return self._floats(name, (rows, columns))

    def _integers(self, name: str) -> Matrix:
        """Read an int8 matrix: ``(values - zero point) * scale`` for each row or group."""
        values = self._read(name).astype(np.int8, copy=False)
        scales = self._scales(name + SCALE_SUFFIX, *values.shape)
        points = np.zeros_like(scales)
        if self.has(name + ZERO_POINT_SUFFIX):
            points = self._zero_points(name + ZERO_POINT_SUFFIX)
            if points.size not in {1, scales.size}:
                raise InvalidCheckpoint(
                    f"{self.path}: {name} has {points.size} zero points and {scales.size} scales, "
                    "expected one for each scale"
                )
            one = points.size == 1
            points = np.broadcast_to(points.reshape(-1 if one else scales.shape), scales.shape)
        if scales.shape[1] == 1 and not points.any():
            return Int8Matrix(values, scales[:, 0])
        groups = values.reshape(*scales.shape, -1).astype(np.float32)
        matrix: Float32 = (groups - points[..., None]) * scales[..., None]
        return matrix.reshape(values.shape)

    def _scales(self, name: str, rows: int, columns: int) -> Float32:
        """Read scales, ``[rows, groups]``; the file has one in all, one a row or one a group."""
        shape = self._shape(name)
        stored = self._floats(name, shape)
        if stored.size == 1:
            return np.full((rows, 1), stored.reshape(()), np.float32)
        groups = stored.size // rows
        if not groups or shape not in {(rows,), (rows, groups)} or columns % groups:
            raise InvalidCheckpoint(
                f"{self.path}: tensor {name} has shape {list(shape)}; expected one scale, or "
                f"[{rows}, 1], or [{rows}, groups] where groups divide {columns}"
            )
        return stored.reshape(rows, groups)

    def _zero_points(self, name: str) -> Float32:
        """Read zero points, in the file's shape; float32 represents each exactly."""
        kind = self._source.dtype(self._names[name])
        if kind not in INTEGER_TYPES:
            raise InvalidCheckpoint(
                f"{self.path}: tensor {name} is of type {kind}, expected one of "
                f"{', '.join(INTEGER_TYPES)}"
            )
        return self._read(name).astype(np.float32)

    def _shape(self, name: str) -> Shape:
        if not self.has(name):
            near = sorted(self._names)[:6]
            raise InvalidCheckpoint(
                f"{self.path} has no tensor {name}; it holds {len(self._names)}, "
                f"such as {', '.join(near) or 'none'}. Nothing is drawn at random in its place: "
                "expected a checkpoint that was trained with its head"
            )
        return self._shapes[self._names[name]]

    def _floats(self, name: str, shape: Shape) -> Float32:
        self._expect(name, shape)
        dtype = self._source.dtype(self._names[name])
        if dtype not in FLOAT_TYPES:
            raise InvalidCheckpoint(
                f"{self.path}: tensor {name} is of type {dtype}, expected one of "
                f"{', '.join(FLOAT_TYPES)}"
            )
        values: Float32 = self._read(name).astype(np.float32, copy=False)
        # The extremes show any NaN or infinity, and need no array of the tensor's size.
        if values.size and not (np.isfinite(values.min()) and np.isfinite(values.max())):
            raise InvalidCheckpoint(f"{self.path}: tensor {name} holds NaN or infinity")
        return values

    def _expect(self, name: str, shape: Shape) -> None:
        found = self._shape(name)
        if found != shape:
            raise InvalidCheckpoint(
                f"{self.path}: tensor {name} has shape {list(found)}, "
                f"expected {list(shape)} from config.json"
            )

    def _read(self, name: str) -> NDArray[np.generic]:
        tensor = self._source.read(self._names[name])
        if name in self._unread and not name.endswith((SCALE_SUFFIX, ZERO_POINT_SUFFIX)):
            self.parameters += tensor.size  # once, however many layers share it
        self._unread.discard(name)
        return tensor
