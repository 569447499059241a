"""A checkpoint answers the same in whatever form its weights are published."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from support.checkpoint_spec import Storage
from support.checkpoint_storage import StoredTensor, store_tensors, write_safetensors
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.torch_files import LaidTensor, state_of, write_legacy, write_zip

import earmark
from earmark.engine.facts import read_facts

TEXTS = ("the film was good", "bad")


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


def _sharded(
    write: Callable[[Path, Mapping[str, StoredTensor]], None],
) -> Callable[[Path, Mapping[str, StoredTensor]], None]:
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


FORMS = {
    "zip": ("pytorch_model.bin", _zip),
    "legacy": ("pytorch_model.bin", _legacy),
    "sharded safetensors": ("model.safetensors.index.json", _sharded(write_safetensors)),
    "sharded bin": ("pytorch_model.bin.index.json", _sharded(_zip)),
}


def _answers(folder: Path) -> list[float]:
    with earmark.load(str(folder), threads=1, precision="float32") as model:
        return [answer.score for answer in model.classify(TEXTS)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("storage", ["float32", "float16", "bfloat16", "int8"])
def test_the_same_weights_in_another_form_answer_the_same(
    tmp_path: Path, storage: Storage, form: str
) -> None:
    """To the last bit, and what can be known beforehand is known."""
    spec = CheckpointSpec(storage=storage)
    expected = _answers(write_checkpoint(tmp_path / "plain", spec))
    folder = write_checkpoint(tmp_path / "other", spec)
    (folder / "model.safetensors").unlink()
    file, write = FORMS[form]
    write(folder / file, store_tensors(spec))
    assert _answers(folder) == expected
    stored = sum(len(tensor.data) for tensor in store_tensors(spec).values())
    assert read_facts(str(folder), model_id="x").weights_bytes > stored
