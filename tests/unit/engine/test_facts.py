"""The facts of a checkpoint before its load are those of its engine afterwards."""

from pathlib import Path

import pytest
from earmark.engine.facts import read_facts
from support.checkpoints import CheckpointSpec, write_checkpoint

from earmark.checkpoint.ref import FolderRef, read_ref
from earmark.engine.load import EngineOptions, load_engine
from earmark.errors import CheckpointNotFound


def test_facts_read_from_files_are_those_of_the_engine(tmp_path: Path) -> None:
    """Task, labels and architecture are the same; for the size the weights are not read."""
    spec = CheckpointSpec(num_labels=3, label_names=("contradiction", "neutral", "entailment"))
    folder = write_checkpoint(tmp_path / "x", spec)
    facts = read_facts(FolderRef(folder), model_id="org/x")
    engine = load_engine(FolderRef(folder), model_id="org/x", options=EngineOptions(threads=1))
    engine.close()
    info = engine.info
    assert (facts.model_id, facts.task, facts.tasks) == (info.model_id, info.task, info.tasks)
    assert (facts.architecture, facts.labels) == (info.architecture, info.labels)
    assert facts.weights_bytes == (folder / "model.safetensors").stat().st_size


def test_a_checkpoint_without_weights_has_no_facts(tmp_path: Path) -> None:
    """Reading the facts of a checkpoint without weights is an error."""
    folder = write_checkpoint(tmp_path / "x", CheckpointSpec())
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointNotFound, match=r"model\.safetensors"):
        read_facts(FolderRef(folder), model_id="x")


def test_a_model_of_the_hub_is_known_by_what_is_in_the_cache() -> None:
    """The facts of a cached model of the Hub are read without asking the Hub."""
    with pytest.raises(CheckpointNotFound, match="org/name@v1 is not fetched yet: earmark pull"):
        read_facts(read_ref("org/name@v1"), model_id="x")
