"""Weights in several files are read as if they were in one, and missing ones are errors."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from support.torch_files import LaidTensor, state_of, write_zip

from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.weights.files import (
    WEIGHT_FILES,
    open_tensors,
    weight_paths,
    weights_size,
)
from earmark.errors import CheckpointNotFound, InvalidCheckpoint

FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
INDEX = "model.safetensors.index.json"
ONES = np.ones((2, 2), np.float32)


def write_index(folder: Path, placed: Mapping[str, object], name: str = INDEX) -> Path:
    """Write an index of weights."""
    index = folder / name
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": placed}))
    return index


def write_shards(folder: Path, **placed: object) -> Path:
    """Write ``a`` into the first shard, ``b`` and ``c`` into the second, and an index."""
    save_file({"a": ONES}, folder / FIRST)
    save_file({"b": ONES * 2, "c": ONES * 3}, folder / SECOND)
    return write_index(folder, {"a": FIRST, "b": SECOND, "c": SECOND} | placed)


def test_tensors_of_all_shards_are_there(tmp_path: Path) -> None:
    """Shapes, types and values, whichever file holds them."""
    source = open_tensors(write_shards(tmp_path))
    assert source.shapes() == {"a": (2, 2), "b": (2, 2), "c": (2, 2)}
    assert source.dtype("c") == "F32"
    assert [source.read(name).sum() for name in "abc"] == [4, 8, 12]


def test_a_closed_shard_reads_no_more(tmp_path: Path) -> None:
    """After closing, no file can be read."""
    source = open_tensors(write_shards(tmp_path))
    source.close()
    for name in "abc":
        with pytest.raises(ValueError, match="closed"):
            source.read(name)


def test_pickles_come_in_shards_too(tmp_path: Path) -> None:
    """Shards that are pickles are read."""
    placed = {}
    for name in ("a", "b"):
        one = LaidTensor(key=name, dtype="F32", stored=2, offset=0, shape=(2,), strides=(1,))
        stored = np.full(2, ord(name), "<f4").tobytes()
        placed[name] = f"pytorch_model-{name}.bin"
        write_zip(tmp_path / placed[name], state_of({name: one}), {name: stored})
    source = open_tensors(write_index(tmp_path, placed, "pytorch_model.bin.index.json"))
    assert [source.read(name).tolist() for name in "ab"] == [[97, 97], [98, 98]]


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    """The error for a missing shard names it."""
    index = write_shards(tmp_path)
    (tmp_path / SECOND).unlink()
    with pytest.raises(CheckpointNotFound, match=f"{INDEX} names {SECOND}, which is not there"):
        open_tensors(index)


def test_a_tensor_that_is_in_no_shard_is_named(tmp_path: Path) -> None:
    """The error names a tensor that the index lists and no shard has."""
    index = write_shards(tmp_path, d=FIRST)
    with pytest.raises(InvalidCheckpoint, match=f"where they are not: d in {FIRST}"):
        open_tensors(index)


def test_a_tensor_in_two_shards_is_named(tmp_path: Path) -> None:
    """The error names a tensor that two shards have."""
    index = write_shards(tmp_path)
    save_file({"a": ONES, "b": ONES}, tmp_path / FIRST)
    with pytest.raises(InvalidCheckpoint, match=f"{FIRST} holds .*: b \\(expected in {SECOND}\\)"):
        open_tensors(index)


def test_a_tensor_that_the_index_leaves_out_is_named(tmp_path: Path) -> None:
    """The error names a tensor that a shard has and the index does not list."""
    index = write_shards(tmp_path)
    save_file(dict.fromkeys("axyzuvwr", ONES), tmp_path / FIRST)
    with pytest.raises(InvalidCheckpoint, match=r"does not place there: .* and 1 more"):
        open_tensors(index)


@pytest.mark.parametrize("file", ["../outside.bin", "/etc/passwd", "..", "a\\b", "", 7, None])
def test_an_index_names_files_beside_it_and_no_others(tmp_path: Path, file: object) -> None:
    """An index that names a file elsewhere is refused."""
    index = write_shards(tmp_path, d=file)
    with pytest.raises(InvalidCheckpoint, match="expected the name of a file beside the index"):
        open_tensors(index)


@pytest.mark.parametrize("text", ['{"weight_map": []}', '{"weight_map": {}}', "{}"])
def test_an_index_without_a_map_is_refused(tmp_path: Path, text: str) -> None:
    """An index without a map is refused."""
    (tmp_path / INDEX).write_text(text)
    with pytest.raises(InvalidCheckpoint, match='"weight_map" is no object'):
        open_tensors(tmp_path / INDEX)


def test_an_index_that_names_itself_is_refused(tmp_path: Path) -> None:
    """An index that names itself is refused."""
    index = write_index(tmp_path, {"a": INDEX})
    with pytest.raises(InvalidCheckpoint, match="cannot be read as safetensors"):
        open_tensors(index)


def test_the_best_form_of_weights_is_taken(tmp_path: Path) -> None:
    """The first form of the list is read, and the sizes of all its files are summed."""
    repository = LocalRepository.open(tmp_path)
    assert weight_paths(repository) == ()
    with pytest.raises(CheckpointNotFound, match="has no " + " or ".join(WEIGHT_FILES)):
        weights_size(repository)
    (tmp_path / "pytorch_model.bin").write_bytes(b"1234")
    assert weights_size(repository) == 4
    index = write_shards(tmp_path)
    shards = (tmp_path / FIRST, tmp_path / SECOND)
    assert weight_paths(repository) == (index, *shards)
    assert weights_size(repository) == sum(path.stat().st_size for path in (index, *shards))
    shards[0].unlink()
    with pytest.raises(CheckpointNotFound, match="lacks a file of weights"):
        weights_size(repository)
    save_file({"a": ONES}, tmp_path / "model.safetensors")
    assert weight_paths(repository) == (tmp_path / "model.safetensors",)
