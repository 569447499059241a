"""`earmark models --certificate`."""

import json
import shutil
from pathlib import Path

import pytest
from support.checkpoints import CheckpointSpec, write_checkpoint

from earmark.cli import main

RUNTIME = ("--runtime", "onnxruntime", "--threads", "1")
"""It rounds activations of tiny models too, which not every processor does in OpenVINO."""


@pytest.fixture(scope="session")
def quantised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that is stored as int8."""
    folder = tmp_path_factory.mktemp("quantised")
    return write_checkpoint(folder, CheckpointSpec(storage="int8", num_labels=3))


@pytest.fixture(autouse=True)
def models_below(quantised: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with one model, and nothing of this machine."""
    shutil.copytree(quantised, tmp_path / "org" / "small")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EARMARK_STATE_FOLDER", str(tmp_path / "state"))
    monkeypatch.setenv("EARMARK_MODELS_FOLDER", str(tmp_path))


def told(capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    """Return the output of `earmark models --certificate` for that model."""
    assert main(["models", "--certificate", "org/small", *RUNTIME, *flags]) == 0
    return capsys.readouterr().out


def test_a_certificate_is_made_and_kept(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A certificate is printed as text and JSON, the second time from the database."""
    shown = told(capsys)
    assert "int8, asked for auto" in shown
    assert "int8 holds" in shown
    assert (tmp_path / "state" / "earmark.sqlite").is_file()
    found = json.loads(told(capsys, "--json"))
    certificate = found["certificate"]
    assert (found["id"], found["precision"], found["passed_over"]) == ("org/small", "int8", [])
    assert certificate["holds"]
    assert 0 < certificate["greatest_difference"] < certificate["tolerance"]
    assert f"{certificate['greatest_difference']:.2g} apart at most" in shown


def test_what_does_not_pass_is_shown_beside_what_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """A tolerance that no rounding meets leaves float32."""
    shown = told(capsys, "--tolerance", "1e-9")
    assert "float32, asked for auto" in shown
    assert "int8 does not hold" in shown
    assert "No certificate: float32 is the reference itself." in shown


def test_no_certificate_is_made_where_none_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    """With `--certify off` the output says why there is no certificate."""
    shown = told(capsys, "--certify", "off")
    assert "No certificate: certify is off." in shown
    assert "int8, asked for auto" in shown


def test_an_id_that_is_not_at_hand_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown id is an error of one line."""
    assert main(["models", "--certificate", "org/none"]) == 2
    assert "no model at hand is called 'org/none'" in capsys.readouterr().err
