"""Files of `torch.save` give the tensors that torch gives."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.torch_files import LaidTensor, state_of, write_legacy, write_zip

from earmark.checkpoint.weights.torch_pickle import open_torch_pickle
from earmark.checkpoint.weights.weights import Weights
from earmark.errors import InvalidCheckpoint

FILES = Path(__file__).parent / "torch_files"
REAL = ("zip.bin", "protocol-4.bin", "legacy.bin")

Drawn: TypeAlias = tuple[LaidTensor, bytes, NDArray[np.generic]]
"""A tensor, its storage's little-endian bytes, and what it should read as."""

DTYPES: Mapping[str, np.dtype[Any]] = {
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

ONE = LaidTensor(key="0", dtype="F32", stored=4, offset=0, shape=(2, 2), strides=(2, 1))
FOUR = np.arange(4, dtype="<f4").tobytes()


@pytest.mark.parametrize("file", REAL)
def test_files_of_torch_read_as_torch_wrote_them(file: str) -> None:
    """Matrices, parameters, views of every kind, a scalar, nothing at all."""
    source = open_torch_pickle(FILES / file)
    counted, shared = np.arange(12), np.arange(20)
    expected = {
        "matrix": counted.reshape(3, 4),
        "parameter": counted.reshape(4, 3),
        "transposed": counted.reshape(3, 4).T,
        "strided": shared[1::3],
        "shared": shared[4:16].reshape(4, 3),
        "scalar": np.asarray(7),
        "empty": np.empty((0, 4)),
    }
    for name, values in expected.items():
        tensor = source.read(name)
        assert tensor.dtype == np.float32
        assert source.shapes()[name] == tensor.shape == values.shape
        assert tensor.tolist() == values.tolist()
    assert source.dtype("position_ids") == "I64"
    assert source.read("position_ids").tolist() == [list(range(8))]


@pytest.mark.parametrize("file", REAL)
@pytest.mark.parametrize("kind", ["F64", "F16", "BF16", "I32", "I16", "I8", "U8", "BOOL"])
def test_every_element_type_of_torch_is_read(file: str, kind: str) -> None:
    """Types go by safetensors' names, so that nothing else has to know the file's form."""
    source = open_torch_pickle(FILES / file)
    assert source.dtype(kind) == kind
    assert source.read(kind).dtype == DTYPES[kind]
    assert source.read(kind).astype(np.int64).tolist() == (
        [0, 1, 1] if kind == "BOOL" else [0, 1, 2]
    )


@pytest.mark.parametrize("file", REAL)
def test_a_tensor_that_repeats_its_storage_is_not_read(file: str) -> None:
    """Else four bytes could claim to be a tensor of any size. Left unread it does no harm."""
    source = open_torch_pickle(FILES / file)
    assert source.shapes()["expanded"] == (3, 4)
    with pytest.raises(InvalidCheckpoint, match="tensor expanded cannot be read: it repeats"):
        source.read("expanded")


def test_weights_come_from_a_pickle_as_from_safetensors(tmp_path: Path) -> None:
    """Prefix, types and shapes are the same matter in every form of file."""
    path = write_zip(tmp_path / "pytorch_model.bin", state_of({"bert.x.weight": ONE}), {"0": FOUR})
    weights = Weights.open(path, prefix="bert.")
    matrix = weights.matrix("x.weight", 2, 2)
    assert isinstance(matrix, np.ndarray)
    assert matrix.tolist() == [[0, 1], [2, 3]]
    assert weights.stored_dtype == "float32"


@st.composite
def laid_tensors(draw: st.DrawFn) -> Drawn:
    """Draw a storage, and a tensor that lies in it somehow without repeating it."""
    dtype = DTYPES[kind := draw(st.sampled_from(sorted(DTYPES)))]
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=4)))
    # Axes in any order, with gaps: a transposed and sliced view.
    strides, step = [0] * len(shape), draw(st.integers(1, 3))
    for axis in draw(st.permutations(range(len(shape)))):
        strides[axis] = step
        step = step * max(shape[axis], 1) + draw(st.integers(0, 2))
    reach = sum((count - 1) * one for count, one in zip(shape, strides, strict=True)) + 1
    offset = draw(st.integers(0, 3))
    stored = offset + max(reach, 0) + draw(st.integers(0, 3))
    values = (np.arange(stored) % 2 if kind == "BOOL" else np.arange(stored) % 100).astype(dtype)
    steps = tuple(one * dtype.itemsize for one in strides)
    expected = np.lib.stride_tricks.as_strided(values[offset:], shape, steps)
    tensor = LaidTensor(
        key="0", dtype=kind, stored=stored, offset=offset, shape=shape, strides=tuple(strides)
    )
    return tensor, values.tobytes(), expected if 0 not in shape else np.empty(shape, dtype)


def _as_zip(path: Path, tensor: LaidTensor, stored: bytes) -> Path:
    return write_zip(path, state_of({"x": tensor}), {"0": stored})


def _as_deflated(path: Path, tensor: LaidTensor, stored: bytes) -> Path:
    return write_zip(path, state_of({"x": tensor}), {"0": stored}, deflated=True, order=None)


def _as_big_endian(path: Path, tensor: LaidTensor, stored: bytes) -> Path:
    width = DTYPES[tensor.dtype].itemsize
    swapped = np.frombuffer(stored, f"u{width}").byteswap().tobytes()
    return write_zip(path, state_of({"x": tensor}), {"0": swapped}, order="big")


def _as_legacy(path: Path, tensor: LaidTensor, stored: bytes) -> Path:
    return write_legacy(path, state_of({"x": tensor}), {"0": (tensor.stored, stored)})


def _as_legacy_part(path: Path, tensor: LaidTensor, stored: bytes) -> Path:
    """Write the storage as a part of a longer one, as torch before 1.0 could."""
    width = DTYPES[tensor.dtype].itemsize
    whole = replace(tensor, stored=tensor.stored + 3, part=(2, tensor.stored))
    padded = b"\1" * 2 * width + stored + b"\1" * width
    return write_legacy(path, state_of({"x": whole}), {"0": (whole.stored, padded)})


@pytest.mark.parametrize(
    "write", [_as_zip, _as_deflated, _as_big_endian, _as_legacy, _as_legacy_part]
)
@settings(deadline=None, max_examples=60)
@given(drawn=laid_tensors())
def test_any_view_of_any_type_is_read_in_every_form(
    write: Callable[[Path, LaidTensor, bytes], Path], drawn: Drawn
) -> None:
    """Offsets, strides and gaps, in records compressed and not, of either byte order."""
    tensor, stored, expected = drawn
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        source = open_torch_pickle(write(Path(folder) / "x.bin", tensor, stored))
        found = np.array(source.read("x"))
        source.close()
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    assert found.tolist() == expected.tolist()


def test_a_closed_file_reads_no_more(tmp_path: Path) -> None:
    """Its memory is given back."""
    source = open_torch_pickle(write_zip(tmp_path / "x.bin", state_of({"x": ONE}), {"0": FOUR}))
    source.close()
    with pytest.raises(ValueError, match="closed"):
        source.read("x")
