"""Weights in every form in which they are published."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from support.checkpoint_storage import StoredTensor, write_safetensors
from support.torch_files import LaidTensor, state_of, write_legacy, write_zip

Writer: TypeAlias = Callable[[Path, Mapping[str, StoredTensor]], None]


def _laid(tensors: Mapping[str, StoredTensor]) -> dict[str, LaidTensor]:
    """Give each tensor a storage of its own, row by row."""
    laid = {}
    for name, tensor in tensors.items():
        strides: list[int] = []
        size = 1
        for count in reversed(tensor.shape):
            strides.insert(0, size)
            size *= count
        laid[name] = LaidTensor(
            key=name,
            dtype=tensor.dtype,
            stored=size,
            offset=0,
            shape=tensor.shape,
            strides=tuple(strides),
        )
    return laid


def _zip(path: Path, tensors: Mapping[str, StoredTensor]) -> None:
    stored = {name: tensor.data for name, tensor in tensors.items()}
    write_zip(path, state_of(_laid(tensors)), stored)


def _legacy(path: Path, tensors: Mapping[str, StoredTensor]) -> None:
    laid = _laid(tensors)
    stored = {name: (laid[name].stored, tensor.data) for name, tensor in tensors.items()}
    write_legacy(path, state_of(laid), stored)


def _sharded(write: Writer) -> Writer:
    """Write half of the tensors into one file and half into another, with an index."""

    def write_both(index: Path, tensors: Mapping[str, StoredTensor]) -> None:
        names = sorted(tensors)
        middle = len(names) // 2
        placed: dict[str, str] = {}
        for file, part in {"one.bin": names[:middle], "two.bin": names[middle:]}.items():
            name = file if ".bin." in index.name else f"{file}.safetensors"
            write(index.parent / name, {one: tensors[one] for one in part})
            placed |= dict.fromkeys(part, name)
        index.write_text(json.dumps({"metadata": {}, "weight_map": placed}))

    return write_both


FORMS: Final[Mapping[str, tuple[str, Writer]]] = {
    "safetensors": ("model.safetensors", write_safetensors),
    "zip": ("pytorch_model.bin", _zip),
    "legacy": ("pytorch_model.bin", _legacy),
    "sharded safetensors": ("model.safetensors.index.json", _sharded(write_safetensors)),
    "sharded bin": ("pytorch_model.bin.index.json", _sharded(_zip)),
}
"""Name of the file, or of the index of several, and what writes it."""


def write_weights(folder: Path, form: str, tensors: Mapping[str, StoredTensor]) -> None:
    """Write weights into a folder in one of `FORMS`."""
    file, write = FORMS[form]
    write(folder / file, tensors)
