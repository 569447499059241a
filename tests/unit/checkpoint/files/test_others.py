"""Errors for folders without a checkpoint, or with the pointers of one."""

import re
from pathlib import Path

import pytest

from earmark.checkpoint.config import read_config
from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.files.others import explain_others
from earmark.checkpoint.onnx_file import read_onnx
from earmark.checkpoint.weights.files import WEIGHT_FILES, open_tensors
from earmark.errors import CheckpointNotFound, InvalidCheckpoint

POINTER = """version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 267832558
"""
"""As Git LFS writes it (docs/spec.md there)."""


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["adapter_config.json", "adapter_model.safetensors"], r"an adapter.*`merge_and_unload`"),
        (["modules.json", "1_Pooling/config.json"], "sentence-transformers model of several"),
        (["model-q4_0.gguf"], r"GGUF weights of llama\.cpp"),
        (["tf_model.h5"], "TensorFlow weights.*from_tf=True"),
        (["tf_model.h5.index.json", "tf_model-00001-of-00002.h5"], "TensorFlow weights"),
        (["bert_model.ckpt.index", "model.ckpt.meta"], "a TensorFlow checkpoint"),
        (["flax_model.msgpack"], "Flax weights.*from_flax=True"),
        (["rust_model.ot"], "weights of rust-bert"),
        (["openvino_model.xml", "openvino_model.bin"], "a graph of OpenVINO"),
        (["onnx/model_quantized.onnx"], r"rename onnx/model_quantized\.onnx to onnx/model\.onnx"),
        (["model_int8.onnx", "vocab.txt"], r"rename model_int8\.onnx to onnx/model\.onnx"),
        (["training_args.bin", "optimizer.pt"], "the state of a training run"),
        (["best.safetensors"], "no name under which weights are looked for"),
        (["pytorch_model.pt"], "no name under which weights are looked for"),
        (["README.md", "vocab.txt"], "^$"),
    ],
)
def test_what_stands_instead_of_weights_is_named_with_what_would_help(
    names: list[str], said: str, tmp_path: Path
) -> None:
    """The error names the files in place of weights and what would help, local or on the Hub."""
    assert re.search(said, explain_others(names))
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(CheckpointNotFound) as caught:
        LocalRepository.open(tmp_path).require(*WEIGHT_FILES)
    assert re.search(said.strip("^$"), str(caught.value))


@pytest.mark.parametrize(
    "file", ["model.safetensors", "tokenizer.json", "config.json", "onnx/model.onnx", "vocab.txt"]
)
def test_a_pointer_of_git_lfs_is_refused_with_what_would_help(file: str, tmp_path: Path) -> None:
    """The error for a Git LFS pointer has the size of the real file and what would help."""
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(POINTER)
    repository = LocalRepository.open(tmp_path)
    for look in (repository.find, repository.require):
        with pytest.raises(InvalidCheckpoint, match=r"267,832,558 bytes.*`git lfs pull`"):
            look(file)


def test_a_pointer_is_refused_where_files_name_files(tmp_path: Path) -> None:
    """A pointer in place of a shard, or of a graph's data, is refused."""
    part = tmp_path / "model-00001-of-00001.safetensors"
    part.write_text(POINTER)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(f'{{"weight_map": {{"x": "{part.name}"}}}}')
    with pytest.raises(InvalidCheckpoint, match="git lfs pull"):
        open_tensors(index)
    with pytest.raises(InvalidCheckpoint, match="git lfs pull"):
        read_onnx(part)


def test_a_small_file_that_speaks_of_git_lfs_is_no_pointer(tmp_path: Path) -> None:
    """A small file that mentions Git LFS after its beginning is no pointer."""
    path = tmp_path / "config.json"
    path.write_text('{"note": "version https://git-lfs.github.com/spec/v1"}')
    assert LocalRepository.open(tmp_path).require("config.json") == path
    assert read_config(path).text("note").startswith("version")
