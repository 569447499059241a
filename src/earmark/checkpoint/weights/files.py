"""Finds and opens the files that hold a checkpoint's weights."""

from pathlib import Path

from earmark.checkpoint.files.lfs_pointer import refuse_pointer
from earmark.checkpoint.files.repository import Repository
from earmark.checkpoint.weights.safetensors_file import open_safetensors
from earmark.checkpoint.weights.shards import open_shards, shard_paths
from earmark.checkpoint.weights.tensor_source import TensorSource
from earmark.checkpoint.weights.torch_pickle import open_torch_pickle
from earmark.errors import CheckpointNotFound

WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
"""Names of weights files on the Hub, best first: the first that exists is read."""

INDEX_SUFFIX = ".index.json"
PICKLE_SUFFIX = ".bin"


def open_tensors(path: Path) -> TensorSource:
    """Open a weights file, or all files of an index; its name decides the format.

    Raises:
        CheckpointNotFound: a file that an index names is missing.
        InvalidCheckpoint: a file cannot be read, is cut short, or holds anything but tensors.
    """
    return open_shards(path, _open_one) if path.name.endswith(INDEX_SUFFIX) else _open_one(path)


def weight_paths(repository: Repository) -> tuple[Path, ...]:
    """List every file of a checkpoint's weights; empty if it has none.

    Raises:
        InvalidCheckpoint: the index of several files is malformed.
    """
    found = next(filter(None, map(repository.find, WEIGHT_FILES)), None)
    if found is None:
        return ()
    return (found, *shard_paths(found)) if found.name.endswith(INDEX_SUFFIX) else (found,)


def weights_size(repository: Repository) -> int:
    """Return the size of a checkpoint's weights files in bytes.

    Raises:
        CheckpointNotFound: there are none, or one that an index names is missing.
        InvalidCheckpoint: the index is malformed.
    """
    repository.require(*WEIGHT_FILES)
    try:
        return sum(path.stat().st_size for path in weight_paths(repository))
    except OSError as error:
        raise CheckpointNotFound(f"{repository.source} lacks a file of weights: {error}") from error


def _open_one(path: Path) -> TensorSource:
    refuse_pointer(path)
    # Never an index: an index that names itself would be opened endlessly.
    return open_torch_pickle(path) if path.suffix == PICKLE_SUFFIX else open_safetensors(path)
