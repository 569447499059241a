"""Checkpoints below a folder are found by their path, and nothing outside it can be named."""

import os
from pathlib import Path

import pytest

from earmark.checkpoint.files.models_folder import ModelsFolder, fingerprint
from earmark.errors import CheckpointNotFound


def _checkpoint(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


def test_an_id_is_a_path_of_one_or_two_folders(tmp_path: Path) -> None:
    """Deeper folders, hidden ones and those without a config are no models."""
    for path in ("alone", "org/name", "org/name/deeper", ".hidden", "org/.cache"):
        _checkpoint(tmp_path / path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "README.md").touch()
    folder = ModelsFolder.open(tmp_path)
    assert folder.ids() == ("alone", "org/name")
    assert folder.find("org/name") == tmp_path.resolve() / "org" / "name"
    assert folder.find("org/name/deeper") is None


def test_a_model_that_appears_later_is_found(tmp_path: Path) -> None:
    """A model that is added later is found."""
    folder = ModelsFolder.open(tmp_path)
    assert folder.ids() == ()
    _checkpoint(tmp_path / "late")
    assert folder.ids() == ("late",)


@pytest.mark.parametrize(
    "written",
    [
        "..",
        "../outside",
        "org/../../outside",
        "/etc",
        "a//b",
        "",
        ".",
        "org/",
        "out",
        "x\0y",
        "circle",
    ],
)
def test_nothing_outside_the_folder_can_be_named(written: str, tmp_path: Path) -> None:
    """Neither dots nor a link that leads out name a model."""
    outside = _checkpoint(tmp_path / "outside")
    root = tmp_path / "root"
    _checkpoint(root / "org" / "name")
    (root / "out").symlink_to(outside)
    (root / "circle").symlink_to(root / "circle")
    folder = ModelsFolder.open(root)
    assert folder.find(written) is None
    assert folder.ids() == ("org/name",)


def test_a_link_inside_the_folder_is_a_second_name(tmp_path: Path) -> None:
    """A link to a model inside the folder is another name of it."""
    folder = _checkpoint(tmp_path / "org" / "v2")
    (tmp_path / "org" / "latest").symlink_to(folder)
    assert ModelsFolder.open(tmp_path).find("org/latest") == folder.resolve()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The error for a missing folder names it."""
    with pytest.raises(CheckpointNotFound, match=r"models folder .*gone is not there"):
        ModelsFolder.open(tmp_path / "gone")


def test_a_folder_that_goes_away_holds_nothing(tmp_path: Path) -> None:
    """A folder that disappears has no models and raises no error."""
    root = tmp_path / "root"
    _checkpoint(root / "name")
    folder = ModelsFolder.open(root)
    root.rename(tmp_path / "elsewhere")
    assert (folder.ids(), folder.find("name")) == ((), None)


def test_a_changed_file_changes_the_fingerprint(tmp_path: Path) -> None:
    """By its size or its time; a folder that is not there has an empty one."""
    folder = _checkpoint(tmp_path / "name")
    seen = {fingerprint(folder)}
    (folder / "config.json").write_text("{} ")
    seen.add(fingerprint(folder))
    os.utime(folder / "config.json", (1, 1))
    seen.add(fingerprint(folder))
    (folder / "model.safetensors").touch()
    seen.add(fingerprint(folder))
    assert len(seen) == 4
    assert fingerprint(tmp_path / "gone") == ()


def test_an_exported_graph_is_part_of_a_folders_state(tmp_path: Path) -> None:
    """It stands in a folder of its own; others are not looked at."""
    folder = _checkpoint(tmp_path / "x")
    before = fingerprint(folder)
    (folder / "onnx").mkdir()
    (folder / "runs").mkdir()
    (folder / "runs" / "log").touch()
    assert fingerprint(folder) == before
    (folder / "onnx" / "model.onnx").touch()
    assert [name for name, *_ in fingerprint(folder)] == ["config.json", "onnx/model.onnx"]


def test_a_folder_with_other_files_of_a_model_is_one(tmp_path: Path) -> None:
    """So that what it lacks is said when it is asked for; any other folder is none."""
    for name in ("adapter_config.json", "modules.json", "model.safetensors", "x.gguf"):
        (tmp_path / "org" / name.replace(".", "-")).mkdir(parents=True)
        (tmp_path / "org" / name.replace(".", "-") / name).touch()
    (tmp_path / "org" / "notes").mkdir()
    (tmp_path / "org" / "notes" / "README.md").touch()
    expected = {
        "org/adapter_config-json",
        "org/modules-json",
        "org/model-safetensors",
        "org/x-gguf",
    }
    assert set(ModelsFolder.open(tmp_path).ids()) == expected


def test_parts_of_a_model_are_no_models(tmp_path: Path) -> None:
    """Exported graphs and modules in its folder; a checkpoint of a training run is one."""
    model = _checkpoint(tmp_path / "name")
    for part in ("onnx", "1_Pooling", "checkpoint-500"):
        (model / part).mkdir()
    (model / "onnx" / "model.onnx").touch()
    (model / "checkpoint-500" / "config.json").touch()
    assert ModelsFolder.open(tmp_path).ids() == ("name", "name/checkpoint-500")
    (model / "modules.json").touch()
    (model / "1_Pooling" / "config.json").touch()
    assert ModelsFolder.open(tmp_path).ids() == ("name",)
