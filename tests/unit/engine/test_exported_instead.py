"""An exported graph runs wherever none can be written from the weights."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file
from structlog.testing import capture_logs
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.hub_stand_in import HubRepo, running_hub
from support.onnx_models import OnnxSpec, expected_logits, write_onnx

from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.hub.access import HubAccess
from earmark.checkpoint.ref import FolderRef, read_ref
from earmark.domain.texts import Question, TextInput
from earmark.engine.load import EngineOptions, load_engine
from earmark.engine.preview import read_facts
from earmark.errors import CheckpointError, UnsupportedCheckpoint
from earmark.tasks.text_classification import TextClassification
from earmark.tokenizing.load import load_tokenizer

TEXT = "the good film"
OPTIONS = EngineOptions(threads=1, precision="float32")
TOLERANCE = 1e-5
"""Scores of a tiny model; float32 sums in another order differ by far less."""


def edit(folder: Path, **changes: object) -> None:
    """Change fields of a config; an ellipsis takes a field away."""
    path = folder / "config.json"
    fields = json.loads(path.read_text("utf-8")) | changes
    path.write_text(json.dumps({k: v for k, v in fields.items() if v is not ...}), "utf-8")


def rename_tensors(folder: Path) -> None:
    """Give the tensors names that no architecture has."""
    path = folder / "model.safetensors"
    save_file({f"net.{name}.x": one for name, one in load_file(path).items()}, path)


def rename_one_tensor(folder: Path) -> None:
    """Give one tensor within a layer another name: the head is there, the encoder is not."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    tensors["other"] = tensors.pop("bert.encoder.layer.0.output.dense.weight")
    save_file(tensors, path)


REASONS: dict[str, Callable[[Path], object]] = {
    "a class of others": lambda folder: edit(
        folder, architectures=["JinaBertForSequenceClassification"], auto_map={"AutoModel": "x.X"}
    ),
    "no model_type": lambda folder: edit(folder, model_type=..., architectures=...),
    "no model_type, null": lambda folder: edit(folder, model_type=None, architectures=None),
    "an unknown model_type": lambda folder: edit(folder, model_type="nomic_bert"),
    "tensors of other names": rename_tensors,
    "a tensor of another name": rename_one_tensor,
    "a config that no graph obeys": lambda folder: edit(folder, hidden_act="none-such"),
    "a size that is missing": lambda folder: edit(folder, hidden_size=...),
    "weights that cannot be read": lambda folder: (folder / "model.safetensors").write_bytes(b"x"),
    "a pointer of Git LFS": lambda folder: (folder / "model.safetensors").write_text(
        "version https://git-lfs.github.com/spec/v1\n"
    ),
    "an adapter": lambda folder: (folder / "adapter_config.json").write_text("{}"),
}


@pytest.mark.parametrize("reason", REASONS)
def test_an_exported_graph_runs_where_none_can_be_written(reason: str, tmp_path: Path) -> None:
    """The scores equal those computed by hand, and the facts say that the exported graph runs."""
    folder = write_checkpoint(tmp_path, CheckpointSpec(num_labels=3))
    edit(folder, problem_type="regression")  # scores are logits
    REASONS[reason](folder)
    with pytest.raises(CheckpointError):
        load_engine(FolderRef(folder), options=OPTIONS)
    spec = OnnxSpec(types=False)
    write_onnx(folder / "onnx" / "model.onnx", spec)
    facts = read_facts(FolderRef(folder), model_id="x")
    engine = load_engine(FolderRef(folder), options=OPTIONS)
    try:
        assert "own ONNX graph" in engine.info.compute_note
        assert (facts.tasks, facts.labels) == (engine.info.tasks, engine.info.labels)
        (result,) = engine.answer_blocking(TextClassification((TextInput(TEXT),))).results()
    finally:
        engine.close()
    tokenizer = load_tokenizer(LocalRepository.open(folder))
    ((encoding,),) = tokenizer.encode([Question(0, TextInput(TEXT))], max_tokens=48)
    expected = expected_logits(encoding, spec)
    found = {one.label: one.score for one in result.scores}
    for index, logit in enumerate(expected.tolist()):
        assert found[f"LABEL_{index}"] == pytest.approx(logit, abs=TOLERANCE)


@pytest.mark.parametrize("head", ["sequence", "token"])
def test_the_head_of_a_graph_without_a_class_is_told_from_its_logits(
    head: str, tmp_path: Path
) -> None:
    """The head follows from the axes of the logits; the last axis gives the number of labels."""
    folder = write_checkpoint(tmp_path, CheckpointSpec(num_labels=3))
    edit(folder, architectures=..., model_type=..., id2label=..., label2id=...)
    (folder / "model.safetensors").unlink()
    # Any: pytest hands the head on as text.
    write_onnx(folder / "model.onnx", OnnxSpec(head=head))  # type: ignore[arg-type]
    facts = read_facts(FolderRef(folder), model_id="x")
    assert facts.architecture == "unknown"
    assert facts.labels.names == ("LABEL_0", "LABEL_1", "LABEL_2")
    expected = "text-classification" if head == "sequence" else "token-classification"
    assert facts.task == expected


def test_a_graph_that_does_not_run_either_is_told_with_both_reasons(tmp_path: Path) -> None:
    """The error says why the weights cannot be used, and what is wrong with the graph."""
    folder = write_checkpoint(tmp_path, CheckpointSpec(num_labels=3))
    edit(folder, architectures=["JinaBertForSequenceClassification"])
    write_onnx(folder / "onnx" / "model.onnx", OnnxSpec(extra=True))
    with pytest.raises(UnsupportedCheckpoint, match=r"class is JinaBert.*nor does.*pixel_values"):
        load_engine(FolderRef(folder), options=OPTIONS)


def test_why_no_graph_was_written_is_in_the_log(tmp_path: Path) -> None:
    """The log says why the exported graph runs and none was written."""
    folder = write_checkpoint(tmp_path, CheckpointSpec(num_labels=3))
    rename_one_tensor(folder)
    write_onnx(folder / "onnx" / "model.onnx", OnnxSpec())
    with capture_logs() as logs:
        load_engine(FolderRef(folder), options=OPTIONS).close()
    (line,) = [one for one in logs if "exported graph runs" in one["event"]]
    assert "encoder.layer.0.output.dense.weight" in line["reason"]


@pytest.mark.parametrize("reason", ["a tensor of another name", "an adapter"])
def test_the_graph_is_fetched_when_the_weights_turn_out_not_to_do(
    reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a model of the Hub, the exported graph is fetched once the weights prove unusable."""
    folder = write_checkpoint(tmp_path / "repo", CheckpointSpec(num_labels=3))
    REASONS[reason](folder)
    write_onnx(folder / "onnx" / "model.onnx", OnnxSpec(external="model.onnx_data"))
    with running_hub({"org/name": HubRepo.of(folder)}) as hub:
        access = HubAccess(endpoint=hub.url, cache=tmp_path / "cache")
        monkeypatch.setattr(HubAccess, "of_environment", lambda: access)
        for _ in range(2):
            engine = load_engine(read_ref("org/name"), options=OPTIONS)
            try:
                assert "own ONNX graph" in engine.info.compute_note
            finally:
                engine.close()
        assert {"model.safetensors", "onnx/model.onnx", "onnx/model.onnx_data"} <= hub.files_asked()
