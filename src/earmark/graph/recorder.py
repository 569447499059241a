"""Writes an ONNX graph one operator at a time.

An architecture reads as straight-line Python: each call records a node and returns the name of its
output. Only operators of the plain ONNX domain are recorded, so every runtime takes the same file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NewType, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

__all__ = ["IR_VERSION", "OPSET", "Attribute", "Recorder", "Value"]

Value = NewType("Value", str)
"""The name of a tensor in the graph."""

Attribute: TypeAlias = int | float | str | Sequence[int]

OPSET = 20
"""First opset with `Gelu`; `LayerNormalization` came with 17."""
IR_VERSION = 10
"""Newest file version that every runtime release taking opset 20 reads (ONNX 1.16)."""

# Any: a constant may be of any element type; what it may be is the caller's to know.
Array: TypeAlias = NDArray[np.generic]


@dataclass(slots=True)
class Recorder:
    """A graph being written.

    Attributes:
        name: the graph's name, shown by tools that draw it.
    """

    name: str
    _nodes: list[onnx.NodeProto] = field(default_factory=list)
    _constants: dict[str, onnx.TensorProto] = field(default_factory=dict)
    _inputs: dict[str, onnx.ValueInfoProto] = field(default_factory=dict)
    _outputs: list[onnx.ValueInfoProto] = field(default_factory=list)

    def input(self, name: str, axes: Sequence[str]) -> Value:
        """Declare an int64 input whose axes all vary; doing so twice is doing so once.

        Args:
            name: the input's name, which the runtime feeds by.
            axes: a name for each axis, such as ``("rows", "width")``.
        """
        info = helper.make_tensor_value_info(name, TensorProto.INT64, list(axes))
        self._inputs[name] = info
        return Value(name)

    def output(self, value: Value, name: str, axes: Sequence[str | int]) -> None:
        """Declare a float32 output under a name of its own."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        info = helper.make_tensor_value_info(name, TensorProto.FLOAT, list(axes))
        self._outputs.append(info)

    def constant(self, array: Array, name: str | None = None) -> Value:
        """Store a tensor in the graph.

        Args:
            array: the tensor.
            name: its name; one is made from the contents for small unnamed constants, so that
                equal ones are stored once.
        """
        if name is None:
            flat = "_".join(str(item) for item in array.ravel().tolist())
            name = f"const_{array.dtype}_{'x'.join(map(str, array.shape))}_{flat}"
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return Value(name)

    def integers(self, *values: int) -> Value:
        """Store a one-axis int64 constant, as `Reshape` and `Slice` take their arguments."""
        return self.constant(np.asarray(values, np.int64))

    def scalar(self, value: float) -> Value:
        """Store a float32 constant without axes."""
        return self.constant(np.asarray(value, np.float32))

    def op(self, kind: str, *inputs: Value, **attributes: Attribute) -> Value:
        """Record an operator with one output and return that output."""
        return self.ops(kind, *inputs, outputs=1, **attributes)[0]

    def ops(
        self, kind: str, *inputs: Value, outputs: int, **attributes: Attribute
    ) -> tuple[Value, ...]:
        """Record an operator with several outputs and return them in order."""
        base = f"{kind}_{len(self._nodes)}"
        names = [base if outputs == 1 else f"{base}.{index}" for index in range(outputs)]
        node = helper.make_node(kind, list(inputs), names, name=base)
        # Set one by one: as keywords they could clash with those of make_node itself.
        node.attribute.extend(
            helper.make_attribute(key, value) for key, value in attributes.items()
        )
        self._nodes.append(node)
        return tuple(Value(name) for name in names)

    def reshape(self, x: Value, *shape: int) -> Value:
        """Record a `Reshape`; 0 keeps an axis, -1 is worked out."""
        return self.op("Reshape", x, self.integers(*shape))

    def to_bytes(self) -> bytes:
        """Serialise the finished graph as an ONNX file."""
        graph = helper.make_graph(
            self._nodes,
            self.name,
            list(self._inputs.values()),
            self._outputs,
            initializer=list(self._constants.values()),
        )
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        model.producer_name = "earmark"
        contents: bytes = model.SerializeToString()
        return contents
