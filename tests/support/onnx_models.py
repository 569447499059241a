"""ONNX files in the form that exporters give them, small enough to be computed by hand."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from support.checkpoint_spec import Head
from support.foreign_checkpoints import write_foreign_folder

from earmark.domain.encoding import Encoding
from earmark.domain.packing import Float32

__all__ = ["LABELS", "OnnxSpec", "expected_logits", "write_onnx", "write_onnx_folder"]

VOCABULARY, WIDTH, LABELS, TYPES = 320, 8, 3, 2
OPSET, IR_VERSION = 17, 9
"""What exporters wrote in 2024; every runtime of today reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxSpec:
    """How the file is exported.

    Attributes:
        head: one answer for each text, or one for each token.
        mask: leave padding out of account.
        types: take `token_type_ids`.
        positions: take `position_ids`.
        extra: take an input that nobody knows.
        dtype: of all inputs.
        rows: fixed number of rows.
        width: fixed length of rows.
        labels: of the logits.
        output: name of the logits.
        second_output: answer something else as well.
        external: name of a file beside the graph that holds the weights.
        weights_as_inputs: declare the weights as inputs too, as old exporters did.
        opened: leave the shape of the logits undeclared.
        endless: go through a loop on the way whose condition always holds.
    """

    head: Head = "sequence"
    mask: bool = True
    types: bool = True
    positions: bool = False
    extra: bool = False
    dtype: int = TensorProto.INT64
    rows: int | None = None
    width: int | None = None
    labels: int = LABELS
    output: str = "logits"
    second_output: bool = False
    external: str | None = None
    weights_as_inputs: bool = False
    opened: bool = False
    endless: bool = False


def _weights(labels: int) -> dict[str, Float32]:
    random = np.random.default_rng(0)
    shapes = {
        "words": (VOCABULARY, WIDTH),
        "kinds": (TYPES, WIDTH),
        "places": (64, WIDTH),
        "mix": (WIDTH, WIDTH),
        "classifier": (WIDTH, labels),
    }
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def expected_logits(one: Encoding, spec: OnnxSpec) -> Float32:
    """Compute by hand what the model answers for one text alone.

    Every token is its word (with type and position where they are read) and a mix of the mean of
    its text, through tanh.

    Returns:
        ``[labels]``, or ``[tokens, labels]``.
    """
    weights = _weights(spec.labels)
    states = weights["words"][list(one.ids)]
    if spec.types:
        states = states + weights["kinds"][list(one.type_ids)]
    if spec.positions:
        states = states + weights["places"][: len(one)]
    states = np.tanh(states + states.mean(axis=0) @ weights["mix"])
    logits: Float32 = (states @ weights["classifier"]).astype(np.float32)
    return logits[0] if spec.head == "sequence" else logits


def write_onnx(path: Path, spec: OnnxSpec) -> Path:
    """Write the file, and the file of its weights where the spec has one."""
    names = ["input_ids"]
    names += ["attention_mask"] if spec.mask else []
    names += ["token_type_ids"] if spec.types else []
    names += ["position_ids"] if spec.positions else []
    names += ["pixel_values"] if spec.extra else []
    axes: list[int | str] = [spec.rows or "batch", spec.width or "sequence"]
    inputs = [helper.make_tensor_value_info(name, spec.dtype, axes) for name in names]
    weights = _weights(spec.labels)
    if spec.weights_as_inputs:
        inputs += [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, one.shape)
            for name, one in weights.items()
        ]
    shape: list[int | str] = (
        [*axes, spec.labels] if spec.head == "token" else [axes[0], spec.labels]
    )
    declared = None if spec.opened else shape
    outputs = [helper.make_tensor_value_info(spec.output, TensorProto.FLOAT, declared)]
    if spec.second_output:
        states = [*axes, WIDTH]
        outputs.append(helper.make_tensor_value_info("states", TensorProto.FLOAT, states))
    tensors = [numpy_helper.from_array(one, name) for name, one in weights.items()]
    tensors += [_ints("last_axis", [-1]), _ints("token_axis", [1]), _ints("first", 0)]
    if spec.endless:
        tensors.append(numpy_helper.from_array(np.asarray(1, np.bool_), "true"))
    graph = helper.make_graph(_nodes(spec), "tiny", inputs, outputs, tensors)
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)
    path.parent.mkdir(parents=True, exist_ok=True)
    if spec.external is None:
        onnx.save(model, path)
    else:
        onnx.save(
            model, path, save_as_external_data=True, location=spec.external, size_threshold=64
        )
    return path


def _ints(name: str, values: int | list[int]) -> TensorProto:
    array: NDArray[np.int64] = np.asarray(values, np.int64)
    return numpy_helper.from_array(array, name)


def _nodes(spec: OnnxSpec) -> list[onnx.NodeProto]:
    make = helper.make_node
    nodes = [make("Gather", ["words", "input_ids"], ["embedded"])]
    states = "embedded"
    if spec.types:
        nodes.append(make("Gather", ["kinds", "token_type_ids"], ["kind"]))
        nodes.append(make("Add", [states, "kind"], ["typed"]))
        states = "typed"
    if spec.positions:
        nodes.append(make("Gather", ["places", "position_ids"], ["place"]))
        nodes.append(make("Add", [states, "place"], ["placed"]))
        states = "placed"
    if spec.mask:
        nodes += [
            make("Cast", ["attention_mask"], ["floats"], to=TensorProto.FLOAT),
            make("Unsqueeze", ["floats", "last_axis"], ["mask"]),
            make("Mul", [states, "mask"], ["kept"]),
            make("ReduceSum", ["kept", "token_axis"], ["total"]),
            make("ReduceSum", ["mask", "token_axis"], ["count"]),
            make("Div", ["total", "count"], ["mean"]),
        ]
    else:
        nodes.append(make("ReduceMean", [states], ["mean"], axes=[1]))
    if spec.endless:
        nodes.append(make("Loop", ["", "true", "mean"], ["looped"], body=_endless_body()))
    nodes += [
        make("MatMul", ["looped" if spec.endless else "mean", "mix"], ["mixed"]),
        make("Add", [states, "mixed"], ["sum"]),
        make("Tanh", ["sum"], ["states"]),
        make("MatMul", ["states", "classifier"], [spec.output if spec.head == "token" else "all"]),
    ]
    if spec.head == "sequence":
        nodes.append(make("Gather", ["all", "first"], [spec.output], axis=1))
    return nodes


def _endless_body() -> onnx.GraphProto:
    """Add to what is carried, and go on as long as a sum of squares is not negative."""
    make, info = helper.make_node, helper.make_tensor_value_info
    return helper.make_graph(
        [
            make("Tanh", ["before"], ["bent"]),
            make("Add", ["bent", "before"], ["after"]),
            make("ReduceSumSquare", ["after"], ["square"], keepdims=0),
            make("GreaterOrEqual", ["square", "least"], ["goes_on"]),
        ],
        "endless",
        [
            info("turn", TensorProto.INT64, []),
            info("went_on", TensorProto.BOOL, []),
            info("before", TensorProto.FLOAT, None),
        ],
        [info("goes_on", TensorProto.BOOL, []), info("after", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(-1.0, np.float32), "least")],
    )


def write_onnx_folder(
    folder: Path, spec: OnnxSpec, *, file: str = "onnx/model.onnx", num_labels: int = LABELS
) -> Path:
    """Write a folder whose only model is the ONNX file."""
    write_foreign_folder(folder, head=spec.head, num_labels=num_labels)
    write_onnx(folder / file, spec)
    return folder
