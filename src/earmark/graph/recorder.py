"""Writes an ONNX graph one operator at a time.

An architecture reads as straight-line Python: each call records a node and returns the name of its
output. Only operators of the standard ONNX domain are recorded, so that every runtime can run them.
"""

from collections.abc import Sequence
from typing import NewType, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from earmark.runtime.session import Graph

Value = NewType("Value", str)
"""The name of a tensor in the graph."""

Attribute: TypeAlias = int | float | str | Sequence[int]

OPSET = 20
"""First opset with `Gelu`; `LayerNormalization` came with 17."""
IR_VERSION = 10
"""Newest file version that every runtime release with opset 20 reads (ONNX 1.16)."""

MATRIX_AXES = 2
SMALLEST_APART = 1 << 10
"""Bytes of the smallest matrix kept outside of the file: low, so that tests' models have some."""

# Any: a constant may have any element type.
Array: TypeAlias = NDArray[np.generic]


class Recorder:
    """A graph that is being written.

    Matrices stay outside of the protobuf message, so that weights are never copied into it.
    """

    def __init__(self, name: str) -> None:
        """Begin an empty graph.

        Args:
            name: shown by tools that draw the graph.
        """
        self._model = onnx.ModelProto()
        self._model.ir_version = IR_VERSION
        self._model.producer_name = "earmark"
        self._model.opset_import.append(helper.make_opsetid("", OPSET))
        self._graph = self._model.graph
        self._graph.name = name
        self._inputs: set[str] = set()
        self._constants: set[str] = set()
        self._matrices: dict[str, Array] = {}

    def input(self, name: str, axes: Sequence[str]) -> Value:
        """Declare an int64 input whose axes all vary; a second call has no effect.

        Args:
            name: the input's name.
            axes: a name for each axis, such as ``("rows", "width")``.
        """
        if name not in self._inputs:
            self._inputs.add(name)
            info = helper.make_tensor_value_info(name, TensorProto.INT64, list(axes))
            self._graph.input.append(info)
        return Value(name)

    def output(self, value: Value, name: str, axes: Sequence[str | int]) -> None:
        """Declare a float32 output under a name."""
        self._graph.node.append(helper.make_node("Identity", [value], [name]))
        info = helper.make_tensor_value_info(name, TensorProto.FLOAT, list(axes))
        self._graph.output.append(info)

    def constant(self, array: Array, name: str | None = None) -> Value:
        """Store a tensor in the graph.

        Args:
            array: the tensor.
            name: its name; if None, small constants are named by their contents, so that equal
                ones are stored once.
        """
        if name is None:
            flat = "_".join(str(item) for item in array.ravel().tolist())
            name = f"const_{array.dtype}_{'x'.join(map(str, array.shape))}_{flat}"
        if name not in self._constants:
            self._constants.add(name)
            if array.ndim == MATRIX_AXES and array.nbytes >= SMALLEST_APART:
                self._matrices[name] = np.ascontiguousarray(array)
                return Value(name)
            tensor = self._graph.initializer.add()
            tensor.name = name
            tensor.data_type = helper.np_dtype_to_tensor_dtype(array.dtype)
            tensor.dims.extend(array.shape)
            # ONNX files are little-endian, and so is every processor that the runtimes support.
            tensor.raw_data = array.tobytes()
        return Value(name)

    def integers(self, *values: int) -> Value:
        """Store a one-axis int64 constant, such as an argument of `Reshape` or `Slice`."""
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
        base = f"{kind}_{len(self._graph.node)}"
        names = [base if outputs == 1 else f"{base}.{index}" for index in range(outputs)]
        node = helper.make_node(kind, list(inputs), names, name=base)
        # Set one by one: as keywords they could clash with the arguments of make_node.
        node.attribute.extend(
            helper.make_attribute(key, value) for key, value in attributes.items()
        )
        self._graph.node.append(node)
        return tuple(Value(name) for name in names)

    def reshape(self, x: Value, *shape: int) -> Value:
        """Record a `Reshape`; 0 keeps an axis, -1 infers it."""
        return self.op("Reshape", x, self.integers(*shape))

    def to_graph(self) -> Graph:
        """Finish the graph; nothing more can be recorded."""
        for name, matrix in self._matrices.items():
            kind = helper.np_dtype_to_tensor_dtype(matrix.dtype)
            self._graph.input.append(helper.make_tensor_value_info(name, kind, matrix.shape))
        return Graph(self._model.SerializeToString(), self._matrices)
