"""Which files of a repository are needed."""

from hypothesis import given
from hypothesis import strategies as st

from earmark.checkpoint.files.names import SMALL_FILES, VOCABULARY_FILES
from earmark.checkpoint.hub.files import needed_files
from earmark.checkpoint.weights.files import WEIGHT_FILES

NEVER = (
    "README.md",
    ".gitattributes",
    "tf_model.h5",
    "flax_model.msgpack",
    "training_args.bin",
    "modeling_own.py",
    "image.png",
    "optimizer.pt",
    "onnx/config.json",
)
KNOWN = (*SMALL_FILES, *WEIGHT_FILES, "onnx/model.onnx", "onnx/model.onnx_data", *NEVER)


def test_a_usual_repository_gives_config_tokenizer_and_the_best_weights() -> None:
    """The vocabulary is of no use beside a whole tokenizer, nor is a pickle beside safetensors."""
    names = {*NEVER, "config.json", "tokenizer.json", "vocab.txt", "model.safetensors"}
    names |= {"pytorch_model.bin", "onnx/model.onnx", "tokenizer_config.json"}
    found = needed_files(names)
    assert found == ("config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors")


def test_without_a_whole_tokenizer_its_parts_are_taken() -> None:
    """All of them: the config, which says which family it is, is not read yet."""
    found = needed_files({"config.json", "vocab.json", "merges.txt", "pytorch_model.bin", *NEVER})
    assert found == ("config.json", "vocab.json", "merges.txt", "pytorch_model.bin")


def test_of_weights_in_several_files_the_index_is_taken() -> None:
    """Which files it names is only known when it is there."""
    found = needed_files({"model.safetensors.index.json", "model-00001-of-00002.safetensors"})
    assert found == ("model.safetensors.index.json",)


def test_a_graph_is_taken_only_where_there_are_no_weights() -> None:
    """With its own data, and not with that of its other precisions."""
    names = {
        "onnx/model.onnx",
        "onnx/model.onnx_data",
        "onnx/model.onnx_data_1",
        "onnx/model_fp16.onnx",
        "onnx/model_fp16.onnx_data",
        "model.onnx",
    }
    expected = ("onnx/model.onnx", "onnx/model.onnx_data", "onnx/model.onnx_data_1")
    assert needed_files(names) == expected
    assert needed_files({"model.onnx", "model.onnx.data"}) == ("model.onnx", "model.onnx.data")
    assert needed_files({*names, "pytorch_model.bin"}) == ("pytorch_model.bin",)


@given(st.sets(st.sampled_from(KNOWN)))
def test_never_more_than_what_is_there_or_than_is_read(names: set[str]) -> None:
    """Each once, of weights one form, and nothing that only other programs read."""
    found = needed_files(names)
    assert len(set(found)) == len(found)
    assert set(found) <= names - set(NEVER)
    assert sum(one in WEIGHT_FILES for one in found) <= 1
    assert not ("tokenizer.json" in found and set(found) & set(VOCABULARY_FILES))
