"""Reads weights in several files, and the index that maps each tensor to its file.

Upstream: transformers 5.23.0, `save_pretrained`; ``{"weight_map": {tensor: file}}`` and metadata.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from earmark.checkpoint.config import read_json
from earmark.checkpoint.weights.tensor_source import Shape, TensorSource
from earmark.errors import CheckpointNotFound, InvalidCheckpoint

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
"""Name of a file beside the index, without folders."""
MOST_NAMES_SHOWN = 6


class _Shards:
    """The tensors of several files as one source."""

    def __init__(self, owners: Mapping[str, TensorSource]) -> None:
        self._owners = owners
        self._shapes = {name: owner.shapes()[name] for name, owner in owners.items()}

    def shapes(self) -> Mapping[str, Shape]:
        return self._shapes

    def dtype(self, name: str) -> str:
        return self._owners[name].dtype(name)

    def read(self, name: str) -> NDArray[np.generic]:
        return self._owners[name].read(name)

    def close(self) -> None:
        for owner in self._owners.values():
            owner.close()


def shard_paths(index: Path) -> tuple[Path, ...]:
    """List the files that an index names, sorted.

    Raises:
        InvalidCheckpoint: the index is malformed, or names a file that is not beside it.
    """
    return tuple(index.parent / file for file in sorted(set(_weight_map(index).values())))


def open_shards(index: Path, open_one: Callable[[Path], TensorSource]) -> TensorSource:
    """Open all files that an index names.

    Args:
        index: a file such as ``model.safetensors.index.json``.
        open_one: opens one of the files.

    Raises:
        CheckpointNotFound: a file that the index names is missing.
        InvalidCheckpoint: the index or a file is malformed, or they name different tensors.
    """
    placed = _weight_map(index)
    missing = [path.name for path in shard_paths(index) if not path.is_file()]
    if missing:
        raise CheckpointNotFound(f"{index} names {_listed(missing)}, which is not there")
    shards = {path.name: open_one(path) for path in shard_paths(index)}
    for file, shard in shards.items():
        strays = [name for name in shard.shapes() if placed.get(name) != file]
        if strays:
            twice = [f"{name} (expected in {placed[name]})" for name in strays if name in placed]
            raise InvalidCheckpoint(
                f"{index.parent / file} holds tensors that {index.name} does not place there: "
                f"{_listed(twice or strays)}"
            )
    absent = [name for name, file in placed.items() if name not in shards[file].shapes()]
    if absent:
        raise InvalidCheckpoint(
            f"{index} places tensors where they are not: "
            f"{_listed([f'{name} in {placed[name]}' for name in absent])}"
        )
    return _Shards({name: shards[file] for name, file in placed.items()})


def _weight_map(index: Path) -> dict[str, str]:
    """Read which tensor is in which file."""
    found = read_json(index).get("weight_map")
    if not isinstance(found, dict) or not found:
        raise InvalidCheckpoint(f'{index}: "weight_map" is no object of tensors and their files')
    for name, file in found.items():
        if not isinstance(file, str) or not _PLAIN_NAME.fullmatch(file):
            raise InvalidCheckpoint(
                f'{index}: "weight_map" places {name} in {file!r}, expected the name of a file '
                "beside the index"
            )
    return found


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_NAMES_SHOWN
    return ", ".join(names[:MOST_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
