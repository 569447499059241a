"""The identity of a model changes with its files and with the way it runs."""

import os
from pathlib import Path

import pytest
from support.checkpoints import CheckpointSpec, write_checkpoint

from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.files.names import SMALL_FILES
from earmark.checkpoint.ref import FolderRef
from earmark.engine.identity import files_identity, load_identity
from earmark.engine.load import EngineOptions, load_engine


def _identity(folder: Path) -> str:
    return files_identity(LocalRepository.open(folder))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_replaced_file_shows_though_size_and_date_are_the_same(tmp_path: Path, name: str) -> None:
    """A replaced file of the same size and date changes the identity."""
    folder = write_checkpoint(tmp_path / "model", CheckpointSpec())
    before = _identity(folder)
    assert _identity(folder) == before
    path = folder / name
    found, copy = path.stat(), tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    os.utime(copy, ns=(found.st_atime_ns, found.st_mtime_ns))
    copy.replace(path)
    assert path.stat().st_mtime_ns == found.st_mtime_ns
    assert _identity(folder) != before


@pytest.mark.parametrize("name", SMALL_FILES[1:])
def test_a_file_that_was_not_there_shows(tmp_path: Path, name: str) -> None:
    """An added file that a load reads changes the identity."""
    (tmp_path / "config.json").write_text("{}")
    before = _identity(tmp_path)
    (tmp_path / name).write_text("a")
    assert _identity(tmp_path) != before


def test_the_commit_of_a_model_of_the_hub_shows(tmp_path: Path) -> None:
    """Two commits with the same files have different identities."""
    one, other = (LocalRepository.open(tmp_path, revision=digit * 40) for digit in "ab")
    assert files_identity(one) != files_identity(other)


def test_the_way_a_model_runs_shows() -> None:
    """Another precision changes the identity."""
    assert load_identity("files", "int8", "cpu") != load_identity("files", "float32", "cpu")


def test_the_same_files_run_the_same_way_are_the_same_model(tmp_path: Path) -> None:
    """A model that is loaded again from the same files has the same identity."""
    ref = FolderRef(write_checkpoint(tmp_path / "model", CheckpointSpec()))
    found = []
    for model_id in ("one", "other"):
        engine = load_engine(ref, model_id=model_id, options=EngineOptions(threads=1))
        found.append(engine.info.identity)
        engine.close()
    assert found[0] == found[1]
    assert len(found[0]) == 32


def test_a_replaced_shard_shows(tmp_path: Path) -> None:
    """A replaced shard changes the identity; a missing one does not fail it."""
    folder = write_checkpoint(tmp_path / "model", CheckpointSpec())
    (folder / "model.safetensors").rename(folder / "part.safetensors")
    index = folder / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"a": "part.safetensors", "b": "gone.safetensors"}}')
    before = _identity(folder)
    os.utime(folder / "part.safetensors", ns=(1, 1))
    assert _identity(folder) != before
