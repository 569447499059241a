"""Folders, and the models in the box."""

from pathlib import Path

import pytest

from earmark.checkpoint.bundled import bundled_folder, bundled_ids, open_bundled
from earmark.checkpoint.files.folder import LocalRepository
from earmark.errors import CheckpointNotFound


def test_the_first_file_that_is_there_is_returned(tmp_path: Path) -> None:
    """Alternatives are tried in order."""
    (tmp_path / "vocab.txt").write_text("x")
    repository = LocalRepository.open(tmp_path)
    assert repository.require("tokenizer.json", "vocab.txt") == tmp_path / "vocab.txt"
    assert repository.find("tokenizer.json") is None


def test_a_missing_file_is_named_with_what_is_there(tmp_path: Path) -> None:
    """The message helps to see which folder this is, and stays short for large ones."""
    for index in range(40):
        (tmp_path / f"page-{index:02}.txt").touch()
    with pytest.raises(CheckpointNotFound, match=r"no a or b; it holds page-00.*and 28 more"):
        LocalRepository.open(tmp_path).require("a", "b")


def test_a_missing_folder_says_what_a_folder_should_hold(tmp_path: Path) -> None:
    """So does a file where a folder should be."""
    with pytest.raises(CheckpointNotFound, match=r"not there; .* config\.json"):
        LocalRepository.open(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointNotFound, match="a file, not a folder"):
        LocalRepository.open(tmp_path / "file")


@pytest.mark.parametrize("model_id", bundled_ids())
def test_every_bundled_model_is_in_the_package(model_id: str) -> None:
    """Its files are there, small, with a card."""
    repository = open_bundled(model_id)
    for file in ("config.json", "model.safetensors", "tokenizer.json", "README.md"):
        assert repository.find(file) is not None
    size = sum(path.stat().st_size for path in bundled_folder(model_id).iterdir())
    assert size <= 25_000_000


def test_an_unknown_bundled_id_lists_the_known_ones() -> None:
    """The message says what there is."""
    with pytest.raises(CheckpointNotFound, match="bundled are earmark/sentiment"):
        bundled_folder("earmark/nothing")
