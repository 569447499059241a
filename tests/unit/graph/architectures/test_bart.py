"""The word embeddings of BART, which files hold under one or several names."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from structlog.testing import capture_logs
from support.checkpoint_sessions import ONE_THREAD
from support.checkpoints import BartSpec, CheckpointSpec, write_checkpoint

from earmark.checkpoint.ref import FolderRef
from earmark.domain.texts import TextInput
from earmark.engine.load import EngineOptions, load_engine
from earmark.errors import InvalidCheckpoint
from earmark.tasks.text_classification import TextClassification

OPTIONS = EngineOptions(precision="float32", threads=ONE_THREAD)
SHARED = CheckpointSpec(architecture="bart", num_labels=3)
EVERYWHERE = replace(SHARED, bart=BartSpec(tables="all"))
ELSEWHERE = replace(SHARED, bart=BartSpec(tables="decoder"))


def scores_and_size(folder: Path, spec: CheckpointSpec) -> tuple[list[float], int]:
    """Load a checkpoint, expect no complaint, and return its scores and its count of weights."""
    with capture_logs() as logs:
        engine = load_engine(FolderRef(write_checkpoint(folder, spec)), options=OPTIONS)
    try:
        assert logs == []
        request = TextClassification((TextInput("a good film"),))
        (result,) = engine.answer_blocking(request).results()
        return [one.score for one in result.scores], engine.info.parameters
    finally:
        engine.close()


@pytest.mark.parametrize("spec", [EVERYWHERE, ELSEWHERE], ids=["everywhere", "elsewhere"])
def test_the_shared_table_is_found_under_any_name(tmp_path: Path, spec: CheckpointSpec) -> None:
    """The shared table is found under any name; copies are not read, counted or logged."""
    usual = scores_and_size(tmp_path / "usual", SHARED)
    assert scores_and_size(tmp_path / "other", spec) == usual


def test_two_tables_of_their_own_are_both_read(tmp_path: Path) -> None:
    """Where the config unties the two sides, each side's own table is read."""
    own = replace(SHARED, bart=BartSpec(tables="untied"))
    scores, size = scores_and_size(tmp_path / "own", own)
    usual, less = scores_and_size(tmp_path / "usual", SHARED)
    assert size - less == own.vocab_size * own.hidden
    assert scores != pytest.approx(usual, abs=1e-3)


def test_a_missing_table_is_asked_for_by_its_first_name(tmp_path: Path) -> None:
    """The error for a missing table has the name that `transformers` saves."""
    path = write_checkpoint(tmp_path, SHARED) / "model.safetensors"
    tensors = load_file(path)
    del tensors["model.shared.weight"]
    save_file({name: np.ascontiguousarray(one) for name, one in tensors.items()}, path)
    with pytest.raises(InvalidCheckpoint, match=r"no tensor shared\.weight"):
        load_engine(FolderRef(tmp_path), options=OPTIONS)
