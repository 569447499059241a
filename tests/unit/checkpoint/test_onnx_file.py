"""What an ONNX file declares is read as the library reads it, and damage is refused by name."""

from pathlib import Path

import onnx
import pytest
from google.protobuf.internal.encoder import _VarintBytes
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from support.onnx_models import OnnxSpec, write_onnx

from earmark.checkpoint.onnx_file import DEEPEST_GRAPH, read_onnx
from earmark.errors import CheckpointNotFound, InvalidCheckpoint


@pytest.mark.parametrize(
    "spec",
    [OnnxSpec(), OnnxSpec(rows=1, width=16, head="token"), OnnxSpec(weights_as_inputs=True)],
)
def test_inputs_and_outputs_are_those_the_library_tells(spec: OnnxSpec, tmp_path: Path) -> None:
    """Inputs and outputs equal the library's; weights that are declared as inputs are none."""
    file = read_onnx(write_onnx(tmp_path / "model.onnx", spec))
    model = onnx.load(tmp_path / "model.onnx")
    weights = {one.name for one in model.graph.initializer}
    names = [one.name for one in model.graph.input if one.name not in weights]
    assert [one.name for one in file.inputs] == names
    assert {one.dtype for one in file.inputs} == {"int64"}
    assert {one.axes for one in file.inputs} == {(spec.rows, spec.width)}
    assert [(one.name, one.dtype) for one in file.outputs] == [("logits", "float32")]
    assert (file.stored_precision, file.weights) == ("float32", (tmp_path / "model.onnx",))


def test_weights_are_counted_by_the_type_that_most_have(tmp_path: Path) -> None:
    """The weights' type is that of most of them; indices and shapes do not count."""
    tensors = [
        helper.make_tensor("a", TensorProto.INT8, [4, 5], [0] * 20),
        helper.make_tensor("b", TensorProto.FLOAT, [4], [0.0] * 4),
        helper.make_tensor("c", TensorProto.INT64, [99], [0] * 99),
    ]
    model = helper.make_model(helper.make_graph([], "none", [], [], tensors))
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    file = read_onnx(path)
    assert (file.parameters, file.stored_precision) == (24, "int8")
    packed = path.read_bytes().replace(b"\x08\x04\x08\x05", b"\x0a\x02\x04\x05")
    path.write_bytes(packed)
    assert read_onnx(path).parameters == 24


def test_files_beside_the_graph_are_listed(tmp_path: Path) -> None:
    """The files of weights beside the graph are listed by their names."""
    write_onnx(tmp_path / "model.onnx", OnnxSpec(external="model.onnx_data"))
    file = read_onnx(tmp_path / "model.onnx")
    assert file.weights == (tmp_path / "model.onnx", tmp_path / "model.onnx_data")
    assert file.parameters == read_onnx(write_onnx(tmp_path / "b.onnx", OnnxSpec())).parameters


@pytest.mark.parametrize("place", ["/etc/passwd", "../x", "a/../../x", "..\\x", ""])
def test_weights_that_lead_out_of_the_folder_are_refused(place: str, tmp_path: Path) -> None:
    """A file of weights outside the folder is refused."""
    tensor = helper.make_tensor("a", TensorProto.FLOAT, [1], [0.0])
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", place
    tensor.external_data.add(key="offset", value="0")
    model = helper.make_model(helper.make_graph([], "none", [], [], [tensor]))
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InvalidCheckpoint, match="same folder"):
        read_onnx(tmp_path / "model.onnx")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"\x3a\x05\x01",  # a graph of five bytes, one of which is there
        b"\x38\x01",  # a graph that is a number
        b"\x3a\x02\x28\x01",  # a tensor that is a number
        b"\x3b",  # a wire type of long ago
        b"\x08" + b"\xff" * 12,  # a number without an end
        b"\x08\xff",  # a number that is cut short
        b"\x3a\x04\x2a\x02\x42\x05",  # a name that is cut short
        b"\x3a\x05\x2a\x03\x42\x01\xff",  # a name that is no UTF-8
        b"\x3a\x05\x5a\x03\x0a\x05a",  # an input that is cut short
        b"\x0d\x00\x00\x00\x00\x09" + b"\x00" * 8,  # fields of fixed size, and no graph
    ],
)
def test_what_is_no_onnx_file_is_refused(content: bytes, tmp_path: Path) -> None:
    """The error for what is no ONNX file names the file."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(InvalidCheckpoint, match="is no ONNX file"):
        read_onnx(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The error for a missing file names it."""
    with pytest.raises(CheckpointNotFound, match="cannot be read"):
        read_onnx(tmp_path / "model.onnx")


@settings(deadline=None)
@given(data=st.data())
def test_damage_anywhere_is_an_error_of_ours_or_none(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A file with a changed byte or a missing end is read or refused with our error."""
    folder = tmp_path_factory.mktemp("damage")
    path = write_onnx(folder / "model.onnx", OnnxSpec(external="d"))
    whole = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        whole[place] = data.draw(st.integers(0, 255))
    else:
        del whole[place:]
    path.write_bytes(whole)
    try:
        assert read_onnx(path).path == path
    except (InvalidCheckpoint, CheckpointNotFound) as error:
        assert str(path) in str(error)  # noqa: PT017 - either outcome is right


def _outside() -> onnx.TensorProto:
    tensor = onnx.TensorProto(name="a", data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")
    return tensor


def _hidden(place: str) -> onnx.ModelProto:
    """Write a graph that keeps a tensor in another folder, in an unusual place."""
    node = helper.make_node("Constant", [], ["a"], value=_outside())
    if place == "node":
        return helper.make_model(helper.make_graph([node], "g", [], []))
    if place == "function":
        function = helper.make_function("own", "f", [], ["a"], [node], [])
        return helper.make_model(helper.make_graph([], "g", [], []), functions=[function])
    if place == "branch":
        branch = helper.make_graph([], "b", [], [], [_outside()])
        inner = helper.make_node("If", ["c"], ["a"], then_branch=branch, else_branch=branch)
        return helper.make_model(helper.make_graph([inner], "g", [], []))
    sparse = onnx.SparseTensorProto(values=_outside(), dims=[1])
    return helper.make_model(helper.make_graph([], "g", [], [], sparse_initializer=[sparse]))


@pytest.mark.parametrize("place", ["node", "function", "branch", "sparse"])
def test_tensors_within_nodes_do_not_lead_out_of_the_folder_either(
    place: str, tmp_path: Path
) -> None:
    """In a constant, a function, a branch of a condition, or a sparse tensor."""
    path = tmp_path / "model.onnx"
    path.write_bytes(_hidden(place).SerializeToString())
    with pytest.raises(InvalidCheckpoint, match=r"keeps weights in '../secret'; expected a file"):
        read_onnx(path)


def test_graphs_within_graphs_and_axes_are_bounded(tmp_path: Path) -> None:
    """Endless nesting is no crash, and a tensor of a million axes is not multiplied out."""
    path = tmp_path / "model.onnx"
    graph = b""
    for _ in range(DEEPEST_GRAPH + 2):
        for field in (b"\x32", b"\x2a", b"\x0a"):  # g of an attribute of a node of a graph
            graph = field + _VarintBytes(len(graph)) + graph
    path.write_bytes(b"\x3a" + _VarintBytes(len(graph)) + graph)
    with pytest.raises(InvalidCheckpoint, match=f"more than {DEEPEST_GRAPH} graphs"):
        read_onnx(path)
    tensor = onnx.TensorProto(name="a", data_type=1, dims=[1 << 62] * 100_000)
    model = helper.make_model(helper.make_graph([], "g", [], [], [tensor]))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InvalidCheckpoint, match="a tensor of 100000 axes"):
        read_onnx(path)
