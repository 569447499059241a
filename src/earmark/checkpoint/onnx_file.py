"""Reads what an exported ONNX file declares, without reading its weights.

The file is a protocol buffer (https://protobuf.dev/programming-guides/encoding) of the messages in
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. The library would copy every weight to
return the names of the inputs; here the messages are read in the mapped file, and the weights are
skipped.
"""

import math
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import onnx
from google.protobuf.message import DecodeError

from earmark.checkpoint.files.lfs_pointer import refuse_pointer
from earmark.checkpoint.files.names import ONNX_FILES
from earmark.checkpoint.files.repository import Repository
from earmark.errors import CheckpointNotFound, InvalidCheckpoint

_GRAPH = 7
_INITIALIZER, _INPUT, _OUTPUT = 5, 11, 12
_DIMS, _DATA_TYPE, _TENSOR_NAME, _EXTERNAL = 1, 2, 8, 13
"""Numbers of the fields of ModelProto, GraphProto and TensorProto."""

MOST_AXES = 64
"""Of a tensor: more than any runtime takes. The product of a million lengths takes hours."""
DEEPEST_GRAPH = 32
"""Graphs within graphs, such as the branches of a condition."""

_NODE, _SPARSE, _FUNCTION = 1, 15, 25
_ATTRIBUTE, _BODY = 5, 7
_OF_ATTRIBUTE = {5: "tensor", 10: "tensor", 6: "graph", 11: "graph", 22: "sparse", 23: "sparse"}
"""Numbers of fields, and of AttributeProto what they hold."""

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
"""Wire types."""

_WEIGHTS: dict[int, str] = {
    onnx.TensorProto.FLOAT: "float32",
    onnx.TensorProto.DOUBLE: "float64",
    onnx.TensorProto.FLOAT16: "float16",
    onnx.TensorProto.BFLOAT16: "bfloat16",
    onnx.TensorProto.INT8: "int8",
    onnx.TensorProto.UINT8: "uint8",
}
"""Element types of tensors that are weights; others are indices and shapes."""


@dataclass(frozen=True, slots=True)
class OnnxValue:
    """An input or an output of a graph.

    Attributes:
        name: as the graph calls it.
        dtype: element type, such as ``int64``.
        axes: length of each axis, None if it may vary; None if their number may vary too.
    """

    name: str
    dtype: str
    axes: tuple[int | None, ...] | None


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """The declarations of an ONNX file.

    Attributes:
        path: the file.
        inputs: the inputs, without weights that old exporters declare as inputs.
        outputs: the outputs.
        parameters: how many numbers its weights have.
        stored_precision: the type that most of them have.
        weights: the file itself, and files beside it that hold its weights.
    """

    path: Path
    inputs: tuple[OnnxValue, ...]
    outputs: tuple[OnnxValue, ...]
    parameters: int
    stored_precision: str
    weights: tuple[Path, ...]


def onnx_paths(repository: Repository) -> tuple[Path, ...]:
    """List the exported graph and the files of its weights; empty if there is no graph.

    Raises:
        InvalidCheckpoint: the file is malformed.
    """
    found = next(filter(None, map(repository.find, ONNX_FILES)), None)
    return () if found is None else read_onnx(found).weights


def read_onnx(path: Path) -> OnnxFile:
    """Read the declarations of an ONNX file.

    Raises:
        CheckpointNotFound: the file cannot be read.
        InvalidCheckpoint: it is no ONNX file, keeps weights outside of its own folder, or a Git LFS
            pointer is in the place of a file.
    """
    refuse_pointer(path)
    try:
        with path.open("rb") as file:
            # Not closed explicitly: an error's traceback may still hold views of it.
            whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        found = _read(path, memoryview(whole))
    except OSError as error:
        raise CheckpointNotFound(f"{path} cannot be read: {error}") from error
    # ValueError: an empty file, which cannot be mapped, or text that is not UTF-8.
    except (DecodeError, IndexError, ValueError) as error:
        raise InvalidCheckpoint(f"{path} is no ONNX file, or is cut short: {error}") from error
    for one in found.weights:
        refuse_pointer(one)
    return found


def _read(path: Path, view: memoryview) -> OnnxFile:
    graphs = [value for number, value in _fields(view) if number == _GRAPH]
    if len(graphs) != 1 or not isinstance(graphs[0], memoryview):
        raise InvalidCheckpoint(f"{path} is no ONNX file: it holds {len(graphs)} graphs, not one")
    declared: dict[int, list[OnnxValue]] = {_INPUT: [], _OUTPUT: []}
    named: set[str] = set()
    counts: dict[str, int] = {}
    places: set[str] = set()
    for function in (value for number, value in _fields(view) if number == _FUNCTION):
        for number, value in _fields(_message(function)):
            places |= _places_of_node(_message(value), 0) if number == _BODY else set()
    for number, value in _fields(graphs[0]):
        if number == _NODE:
            places |= _places_of_node(_message(value), 0)
        elif number == _SPARSE:
            places |= _places_of_sparse(_message(value))
        elif number in declared:
            declared[number].append(_value(bytes(_message(value))))
        elif number == _INITIALIZER:
            name, kind, count, place = _tensor(_message(value))
            named.add(name)
            counts[kind] = counts.get(kind, 0) + count
            places |= place
    weights = {kind: count for kind, count in counts.items() if kind}
    return OnnxFile(
        path,
        tuple(one for one in declared[_INPUT] if one.name not in named),
        tuple(declared[_OUTPUT]),
        sum(weights.values()),
        max(weights, key=lambda kind: weights[kind], default="float32"),
        (path, *(_beside(path, place) for place in sorted(places))),
    )


def _tensor(message: memoryview) -> tuple[str, str, int, set[str]]:
    """Return a tensor's name, its type if it holds weights, its size and its files."""
    name, kind, dims, place = "", 0, [], set()
    for number, value in _fields(message):
        if number == _TENSOR_NAME:
            name = str(_message(value), "utf-8")
        elif number == _DATA_TYPE and isinstance(value, int):
            kind = value
        elif number == _DIMS:  # written one by one, or packed into one field
            dims += [value] if isinstance(value, int) else list(_varints(value))
        elif number == _EXTERNAL:
            entry = onnx.StringStringEntryProto.FromString(bytes(_message(value)))
            place |= {_text(entry.value)} if entry.key == "location" else set()
    if len(dims) > MOST_AXES:
        raise DecodeError(f"a tensor of {len(dims)} axes")
    return name, _WEIGHTS.get(kind, ""), math.prod(dims), place


def _places_of_node(message: memoryview, depth: int) -> set[str]:
    """Return the files of tensors that stand within a node; a graph in it has nodes of its own."""
    if depth > DEEPEST_GRAPH:
        raise DecodeError(f"more than {DEEPEST_GRAPH} graphs within each other")
    places = set()
    for number, attribute in _fields(message):
        if number != _ATTRIBUTE:
            continue
        for inner, value in _fields(_message(attribute)):
            match _OF_ATTRIBUTE.get(inner):
                case "tensor":
                    places |= _tensor(_message(value))[3]
                case "sparse":
                    places |= _places_of_sparse(_message(value))
                case "graph":
                    places |= _places_of_graph(_message(value), depth + 1)
    return places


def _places_of_graph(message: memoryview, depth: int) -> set[str]:
    places = set()
    for number, value in _fields(message):
        if number == _NODE:
            places |= _places_of_node(_message(value), depth)
        elif number == _INITIALIZER:
            places |= _tensor(_message(value))[3]
        elif number == _SPARSE:
            places |= _places_of_sparse(_message(value))
    return places


def _places_of_sparse(message: memoryview) -> set[str]:
    """Return the files of a sparse tensor, whose values (1) and indices (2) are tensors."""
    tensors = [_message(value) for number, value in _fields(message) if number in {1, 2}]
    return {place for one in tensors for place in _tensor(one)[3]}


def _value(message: bytes) -> OnnxValue:
    declared = onnx.ValueInfoProto.FromString(message)
    kind = declared.type.tensor_type
    axes = None
    if kind.HasField("shape"):
        axes = tuple(
            axis.dim_value if axis.HasField("dim_value") and axis.dim_value > 0 else None
            for axis in kind.shape.dim
        )
    dtype = onnx.TensorProto.DataType.Name(kind.elem_type).lower()
    return OnnxValue(_text(declared.name), {"float": "float32"}.get(dtype, dtype), axes)


def _beside(path: Path, place: str) -> Path:
    """Find a weights file, which must be in the graph's folder or below.

    Raises:
        InvalidCheckpoint: its name leads out of the folder.
    """
    named = PurePosixPath(place)
    if named.is_absolute() or ".." in named.parts or "\\" in place or not named.parts:
        raise InvalidCheckpoint(
            f"{path} keeps weights in {place!r}; expected a file in the same folder"
        )
    return path.parent / named


def _text(value: str | bytes) -> str:
    """Return a string, which the library gives as bytes if it is not UTF-8."""
    return value if isinstance(value, str) else str(value, "utf-8")


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise DecodeError("a number where a message should be")
    return value


def _fields(view: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Iterate over the fields of a message: number, and value as stored in the file."""
    place = 0
    while place < len(view):
        key, place = _varint(view, place)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            found, place = _varint(view, place)
            yield number, found
            continue
        if wire == _BYTES:
            size, place = _varint(view, place)
        elif wire in {_EIGHT_BYTES, _FOUR_BYTES}:
            size = 8 if wire == _EIGHT_BYTES else 4
        else:
            raise DecodeError(f"a field of wire type {wire}")
        if place + size > len(view):
            raise DecodeError(f"{place + size - len(view)} bytes are missing")
        yield number, view[place : place + size]
        place += size


def _varints(view: memoryview) -> Iterator[int]:
    place = 0
    while place < len(view):
        found, place = _varint(view, place)
        yield found


def _varint(view: memoryview, place: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, lowest first, and the place after it."""
    found = shift = 0
    while True:
        byte = view[place]
        found |= (byte & 0x7F) << shift
        place += 1
        if byte < 0x80:  # noqa: PLR2004 - the eighth bit says that more follows
            return found, place
        shift += 7
        if shift > 63:  # noqa: PLR2004 - no number has more bits than 64
            raise DecodeError("a number without an end")
