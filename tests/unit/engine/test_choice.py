"""Which way a checkpoint is run in, and the error where there is none."""

from pathlib import Path

import pytest
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.foreign_checkpoints import write_foreign_folder
from support.onnx_models import OnnxSpec, write_onnx

from earmark.checkpoint.config import read_config
from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.ref import FolderRef
from earmark.engine.load import EngineOptions, load_engine
from earmark.engine.model import OpenedModel, open_model
from earmark.engine.ways.choice import WayChoice, choose_way
from earmark.engine.ways.foreign import USUAL_MAX_TOKENS, foreign_max_tokens, padded_form
from earmark.errors import (
    CheckpointNotFound,
    InvalidCheckpoint,
    UnsupportedCheckpoint,
    UnsupportedDevice,
)
from earmark.runtime.session import RuntimeName
from earmark.tokenizing.load import load_tokenizer


def choose(folder: Path, *, runtime: RuntimeName = "openvino", pytorch: bool = False) -> WayChoice:
    """Choose for a folder."""
    repository = LocalRepository.open(folder)
    config = read_config(folder / "config.json")
    return choose_way(repository, config, runtime=runtime, pytorch=pytorch)


def way_of(choice: WayChoice) -> tuple[str, str]:
    """Return the way, and the head it is for."""
    return choice.kind, choice.head


def test_a_graph_of_our_own_comes_first(tmp_path: Path) -> None:
    """A written graph is chosen where an exported one is there as well."""
    write_checkpoint(tmp_path, CheckpointSpec())
    write_onnx(tmp_path / "onnx" / "model.onnx", OnnxSpec())
    assert choose(tmp_path, pytorch=True).kind == "graph"


def test_an_exported_graph_comes_before_pytorch(tmp_path: Path) -> None:
    """An exported graph is chosen before PyTorch where no graph can be written."""
    write_checkpoint(tmp_path, CheckpointSpec())
    weights = (tmp_path / "model.safetensors").read_bytes()
    write_foreign_folder(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(weights)
    write_onnx(tmp_path / "onnx" / "model.onnx", OnnxSpec())
    assert choose(tmp_path, pytorch=True).kind == "onnx"
    write_checkpoint(tmp_path, CheckpointSpec(head="token"))
    (tmp_path / "model.safetensors").unlink()
    assert way_of(choose(tmp_path)) == ("onnx", "token")


def foreign_weights(folder: Path) -> Path:
    """Write a folder of a foreign architecture that has weights."""
    write_checkpoint(folder, CheckpointSpec())
    weights = (folder / "model.safetensors").read_bytes()
    write_foreign_folder(folder, head="token")
    (folder / "model.safetensors").write_bytes(weights)
    return folder


def test_pytorch_runs_what_nothing_else_does_where_it_is_installed(tmp_path: Path) -> None:
    """PyTorch is chosen where nothing else runs the model, or the operator asks for it."""
    foreign_weights(tmp_path)
    assert way_of(choose(tmp_path, pytorch=True)) == ("pytorch", "token")
    write_checkpoint(tmp_path, CheckpointSpec())
    assert way_of(choose(tmp_path, runtime="pytorch")) == ("pytorch", "sequence")


def test_without_pytorch_the_message_says_what_would_help(tmp_path: Path) -> None:
    """The error says what was found and supported, and names the extra and the export."""
    foreign_weights(tmp_path)
    with pytest.raises(
        UnsupportedCheckpoint,
        match=r"'convbert'; supported are bert, .*earmark\[torch\].*optimum-cli export onnx",
    ):
        choose(tmp_path)


def test_a_folder_with_nothing_to_run_is_told_so(tmp_path: Path) -> None:
    """The error for a folder without weights names every usable form and what is there."""
    write_foreign_folder(tmp_path)
    with pytest.raises(CheckpointNotFound, match=r"onnx/model\.onnx.*it holds config\.json"):
        choose(tmp_path, pytorch=True)


def test_a_class_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A class for filling masks is refused."""
    write_foreign_folder(tmp_path, fields={"architectures": ["ConvBertForMaskedLM"]})
    with pytest.raises(UnsupportedCheckpoint, match=r"ConvBertForMaskedLM .*ForTokenClass"):
        choose(tmp_path)


def test_pytorch_that_is_not_installed_is_named(tmp_path: Path) -> None:
    """`--runtime pytorch` without PyTorch is an error that says how to install it."""
    write_checkpoint(tmp_path, CheckpointSpec())
    with pytest.raises(UnsupportedDevice, match=r"pip install 'earmark\[torch\]'"):
        load_engine(FolderRef(tmp_path), options=EngineOptions(runtime="pytorch"))


def test_a_graph_of_our_own_is_not_run_by_pytorch(tmp_path: Path) -> None:
    """A written graph refuses PyTorch as its runtime."""
    way = open_model(LocalRepository.open(write_checkpoint(tmp_path, CheckpointSpec()))).way
    with pytest.raises(UnsupportedDevice, match="PyTorch runs no graphs"):
        way.start("float32", runtime="pytorch", threads=1)


@pytest.mark.parametrize(
    ("fields", "model_type", "expected"),
    [
        ({}, "convbert", 48),
        ({"max_position_embeddings": 514, "pad_token_id": 1}, "longformer", 512),
        ({"max_position_embeddings": None, "n_positions": 64}, "gpt2", 64),
        ({"max_position_embeddings": None}, "funnel", USUAL_MAX_TOKENS),
        ({"max_position_embeddings": 50, "pad_token_id": 1}, "roberta", 48),
    ],
)
def test_the_longest_text_is_what_config_or_tokenizer_say(
    fields: dict[str, object], model_type: str, expected: int, tmp_path: Path
) -> None:
    """The longest text is the config's positions or the tokenizer's maximum, else 512 tokens."""
    write_foreign_folder(tmp_path, model_type=model_type, fields=fields)
    tokenizer = load_tokenizer(LocalRepository.open(tmp_path))
    config = read_config(tmp_path / "config.json")
    assert foreign_max_tokens(config, tokenizer) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({"pad_token_id": 7}, 7), ({"pad_token_id": None}, 0), ({"pad_token_id": -1}, 0)],
)
def test_rows_are_filled_up_with_what_the_config_says(
    fields: dict[str, object], expected: int, tmp_path: Path
) -> None:
    """Padding is the config's token, then the tokenizer's own, then token 0."""
    write_foreign_folder(tmp_path, fields=fields)
    repository = LocalRepository.open(tmp_path)
    form = padded_form(
        repository,
        read_config(tmp_path / "config.json"),
        load_tokenizer(repository),
        head="sequence",
        max_tokens=48,
    )
    assert form.pad_id == expected


def open_for_pytorch(folder: Path, spec: CheckpointSpec) -> OpenedModel:
    """Open a folder with PyTorch as the runtime, which need not be installed."""
    repository = LocalRepository.open(write_checkpoint(folder, spec))
    return open_model(repository, runtime="pytorch")


def test_pytorch_is_told_what_the_files_say(tmp_path: Path) -> None:
    """The weights and their type are known before PyTorch loads them."""
    model = open_for_pytorch(tmp_path, CheckpointSpec(storage="float16"))
    stored = choose(tmp_path, runtime="pytorch").stored(LocalRepository.open(tmp_path))
    assert (model.way.kind, model.way.stored_precision) == ("pytorch", "float16")
    assert model.way.parameters == stored.parameters > 0
    assert stored.size_bytes == (tmp_path / "model.safetensors").stat().st_size


def test_quantised_weights_are_not_for_pytorch(tmp_path: Path) -> None:
    """Quantised weights are refused for PyTorch, which would need further code."""
    with pytest.raises(UnsupportedCheckpoint, match=r"quantised \(compressed-tensors\)"):
        open_for_pytorch(tmp_path, CheckpointSpec(storage="int8"))


def test_pytorch_makes_no_int8(tmp_path: Path) -> None:
    """int8 with PyTorch is refused."""
    way = open_for_pytorch(tmp_path, CheckpointSpec()).way
    with pytest.raises(UnsupportedDevice, match="not run in int8"):
        way.start("int8", runtime="pytorch", threads=1)


def test_stored_weights_of_a_graph_are_those_of_its_files(tmp_path: Path) -> None:
    """The facts have the weights of the graph's files; a missing file is named."""
    write_foreign_folder(tmp_path)
    path = write_onnx(tmp_path / "onnx" / "model.onnx", OnnxSpec(external="w.data"))
    repository = LocalRepository.open(tmp_path)
    stored = choose(tmp_path).stored(repository)
    sizes = [one.stat().st_size for one in path.parent.iterdir()]
    assert (stored.parameters, stored.precision) == (8 * (320 + 2 + 64 + 8 + 3), "float32")
    assert stored.size_bytes == sum(sizes)
    (path.parent / "w.data").unlink()
    with pytest.raises(CheckpointNotFound, match="lacks a file of weights"):
        choose(tmp_path).stored(repository)


def test_a_foreign_config_need_not_count_its_vocabulary(tmp_path: Path) -> None:
    """`vocab_size` is optional; where it is there, the special tokens have to be within it."""
    write_foreign_folder(tmp_path, fields={"vocab_size": None})
    write_onnx(tmp_path / "model.onnx", OnnxSpec())
    assert open_model(LocalRepository.open(tmp_path)).way.kind == "onnx"
    write_foreign_folder(tmp_path, fields={"vocab_size": 7})
    assert open_model(LocalRepository.open(tmp_path)).rows == 7
    write_foreign_folder(tmp_path, fields={"vocab_size": 2})
    with pytest.raises(InvalidCheckpoint, match="embeddings for 2"):
        open_model(LocalRepository.open(tmp_path))
