"""What a checkpoint says of itself before it is loaded is what its engine says afterwards."""

from dataclasses import fields
from pathlib import Path

import pytest
from support.checkpoints import CheckpointSpec, write_checkpoint

from earmark.checkpoint.ref import FolderRef, read_ref
from earmark.engine.info import ModelFacts
from earmark.engine.load import EngineOptions, load_engine
from earmark.engine.preview import read_facts
from earmark.errors import CheckpointNotFound


def test_facts_read_from_files_are_those_of_the_engine(tmp_path: Path) -> None:
    """Every fact of a model that is not loaded is the same in memory; its weights are weighed."""
    spec = CheckpointSpec(num_labels=3, label_names=("contradiction", "neutral", "entailment"))
    folder = write_checkpoint(tmp_path / "x", spec)
    facts = read_facts(FolderRef(folder), model_id="org/x")
    engine = load_engine(FolderRef(folder), model_id="org/x", options=EngineOptions(threads=1))
    engine.close()
    info = engine.info
    names = [each.name for each in fields(ModelFacts)]
    assert [getattr(facts, name) for name in names] == [getattr(info, name) for name in names]
    assert (facts.model_id, facts.task) == ("org/x", "zero-shot-classification")
    assert facts.labels.names == ("contradiction", "neutral", "entailment")
    assert facts.weights_bytes == (folder / "model.safetensors").stat().st_size


def test_a_checkpoint_without_weights_has_no_facts(tmp_path: Path) -> None:
    """A folder whose file of weights is missing is refused by the name of the file."""
    folder = write_checkpoint(tmp_path / "x", CheckpointSpec())
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointNotFound, match=r"model\.safetensors"):
        read_facts(FolderRef(folder), model_id="x")


def test_a_model_of_the_hub_is_known_by_what_is_in_the_cache() -> None:
    """The facts of a model that is not in the cache are refused without asking the Hub."""
    with pytest.raises(CheckpointNotFound, match="org/name@v1 is not fetched yet: earmark pull"):
        read_facts(read_ref("org/name@v1"), model_id="x")
