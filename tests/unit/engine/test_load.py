"""From files to an engine: what is chosen, and what is refused."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from structlog.testing import capture_logs
from support.checkpoints import CheckpointSpec, write_checkpoint

import earmark
from earmark.checkpoint.ref import FolderRef, read_ref
from earmark.domain.texts import TextInput
from earmark.engine.engine import Engine
from earmark.engine.load import EngineOptions, load_engine
from earmark.errors import (
    CheckpointError,
    CheckpointNotFound,
    EngineError,
    InvalidCheckpoint,
    InvalidInput,
    UnsupportedCheckpoint,
    UnsupportedDevice,
    UnsupportedTask,
)
from earmark.inprocess import TextLike
from earmark.runtime.runtimes import computes_bfloat16, prefers_bfloat16
from earmark.tasks.text_classification import TextClassification
from earmark.tasks.token_classification import TokenClassification

ONE_THREAD = EngineOptions(threads=1)


@contextmanager
def loaded(
    folder: Path, spec: CheckpointSpec | None = None, options: EngineOptions = ONE_THREAD
) -> Iterator[Engine]:
    """Write a checkpoint, load it, close it."""
    engine = load_engine(
        FolderRef(write_checkpoint(folder, spec or CheckpointSpec())), options=options
    )
    try:
        yield engine
    finally:
        engine.close()


def edit_config(folder: Path, **changes: object) -> None:
    """Change fields of a config; None takes a field away."""
    path = folder / "config.json"
    fields: Mapping[str, object] = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in fields.items() if value is not None}))


@pytest.mark.parametrize(
    "failure", [MemoryError(), ImportError("libopenvino.so: failed to map segment")]
)
def test_a_load_for_which_memory_does_not_suffice_says_so(
    failure: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load without enough memory raises an error that names the model."""

    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr("earmark.engine.load.open_model", fail)
    folder = write_checkpoint(tmp_path / "my-model", CheckpointSpec())
    with pytest.raises(EngineError, match=r"my-model.*(give the process more|failed to map)"):
        load_engine(FolderRef(folder))


def test_info_tells_what_was_loaded(tmp_path: Path) -> None:
    """The info has the id, labels, sizes and precision of the files."""
    spec = CheckpointSpec(label_names=("NO", "YES"), max_positions=48)
    with loaded(tmp_path / "my-model", spec) as engine:
        info = engine.info
    assert info.model_id == "my-model"
    assert info.labels.names == ("NO", "YES")
    assert info.architecture == "bert"
    assert info.max_input_tokens == 48
    assert info.stored_precision == "float32"
    assert info.runtime.startswith("openvino 20")
    assert info.parameters == sum(
        tensor.size for tensor in load_file(tmp_path / "my-model" / "model.safetensors").values()
    )


def test_auto_takes_int8_where_the_checkpoint_is_stored_so(tmp_path: Path) -> None:
    """`auto` takes int8 for a checkpoint stored so, or bfloat16 where that is faster."""
    with loaded(tmp_path, CheckpointSpec(storage="int8")) as engine:
        fastest = "bfloat16" if prefers_bfloat16("openvino") else "int8"
        assert engine.info.precision == fastest
        assert engine.info.stored_precision == "int8"
        assert engine.info.compute_note


def test_auto_takes_bfloat16_only_where_the_processor_has_it(tmp_path: Path) -> None:
    """`auto` takes bfloat16 where the processor computes it, and else float32."""
    with loaded(tmp_path) as engine:
        native = computes_bfloat16("openvino")
        assert engine.info.precision == ("bfloat16" if native else "float32")
        assert engine.info.requested_precision == "auto"


def test_the_processor_is_never_asked_for_what_it_lacks(tmp_path: Path) -> None:
    """bfloat16 by name is refused where the processor does not compute it."""
    options = EngineOptions(threads=1, precision="bfloat16")
    if computes_bfloat16("openvino"):
        with loaded(tmp_path, options=options) as engine:
            assert engine.info.precision == "bfloat16"
    else:
        with (
            pytest.raises(UnsupportedDevice, match="does not compute bfloat16 natively; choose"),
            loaded(tmp_path, options=options),
        ):
            pass


def test_onnxruntime_does_not_pretend_to_compute_bfloat16(tmp_path: Path) -> None:
    """bfloat16 with ONNX Runtime is refused."""
    options = EngineOptions(threads=1, precision="bfloat16", runtime="onnxruntime")
    with pytest.raises(UnsupportedDevice, match="onnxruntime"), loaded(tmp_path, options=options):
        pass


def test_the_longest_text_always_fits_a_batch(tmp_path: Path) -> None:
    """A budget below the model's longest text is raised to it, which the info shows."""
    options = EngineOptions(threads=1, max_batch_tokens=16)
    with loaded(tmp_path, CheckpointSpec(max_positions=48), options) as engine:
        assert engine.info.max_batch_tokens == 48


def test_leftover_tensors_are_told(tmp_path: Path) -> None:
    """A tensor of another task, which the graph does not read, is logged."""
    write_checkpoint(tmp_path, CheckpointSpec())
    path = tmp_path / "model.safetensors"
    save_file({**load_file(path), "qa_outputs.weight": np.ones((2, 2), np.float32)}, path)
    with capture_logs() as logs:
        load_engine(FolderRef(tmp_path), options=ONE_THREAD).close()
    assert [entry["tensors"] for entry in logs] == [("qa_outputs.weight",)]


def test_a_model_that_labels_tokens_is_loaded(tmp_path: Path) -> None:
    """A token model labels every token in the text's order, and has no other task."""
    spec = CheckpointSpec(head="token", label_names=("O", "B-PER", "I-PER"), num_labels=3)
    request = TokenClassification(("a b c",), strategy="none", ignore_labels=frozenset())
    with loaded(tmp_path, spec) as engine:
        assert engine.info.tasks == ("token-classification",)
        (entities,) = engine.answer_blocking(request).results()
        with pytest.raises(UnsupportedTask, match="is for token-classification, not for text-"):
            engine.answer_blocking(TextClassification((TextInput("a b c"),)))
    assert [(each.start, each.end) for each in entities.found] == [(0, 1), (2, 3), (4, 5)]
    assert {each.label for each in entities.found} <= {"O", "B-PER", "I-PER"}


@pytest.mark.parametrize(
    ("changes", "kind", "complaint"),
    [
        ({"model_type": "t5"}, UnsupportedCheckpoint, "'t5'; supported are bert, distilbert"),
        (
            {"model_type": None, "architectures": None},
            UnsupportedCheckpoint,
            r"the architecture \(model_type\) is not named; supported are",
        ),
        ({"hidden_size": 31}, InvalidCheckpoint, '"hidden_size" 31 is no multiple'),
        ({"hidden_size": 64}, InvalidCheckpoint, r"has shape \[320, 32\], expected \[320, 64\]"),
        ({"vocab_size": 300}, InvalidCheckpoint, r"has shape \[320, 32\], expected \[300, 32\]"),
        ({"num_hidden_layers": 3}, InvalidCheckpoint, r"no tensor encoder\.layer\.2"),
        ({"hidden_act": "prelu"}, UnsupportedCheckpoint, '"prelu" .* supported: "gelu"'),
        ({"id2label": {"0": "A", "1": "B", "2": "C"}}, InvalidCheckpoint, "has 2 labels"),
    ],
)
def test_what_does_not_fit_together_is_named(
    tmp_path: Path, changes: dict[str, object], kind: type[CheckpointError], complaint: str
) -> None:
    """A load where config, weights and tokenizer disagree is refused by what disagrees."""
    write_checkpoint(tmp_path, CheckpointSpec())
    edit_config(tmp_path, **changes)
    with pytest.raises(kind, match=complaint):
        load_engine(FolderRef(tmp_path), options=ONE_THREAD)


def test_positions_that_count_from_the_padding_token_are_fewer(tmp_path: Path) -> None:
    """RoBERTa's table of 514 positions holds 512 tokens."""
    spec = CheckpointSpec(architecture="roberta", max_positions=48)
    with loaded(tmp_path, spec) as engine:
        assert engine.info.max_input_tokens == 47
    edit_config(tmp_path, pad_token_id=47)
    with pytest.raises(InvalidCheckpoint, match='"pad_token_id", which is 47; expected more'):
        load_engine(FolderRef(tmp_path), options=ONE_THREAD)


def test_weights_that_overflow_are_found_at_load(tmp_path: Path) -> None:
    """A model that answers NaN is refused at load."""
    write_checkpoint(tmp_path, CheckpointSpec())
    path = tmp_path / "model.safetensors"
    tensors = load_file(path)
    tensors["classifier.weight"] *= np.float32(3e38)
    save_file(tensors, path)
    with pytest.raises(InvalidCheckpoint, match="NaN or infinity even for the simplest"):
        load_engine(FolderRef(tmp_path), options=ONE_THREAD)


def test_a_name_that_is_neither_folder_nor_bundled_is_explained() -> None:
    """The error for an unknown name lists the bundled models."""
    with pytest.raises(CheckpointNotFound, match="neither a folder nor a bundled model, nor"):
        load_engine(read_ref("org/no/where"))


def test_the_python_api_classifies_texts_and_pairs(tmp_path: Path) -> None:
    """`classify` takes strings, tuples and text objects in one list, and answers best first."""
    write_checkpoint(tmp_path, CheckpointSpec(num_labels=3))
    with earmark.load(str(tmp_path), threads=1) as classifier:
        texts: list[TextLike] = ["good film", ("good", "film"), earmark.TextInput("good film")]
        first, pair, third = classifier.classify(texts)
        assert first == third
        assert (first.tokens, pair.tokens) == (4, 5)
        assert first.score == max(one.score for one in first.scores)
        assert first.label == first.scores[0].label
        assert len(classifier.classify(texts, top_k=1)[0].scores) == 1
        assert classifier.classify([]) == []
        assert classifier.info.labels.names == ("LABEL_0", "LABEL_1", "LABEL_2")
        with pytest.raises(InvalidInput, match="expected a list"):
            classifier.classify("good film")
        with pytest.raises(InvalidInput, match="top_k is 0"):
            classifier.classify(texts, top_k=0)


def test_the_bundled_model_knows_good_from_bad() -> None:
    """The bundled model answers POSITIVE to praise and NEGATIVE to complaint."""
    results = earmark.classify(["I like it", "I don't"])
    assert [result.label for result in results] == ["POSITIVE", "NEGATIVE"]
