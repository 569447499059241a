"""A second start uses the compiled model that the first one kept, and answers the same."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from structlog.testing import capture_logs
from support.checkpoint_spec import Architecture, Head
from support.checkpoints import CheckpointSpec, write_checkpoint

import earmark.errors
from earmark.checkpoint.ref import FolderRef
from earmark.domain.texts import TextInput
from earmark.engine.engine import Engine
from earmark.engine.load import EngineOptions, load_engine
from earmark.engine.probes import PROBES
from earmark.graph.precision import ComputePrecision
from earmark.runtime.compiled import CompiledModels
from earmark.tasks.text_classification import TextClassification
from earmark.tasks.token_classification import TokenClassification

TEXTS = ("good film", "a much longer text about a film that nobody has seen", "a")


@pytest.fixture
def options(tmp_path: Path) -> EngineOptions:
    """Keep every model, however small."""
    compiled = CompiledModels(tmp_path / "cache", most_bytes=10**9, least_weights_bytes=0)
    return EngineOptions(threads=1, precision="float32", reference="off", compiled=compiled)


def blobs(tmp_path: Path) -> set[tuple[str, int, int]]:
    """Return the name, inode and time of change of each kept file."""
    found = {path: path.stat() for path in (tmp_path / "cache").glob("*.blob")}
    return {(path.name, stat.st_ino, stat.st_mtime_ns) for path, stat in found.items()}


def answers(engine: Engine) -> list[object]:
    """Answer all texts, and close the engine."""
    try:
        if engine.info.task == "token-classification":
            request = TokenClassification(TEXTS, strategy="none", ignore_labels=frozenset())
            return list(engine.answer_blocking(request).results())
        return list(
            engine.answer_blocking(TextClassification(tuple(map(TextInput, TEXTS)))).results()
        )
    finally:
        engine.close()


@pytest.mark.parametrize(
    ("architecture", "head"),
    [
        ("bert", "sequence"),
        ("deberta-v2", "token"),
        ("modernbert", "sequence"),
        ("roberta", "token"),
    ],
)
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_second_start_answers_the_same(
    architecture: Architecture,
    head: Head,
    precision: ComputePrecision,
    tmp_path: Path,
    options: EngineOptions,
) -> None:
    """A second start gives the same bits and facts, and compiles and writes nothing."""
    spec = CheckpointSpec(architecture=architecture, head=head, num_labels=3)
    folder = FolderRef(write_checkpoint(tmp_path / "model", spec))
    chosen = replace(options, precision=precision)
    first = load_engine(folder, options=chosen)
    kept = blobs(tmp_path)
    assert len(kept) == 1
    second = load_engine(folder, options=chosen)
    assert blobs(tmp_path) == kept
    assert second.info.parameters == first.info.parameters > 0
    assert second.info.compute_note == first.info.compute_note
    assert answers(first) == answers(second)


def test_other_files_are_compiled_anew(tmp_path: Path, options: EngineOptions) -> None:
    """Other files and another precision are compiled anew; the old compiled model stays."""
    folder = write_checkpoint(tmp_path / "model", CheckpointSpec())
    before = answers(load_engine(FolderRef(folder), options=options))
    path = folder / "model.safetensors"
    tensors = load_file(path)
    tensors["classifier.bias"] += np.asarray([0.5, 0], np.float32)
    save_file(tensors, path)
    assert answers(load_engine(FolderRef(folder), options=options)) != before
    assert len(blobs(tmp_path)) == 2
    load_engine(FolderRef(folder), options=replace(options, precision="int8")).close()
    assert len(blobs(tmp_path)) == 3


@pytest.mark.parametrize("damage", ["head", "middle", "weights"])
def test_a_damaged_file_is_compiled_anew(
    damage: str, tmp_path: Path, options: EngineOptions
) -> None:
    """A damaged compiled model is compiled anew with a warning, and is whole afterwards."""
    folder = FolderRef(write_checkpoint(tmp_path / "model", CheckpointSpec()))
    before = answers(load_engine(folder, options=options))
    (blob,) = (tmp_path / "cache").glob("*.blob")
    whole = blob.read_bytes()
    place = {"head": 0, "middle": 300, "weights": len(whole) - 400}[damage]
    blob.write_bytes(whole[:place] + b"\x41" * 300 + whole[place + 300 :])
    with capture_logs() as logs:
        assert answers(load_engine(folder, options=options)) == before
    assert [one["event"] for one in logs] == ["a compiled model is of no use"]
    with capture_logs() as logs:
        assert answers(load_engine(folder, options=options)) == before
    assert logs == []


def test_a_file_cut_short_below_a_running_model_changes_nothing(
    tmp_path: Path, options: EngineOptions
) -> None:
    """Cutting the kept file short does not change the answers of a running model."""
    folder = FolderRef(write_checkpoint(tmp_path / "model", CheckpointSpec()))
    before = answers(load_engine(folder, options=options))
    engine = load_engine(folder, options=options)
    (blob,) = (tmp_path / "cache").glob("*.blob")
    os.truncate(blob, 0)
    assert answers(engine) == before


_TAKING_UP = """
import sys, time
from pathlib import Path
from earmark.checkpoint.ref import FolderRef
from earmark.engine.load import EngineOptions, load_engine
from earmark.runtime import openvino
from earmark.runtime.compiled import CompiledModels

openvino.reopen_openvino = lambda *_: (print("there", flush=True), time.sleep(600))
kept = CompiledModels(Path(sys.argv[2]), most_bytes=10**9, least_weights_bytes=0)
options = EngineOptions(threads=1, precision="float32", reference="off", compiled=kept)
load_engine(FolderRef(Path(sys.argv[1])), options=options)
"""


def _taking_up(folder: FolderRef, cache: Path) -> "subprocess.Popen[str]":
    """Start a process that begins to load the kept model, says so, and stays there."""
    environment = os.environ | {"PYTHONPATH": str(Path(earmark.errors.__file__).parents[1])}
    return subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", _TAKING_UP, str(folder), str(cache)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="there, no lock tells who lives")
def test_a_model_over_which_a_process_died_is_not_tried_again(
    tmp_path: Path, options: EngineOptions
) -> None:
    """A kept model on which a process died is not used; the mark of a living one is ignored."""
    folder = FolderRef(write_checkpoint(tmp_path / "model", CheckpointSpec()))
    before = answers(load_engine(folder, options=options))
    kept = blobs(tmp_path)
    (blob,) = (tmp_path / "cache").glob("*.blob")
    mark = blob.with_suffix(".taken-up")
    with _taking_up(folder, tmp_path / "cache") as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "there\n"
        assert mark.exists()
        living = CompiledModels(tmp_path / "cache", most_bytes=10**9).find(blob.stem)
        assert living is not None
        other.kill()
    assert mark.exists()
    with capture_logs() as logs:
        assert answers(load_engine(folder, options=options)) == before
    assert [one["event"] for one in logs] == ["a process ended while it took up a compiled model"]
    assert blobs(tmp_path) != kept
    assert not mark.exists()


def _tampered(cache: Path, change: Callable[[NDArray[np.float32]], object]) -> None:
    """Change the kept answers to the probes, as if the model had answered otherwise."""
    (facts_file,) = cache.glob("*.json")
    facts = json.loads(facts_file.read_text())
    kept = np.frombuffer(base64.b64decode(facts["answers"]), "<f4").copy()
    change(kept)
    facts["answers"] = base64.b64encode(kept.tobytes()).decode()
    facts_file.write_text(json.dumps(facts))


@pytest.mark.parametrize("head", ["sequence", "token"])
def test_a_model_that_answers_otherwise_than_when_it_was_kept_is_compiled_anew(
    head: Head, tmp_path: Path, options: EngineOptions
) -> None:
    """A kept model whose answers differ by more than the tolerance, 0.001, is compiled anew."""
    spec = CheckpointSpec(head=head, num_labels=3)
    folder = FolderRef(write_checkpoint(tmp_path / "model", spec))
    before = answers(load_engine(folder, options=options))
    kept = blobs(tmp_path)

    def add(amount: float, place: int) -> None:
        def change(logits: NDArray[np.float32]) -> None:
            logits[place] += amount

        _tampered(tmp_path / "cache", change)
        with capture_logs() as logs:
            assert answers(load_engine(folder, options=options)) == before
        told.append([one["event"] for one in logs])

    told: list[list[object]] = []
    add(1e-5, 0)
    assert blobs(tmp_path) == kept
    add(0.1, -1)
    assert blobs(tmp_path) != kept
    assert told == [[], ["a compiled model is of no use"]]


def test_all_probes_are_asked_of_a_small_model(tmp_path: Path, options: EngineOptions) -> None:
    """The kept file of a small model has the answers to all 28 probes: two labels, four bytes."""
    folder = FolderRef(write_checkpoint(tmp_path / "model", CheckpointSpec(num_labels=2)))
    load_engine(folder, options=options).close()
    (facts_file,) = (tmp_path / "cache").glob("*.json")
    kept = base64.b64decode(json.loads(facts_file.read_text())["answers"])
    assert len(kept) == len(PROBES) * 2 * 4 == 224


def test_tensors_that_are_left_over_are_told_each_time(
    tmp_path: Path, options: EngineOptions
) -> None:
    """Unread tensors are logged at the second start too, which does not read them."""
    folder = write_checkpoint(tmp_path / "model", CheckpointSpec())
    path = folder / "model.safetensors"
    save_file({**load_file(path), "qa_outputs.weight": np.ones((2, 2), np.float32)}, path)
    for _ in range(2):
        with capture_logs() as logs:
            load_engine(FolderRef(folder), options=options).close()
        assert [entry["tensors"] for entry in logs] == [("qa_outputs.weight",)]


def test_a_folder_that_fails_while_it_is_written_to_fails_no_load(
    tmp_path: Path, options: EngineOptions
) -> None:
    """If the cache cannot be written, the model is compiled without it, and the log says so."""

    class Gone(CompiledModels):
        @contextmanager
        def scratch(self, weights_bytes: int) -> Iterator[Path | None]:  # noqa: ARG002 - the offer
            (tmp_path / "file").touch()
            yield tmp_path / "file" / "folder"

    folder = FolderRef(write_checkpoint(tmp_path / "model", CheckpointSpec()))
    expected = answers(load_engine(folder, options=replace(options, compiled=None)))
    failing = replace(options, compiled=Gone(tmp_path / "cache", most_bytes=10**9))
    with capture_logs() as logs:
        assert answers(load_engine(folder, options=failing)) == expected
    assert [one["event"] for one in logs] == ["a model is compiled again, without keeping it"]


def test_a_reference_is_not_kept(tmp_path: Path, options: EngineOptions) -> None:
    """The compiled model of a reference is not kept."""
    folder = FolderRef(write_checkpoint(tmp_path / "model", CheckpointSpec()))
    chosen = replace(options, precision="int8", reference="float32")
    load_engine(folder, options=chosen).close()
    assert len(blobs(tmp_path)) == 1


def test_a_model_that_is_in_use_may_be_taken_away(tmp_path: Path, options: EngineOptions) -> None:
    """A compiled model that is deleted during use still answers."""
    if os.name == "nt":
        pytest.skip("a file in use cannot be taken away on Windows")
    folder = FolderRef(write_checkpoint(tmp_path / "model", CheckpointSpec()))
    before = answers(load_engine(folder, options=options))
    engine = load_engine(folder, options=options)
    for path in (tmp_path / "cache").iterdir():
        path.unlink()
    assert answers(engine) == before
