"""A model held against `transformers`: what passes, and what is caught."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file
from structlog.testing import capture_logs
from support.checkpoint_spec import Architecture, Head
from support.checkpoints import CheckpointSpec, ModernBertSpec, write_checkpoint

from earmark.batching.packer import BatchLimits
from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.ref import FolderRef
from earmark.engine.certificate import TOLERANCES, ReferenceKind
from earmark.engine.load import EngineOptions, load_engine
from earmark.engine.model import OpenedModel, open_model
from earmark.engine.settle import RunOptions, Settled, settle
from earmark.engine.ways.graph import GraphWay
from earmark.errors import EngineError
from earmark.graph.architectures.registry import find_architecture
from earmark.graph.precision import Precision

LIMITS = BatchLimits(256)
QUERY = "bert.encoder.layer.0.attention.self.query.weight"
VALUE = "bert.encoder.layer.0.attention.self.value.weight"


def settled(model: OpenedModel, precision: Precision, reference: ReferenceKind) -> Settled:
    """Start a model, hold it against its reference, and close it."""
    options = RunOptions(precision=precision, runtime="openvino", threads=1, reference=reference)
    found = settle(model, "its files", LIMITS, options)
    found.session.close()
    return found


@pytest.mark.parametrize(
    ("architecture", "head"), [("bert", "sequence"), ("roberta", "token"), ("deberta-v2", "token")]
)
def test_a_right_graph_is_certified(tmp_path: Path, architecture: Architecture, head: Head) -> None:
    """float32 is a thousandth of the tolerance away from what `transformers` answers."""
    spec = CheckpointSpec(architecture=architecture, head=head, num_labels=3)
    model = open_model(LocalRepository.open(write_checkpoint(tmp_path, spec)))
    certificate = settled(model, "float32", "transformers").certificate
    assert certificate is not None
    assert certificate.holds
    assert certificate.reference.startswith("transformers 5")
    assert certificate.greatest_difference < TOLERANCES["float32"] / 100


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> OpenedModel:
    """A model whose graph has two weights swapped that its files have in the right places."""
    folder = tmp_path_factory.mktemp("swapped")
    right = write_checkpoint(folder / "right", CheckpointSpec(num_labels=3))
    swapped = Path(shutil.copytree(right, folder / "wrong"))
    tensors = load_file(right / "model.safetensors")
    tensors[QUERY], tensors[VALUE] = tensors[VALUE], tensors[QUERY]
    save_file(tensors, swapped / "model.safetensors")
    model = open_model(LocalRepository.open(right))
    architecture, head = find_architecture(model.config)
    wrong = GraphWay(LocalRepository.open(swapped), model.config, architecture, head)
    return replace(model, way=wrong)


def test_a_graph_with_two_weights_swapped_is_caught(broken: OpenedModel) -> None:
    """No precision of it agrees with `transformers`, and `auto` does not serve it."""
    with pytest.raises(EngineError, match=r"no precision agrees.*float32 is .* from transformers"):
        settled(broken, "auto", "transformers")


def test_held_against_itself_a_broken_graph_passes(broken: OpenedModel) -> None:
    """Which is why there is another reference to ask for."""
    certificate = settled(broken, "int8", "float32").certificate
    assert certificate is not None
    assert certificate.holds


def test_a_broken_graph_asked_for_by_name_is_told(broken: OpenedModel) -> None:
    """The operator's word counts; the log and the certificate say what was found."""
    with capture_logs() as logs:
        certificate = settled(broken, "float32", "transformers").certificate
    assert certificate is not None
    assert not certificate.holds
    assert certificate.greatest_difference > TOLERANCES["float32"]
    assert "the model is further from its reference than it should be" in [
        one["event"] for one in logs
    ]


def test_weights_that_transformers_cannot_read_are_held_against_float32(tmp_path: Path) -> None:
    """Quantised ones need further packages; the log says what is done instead."""
    spec = CheckpointSpec(storage="int8", num_labels=3)
    model = open_model(LocalRepository.open(write_checkpoint(tmp_path, spec)))
    with capture_logs() as logs:
        certificate = settled(model, "int8", "transformers").certificate
    assert certificate is not None
    assert (certificate.precision, certificate.reference) == ("int8", "float32")
    assert [one["log_level"] for one in logs] == ["warning"]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (CheckpointSpec(position_type="relative_key"), "position_embedding_type"),
        (
            CheckpointSpec(
                architecture="modernbert", modernbert=ModernBertSpec(thetas=(20.0, None))
            ),
            "local_rope_theta",
        ),
    ],
    ids=["distances", "one theta"],
)
def test_what_the_newest_release_does_not_compute_is_held_against_float32(
    tmp_path: Path, spec: CheckpointSpec, reason: str
) -> None:
    """A right graph is not called wrong by a reference that leaves a part of the model out."""
    folder = str(write_checkpoint(tmp_path, spec))
    with capture_logs() as logs:
        load_engine(
            FolderRef(Path(folder)), options=EngineOptions(threads=1, reference="transformers")
        ).close()
    assert [reason in entry["reason"] for entry in logs] == [True]


def test_a_reference_that_fails_says_why(tmp_path: Path) -> None:
    """In the words of the process that failed."""
    model = open_model(LocalRepository.open(write_checkpoint(tmp_path, CheckpointSpec())))
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(config | {"hidden_act": "none such"}))
    with pytest.raises(EngineError, match=r"cannot be held against transformers: .*none such"):
        settled(model, "float32", "transformers")


def test_a_model_that_pytorch_runs_is_its_own_reference(tmp_path: Path) -> None:
    """There is nothing to compare."""
    folder = write_checkpoint(tmp_path, CheckpointSpec())
    options = EngineOptions(runtime="pytorch", threads=1, reference="transformers")
    engine = load_engine(FolderRef(folder), options=options)
    engine.close()
    assert engine.info.certificate is None
