"""Folders that hold nothing to run but an exported ONNX file."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto
from support.checkpoint_spec import Head
from support.foreign_checkpoints import LONGEST, write_foreign_folder
from support.onnx_models import LABELS, OnnxSpec, expected_logits, write_onnx_folder

from earmark.batching.packer import answers_of, pack
from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.ref import FolderRef
from earmark.domain.encoding import Encoding
from earmark.domain.packing import Float32
from earmark.engine.load import EngineOptions, load_engine
from earmark.engine.model import open_model
from earmark.engine.preview import read_facts
from earmark.errors import (
    CheckpointNotFound,
    EngineError,
    InvalidCheckpoint,
    UnsupportedCheckpoint,
    UnsupportedDevice,
)
from earmark.runtime.runtimes import GRAPH_RUNTIMES, computes_bfloat16
from earmark.runtime.session import GraphRuntime, RuntimeSession

TOLERANCE = 1e-5
"""Sums in another order."""

TEXTS = st.lists(
    st.lists(st.integers(1, 319), min_size=1, max_size=LONGEST), min_size=1, max_size=16
)

SPECS = {
    "usual": OnnxSpec(),
    "token": OnnxSpec(head="token"),
    "int32": OnnxSpec(dtype=TensorProto.INT32),
    "no types": OnnxSpec(types=False),
    "positions": OnnxSpec(positions=True),
    "one row": OnnxSpec(rows=1),
    "fixed width": OnnxSpec(width=LONGEST),
    "fixed width, token": OnnxSpec(width=LONGEST, head="token"),
    "no mask": OnnxSpec(mask=False),
    "no mask, token": OnnxSpec(mask=False, head="token"),
    "other name": OnnxSpec(output="output_0"),
    "two outputs": OnnxSpec(second_output=True),
    "external": OnnxSpec(external="model.onnx_data"),
    "weights as inputs": OnnxSpec(weights_as_inputs=True),
    "open shape": OnnxSpec(opened=True),
}


def start(folder: Path, runtime: GraphRuntime) -> RuntimeSession:
    """Open a folder and start the way that is found for it."""
    model = open_model(LocalRepository.open(folder))
    assert model.way.kind == "onnx"
    return model.way.start("float32", runtime=runtime, threads=1)


@cache
def session(name: str, runtime: GraphRuntime) -> RuntimeSession:
    """Start a way; its files are gone afterwards."""
    with TemporaryDirectory() as place:
        return start(write_onnx_folder(Path(place), SPECS[name]), runtime)


def encodings(texts: Sequence[Sequence[int]]) -> list[Encoding]:
    """Make encodings whose second half is of type 1."""
    return [
        Encoding(tuple(ids), tuple(int(2 * index >= len(ids)) for index in range(len(ids))))
        for ids in texts
    ]


def run(one: RuntimeSession, texts: Sequence[Encoding], head: Head) -> list[Float32]:
    """Run texts packed together, as the engine does."""
    batch = pack(texts)
    return answers_of(batch, one.run(batch), head)


@pytest.mark.parametrize("runtime", GRAPH_RUNTIMES)
@pytest.mark.parametrize("name", SPECS)
@settings(max_examples=8, deadline=None)
@given(texts=TEXTS)
def test_any_mix_answers_as_each_text_does_alone(
    name: str, runtime: GraphRuntime, texts: list[list[int]]
) -> None:
    """Any mix of texts gives the logits computed by hand, for every form of the file."""
    spec = SPECS[name]
    found = run(session(name, runtime), encodings(texts), spec.head)
    for one, answer in zip(encodings(texts), found, strict=True):
        np.testing.assert_allclose(answer, expected_logits(one, spec), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("name", "layout"),
    [("usual", "padded batches"), ("no mask", "of one length"), ("one row", "one text at a time")],
)
def test_how_texts_run_is_tried_and_told(name: str, layout: str) -> None:
    """The compute note says how texts run; a graph that reads padding as text gets no padding."""
    assert layout in session(name, "onnxruntime").layout


def test_a_model_with_equally_many_ends_in_all_rows_gets_such(tmp_path: Path) -> None:
    """Texts with different numbers of end tokens, as the config names it, do not run together."""
    folder = write_onnx_folder(tmp_path, OnnxSpec())
    rewrite_config(folder, eos_token_id=3)
    one = start(folder, "onnxruntime")
    texts = encodings([[2, 9, 3], [2, 9, 3, 3, 8, 3], [2, 7, 7, 3]])
    for text, answer in zip(texts, run(one, texts, "sequence"), strict=True):
        np.testing.assert_allclose(
            answer, expected_logits(text, OnnxSpec()), rtol=0, atol=TOLERANCE
        )


def rewrite_config(folder: Path, **fields: object) -> None:
    """Write a folder's config and tokenizer anew, with other fields; the graph stays."""
    write_foreign_folder(folder, fields=fields)


def test_types_are_left_out_where_the_model_has_one(tmp_path: Path) -> None:
    """A model with one row of token types gets only type 0."""
    folder = write_onnx_folder(tmp_path, OnnxSpec())
    rewrite_config(folder, type_vocab_size=1)
    one = start(folder, "openvino")
    text = Encoding((2, 9, 3), (0, 1, 1))
    plain = Encoding((2, 9, 3), (0, 0, 0))
    found = run(one, [text], "sequence")[0]
    np.testing.assert_allclose(found, expected_logits(plain, OnnxSpec()), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("file", ["onnx/model.onnx", "model.onnx"])
@pytest.mark.parametrize("external", [None, "model.onnx_data"])
def test_an_engine_says_what_it_runs(tmp_path: Path, file: str, external: str | None) -> None:
    """The engine's facts say that it runs an ONNX file, as do the facts read before the load."""
    folder = tmp_path / "x"
    write_onnx_folder(folder, OnnxSpec(external=external), file=file)
    facts = read_facts(FolderRef(folder), model_id="x")
    engine = load_engine(FolderRef(folder), options=EngineOptions(threads=1))
    info = engine.info
    engine.close()
    assert info.compute_note.startswith("the repository's own ONNX graph, padded batches")
    assert (info.precision, info.stored_precision) == ("float32", "float32")
    assert (info.tasks, info.labels, info.architecture) == (
        facts.tasks,
        facts.labels,
        facts.architecture,
    )
    assert (info.parameters, info.max_input_tokens) == (8 * (320 + 2 + 64 + 8 + 3), LONGEST)
    files = [one for one in (folder / file).parent.iterdir() if one.name.startswith("model.onnx")]
    assert facts.weights_bytes == sum(one.stat().st_size for one in files)


def test_other_weights_beside_the_graph_are_another_load(tmp_path: Path) -> None:
    """The identity of a load covers the graph and the file of its weights."""
    write_onnx_folder(tmp_path, OnnxSpec(external="model.onnx_data"))
    identities = set()
    for _ in range(2):
        engine = load_engine(FolderRef(tmp_path), options=EngineOptions(threads=1))
        identities.add(engine.info.identity)
        engine.close()
        data = tmp_path / "onnx" / "model.onnx_data"
        data.write_bytes(data.read_bytes())
    assert len(identities) == 2


REFUSED = {
    "an input nobody knows": (OnnxSpec(extra=True), "pixel_values"),
    "other floats for ids": (OnnxSpec(dtype=TensorProto.FLOAT), "int64 or int32"),
    "a fixed number of rows": (OnnxSpec(rows=4), "dynamic axes"),
    "a fixed width without a mask": (OnnxSpec(width=16, mask=False), "no attention_mask"),
    "other labels": (OnnxSpec(labels=5), "the head has 5 labels"),
    "other labels, undeclared": (OnnxSpec(labels=5, opened=True), "names 3 labels"),
    "no logits": (OnnxSpec(output="scores", second_output=True), "answers scores, states"),
}


@pytest.mark.parametrize("runtime", GRAPH_RUNTIMES)
@pytest.mark.parametrize("name", REFUSED)
def test_a_graph_in_another_form_is_refused(
    name: str, runtime: GraphRuntime, tmp_path: Path
) -> None:
    """A graph of an unsupported form is refused when it is opened or tried."""
    spec, words = REFUSED[name]
    folder = write_onnx_folder(tmp_path, spec)
    with pytest.raises((UnsupportedCheckpoint, InvalidCheckpoint), match=words):
        start(folder, runtime)


def test_a_token_head_is_not_read_from_a_sequence_graph(tmp_path: Path) -> None:
    """A config with a token class and a graph with a sequence head are refused together."""
    folder = write_onnx_folder(tmp_path, OnnxSpec())
    write_foreign_folder(folder, head="token")
    with pytest.raises(UnsupportedCheckpoint, match="3 axes for a token head"):
        start(folder, "openvino")


@pytest.mark.parametrize("runtime", GRAPH_RUNTIMES)
def test_a_graph_that_fails_on_the_simplest_text_is_refused(
    runtime: GraphRuntime, tmp_path: Path
) -> None:
    """A graph whose rows contradict its declaration is refused at load."""
    folder = write_onnx_folder(tmp_path, OnnxSpec(width=16))
    graph = folder / "onnx" / "model.onnx"
    graph.write_bytes(graph.read_bytes().replace(b"Tanh", b"Tnah"))
    with pytest.raises(UnsupportedCheckpoint, match=r"cannot run .*model\.onnx"):
        start(folder, runtime)


def test_a_graph_longer_than_the_fixed_width_is_cut_to_it(tmp_path: Path) -> None:
    """The longest text is the graph's fixed width, whatever the config says."""
    folder = write_onnx_folder(tmp_path, OnnxSpec(width=16))
    assert open_model(LocalRepository.open(folder)).max_tokens == 16


def test_int8_is_not_made_of_a_graph(tmp_path: Path) -> None:
    """int8 of an exported graph is refused."""
    folder = write_onnx_folder(tmp_path, OnnxSpec())
    with pytest.raises(UnsupportedDevice, match="is not made int8"):
        load_engine(FolderRef(folder), options=EngineOptions(precision="int8"))


def test_bfloat16_is_computed_where_the_processor_does(tmp_path: Path) -> None:
    """bfloat16 logits are near those computed by hand; without such a processor it is refused."""
    folder = write_onnx_folder(tmp_path, OnnxSpec())
    model = open_model(LocalRepository.open(folder))
    if not computes_bfloat16("openvino"):
        with pytest.raises(UnsupportedDevice, match="bfloat16"):
            model.way.start("bfloat16", runtime="openvino", threads=1)
        return
    one = model.way.start("bfloat16", runtime="openvino", threads=1)
    text = encodings([[2, 9, 3]])
    expected = expected_logits(text[0], OnnxSpec())
    np.testing.assert_allclose(run(one, text, "sequence")[0], expected, rtol=0, atol=0.2)


def test_pytorch_runs_no_onnx(tmp_path: Path) -> None:
    """PyTorch refuses a folder with an ONNX file alone; the error names the files that it needs."""
    folder = write_onnx_folder(tmp_path, OnnxSpec())
    with pytest.raises(CheckpointNotFound, match=r"has no model\.safetensors"):
        open_model(LocalRepository.open(folder), runtime="pytorch")
    way = open_model(LocalRepository.open(folder)).way
    with pytest.raises(UnsupportedDevice, match="openvino or onnxruntime"):
        way.start("float32", runtime="pytorch", threads=1)


@pytest.mark.parametrize("runtime", GRAPH_RUNTIMES)
def test_a_closed_session_says_so(runtime: GraphRuntime, tmp_path: Path) -> None:
    """Running a closed session raises an error that says so."""
    one = start(write_onnx_folder(tmp_path, OnnxSpec()), runtime)
    assert one.runtime.startswith(runtime)
    assert one.device
    one.close()
    assert one.kernels() == ()
    with pytest.raises(EngineError, match="closed"):
        one.run(pack(encodings([[2, 3]])))


def test_weights_outside_of_the_folder_are_refused(tmp_path: Path) -> None:
    """A graph that names a file outside of its folder is refused."""
    folder = write_onnx_folder(tmp_path / "x", OnnxSpec(external="weights.data"))
    graph = folder / "onnx" / "model.onnx"
    graph.write_bytes(graph.read_bytes().replace(b"weights.data", b"../../secret"))
    with pytest.raises(InvalidCheckpoint, match="same folder"):
        open_model(LocalRepository.open(folder))


def test_missing_weights_beside_the_graph_are_named(tmp_path: Path) -> None:
    """A missing file of weights is an error for the facts, which names it, and for the start."""
    folder = write_onnx_folder(tmp_path, OnnxSpec(external="model.onnx_data"))
    (folder / "onnx" / "model.onnx_data").unlink()
    with pytest.raises(CheckpointNotFound, match=r"model\.onnx_data"):
        read_facts(FolderRef(folder), model_id="x")
    for runtime in GRAPH_RUNTIMES:
        with pytest.raises(UnsupportedCheckpoint, match="cannot run"):
            start(folder, runtime)


def test_labels_are_counted_by_the_config(tmp_path: Path) -> None:
    """A config with another number of labels than the graph is refused with both numbers."""
    folder = write_onnx_folder(tmp_path, OnnxSpec(), num_labels=LABELS + 1)
    with pytest.raises(InvalidCheckpoint, match=r"\"id2label\" is .*LABEL_3.*head has 3 labels"):
        start(folder, "openvino")
