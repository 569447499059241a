"""Compiled models on disk are found whole or not at all, within their bound."""

import os
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from earmark.errors import EngineError
from earmark.runtime.compiled import LEAST_BYTES, CompiledModels

MODEL_BYTES = 100


def store(folder: Path, *, most: int = 1000, least: int = 0) -> CompiledModels:
    """Open a folder."""
    return CompiledModels(folder, most_bytes=most, least_weights_bytes=least)


def keep(models: CompiledModels, key: str, content: bytes = b"x" * MODEL_BYTES) -> None:
    """Keep a model like a runtime does."""
    with models.scratch(len(content)) as scratch:
        assert scratch is not None
        (scratch / "12345.blob").write_bytes(content)
        models.keep(key, scratch, parameters=7, unread=("a", "b"), answers=b"!")


def test_what_was_kept_is_found(tmp_path: Path) -> None:
    """A kept model is found with its facts, also by another process, with no file left over."""
    assert store(tmp_path / "new").find("k") is None
    keep(store(tmp_path / "new"), "k")
    found = store(tmp_path / "new").find("k")
    assert found is not None
    assert found.blob.read_bytes() == b"x" * MODEL_BYTES
    facts = found.facts
    assert (facts.parameters, facts.unread, facts.answers) == (7, ("a", "b"), b"!")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["k.blob", "k.json"]
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


def test_a_folder_that_others_can_write_to_is_not_trusted(tmp_path: Path) -> None:
    """Native code uses the files unchecked: another user's file would run as this one."""
    keep(store(tmp_path / "new"), "k")
    for mode, found in ((0o755, True), (0o775, False), (0o757, False), (0o700, True)):
        (tmp_path / "new").chmod(mode)
        with capture_logs() as logs:
            assert (store(tmp_path / "new").find("k") is not None) is found
        assert [one["event"] for one in logs] == (
            [] if found else ["compiled models are not used: others can write to their folder"]
        )


def test_half_a_model_is_none(tmp_path: Path) -> None:
    """A file of another size, or with unreadable facts, is not found."""
    models = store(tmp_path)
    keep(models, "cut")
    (tmp_path / "cut.blob").write_bytes(b"x")
    keep(models, "odd")
    (tmp_path / "odd.json").write_bytes(b"{")
    keep(models, "bare")
    (tmp_path / "bare.json").unlink()
    assert [models.find(key) for key in ("cut", "odd", "bare")] == [None, None, None]


def test_those_used_longest_ago_make_room(tmp_path: Path) -> None:
    """The models that were used longest ago are removed first; finding one counts as use."""
    models = store(tmp_path, most=3 * MODEL_BYTES)
    for key in ("a", "b", "c"):
        keep(models, key)
    assert models.find("a")
    keep(models, "d")
    assert [key for key in "abcd" if models.find(key)] == ["a", "c", "d"]
    assert not (tmp_path / "b.blob").exists()


def test_what_is_not_worth_it_or_has_no_room_is_not_written(tmp_path: Path) -> None:
    """Small models, models above the bound, with bound 0 or a full disk are not kept."""
    with (
        store(tmp_path, least=LEAST_BYTES).scratch(LEAST_BYTES - 1) as small,
        store(tmp_path).scratch(1001) as large,
        store(tmp_path, most=0).scratch(1) as unwanted,
        store(tmp_path, most=1 << 60).scratch(1 << 59) as beyond,
    ):
        assert (small, large, unwanted, beyond) == (None, None, None, None)
    assert list(tmp_path.iterdir()) == []


def test_a_runtime_that_writes_nothing_keeps_nothing(tmp_path: Path) -> None:
    """A runtime that writes nothing, or unknown files, keeps no model."""
    models = store(tmp_path)
    with models.scratch(1) as scratch:
        assert scratch is not None
        (scratch / "a.blob").touch()
        (scratch / "b.blob").touch()
        models.keep("k", scratch, parameters=1, unread=(), answers=b"")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_costs_a_line(tmp_path: Path) -> None:
    """If the folder cannot be made, one line is logged and no error is raised."""
    (tmp_path / "file").touch()
    models = store(tmp_path / "file" / "folder")
    with capture_logs() as logs, models.scratch(1) as scratch:
        assert scratch is None
    assert [one["event"] for one in logs] == ["compiled models cannot be kept"]
    assert models.find("k") is None


def test_a_model_that_cannot_be_moved_costs_a_line(tmp_path: Path) -> None:
    """If the file cannot be moved into place, one line is logged and no error is raised."""
    models = store(tmp_path / "there")
    with models.scratch(1) as scratch, capture_logs() as logs:
        assert scratch is not None
        (scratch / "1.blob").write_bytes(b"x")
        (tmp_path / "there" / "k.blob").mkdir()
        models.keep("k", scratch, parameters=1, unread=(), answers=b"")
    assert [one["event"] for one in logs] == ["a compiled model cannot be kept"]


def test_what_is_of_no_use_is_forgotten(tmp_path: Path) -> None:
    """A model can be forgotten, also twice."""
    models = store(tmp_path)
    keep(models, "k")
    found = models.find("k")
    assert found is not None
    models.forget(found)
    models.forget(found)
    assert list(tmp_path.iterdir()) == []


def test_what_a_process_that_died_left_behind_is_taken_away(tmp_path: Path) -> None:
    """Leftover files are removed once they are a day old; newer ones stay."""
    for name, age_s in {"writing-old": 25 * 3600, "writing-new": 60}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.blob").write_bytes(b"x")
        then_s = time.time() - age_s
        os.utime(tmp_path / name, (then_s, then_s))
    keep(store(tmp_path), "k")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["k.blob", "k.json", "writing-new"]


def test_damage_anywhere_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed byte is found in each piece of a file and each block of a piece."""
    monkeypatch.setattr("earmark.runtime.compiled._PIECE", 40)
    monkeypatch.setattr("earmark.runtime.compiled._BLOCK", 16)
    models = store(tmp_path)
    content = bytes(range(MODEL_BYTES))
    keep(models, "k", content)
    found = models.find("k")
    assert found is not None
    words = [int.from_bytes(content[at : at + 8], "little") for at in range(0, MODEL_BYTES, 8)]
    assert found.facts.sums == tuple(sum(words[at : at + 5]) % 2**64 for at in (0, 5, 10))
    assert found.read().tobytes() == content
    for place in (0, 15, 16, 39, 40, 79, 80, 99):
        found.blob.write_bytes(content[:place] + b"\xff" + content[place + 1 :])
        with pytest.raises(EngineError, match="damaged"):
            found.read()
    found.blob.write_bytes(content[:-1])
    with pytest.raises(EngineError, match="damaged"):
        found.read()
