"""A checkpoint answers the same in whatever form its weights are published."""

from pathlib import Path

import pytest
from support.checkpoint_spec import Storage
from support.checkpoint_storage import store_tensors
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.weight_forms import FORMS, write_weights

import earmark
from earmark.checkpoint.ref import FolderRef
from earmark.engine.preview import read_facts

TEXTS = ("the film was good", "bad")


def _answers(folder: Path) -> list[float]:
    with earmark.load(str(folder), threads=1, precision="float32") as model:
        return [answer.score for answer in model.classify(TEXTS)]


@pytest.mark.parametrize("form", [form for form in FORMS if form != "safetensors"])
@pytest.mark.parametrize("storage", ["float32", "float16", "bfloat16", "int8"])
def test_the_same_weights_in_another_form_answer_the_same(
    tmp_path: Path, storage: Storage, form: str
) -> None:
    """Every form of the same weights gives the same bits, and its facts are known beforehand."""
    spec = CheckpointSpec(storage=storage)
    expected = _answers(write_checkpoint(tmp_path / "plain", spec))
    folder = write_checkpoint(tmp_path / "other", spec)
    (folder / "model.safetensors").unlink()
    write_weights(folder, form, store_tensors(spec))
    assert _answers(folder) == expected
    stored = sum(len(tensor.data) for tensor in store_tensors(spec).values())
    assert read_facts(FolderRef(folder), model_id="x").weights_bytes > stored
