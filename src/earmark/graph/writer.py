"""Writes layers into a graph by the names of their tensors in the checkpoint."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from earmark.checkpoint.weights.weights import Int8, Int8Matrix, Matrix, Weights, floats_of
from earmark.domain.packing import Float32
from earmark.graph.precision import INT8_MAXIMUM, quantize
from earmark.graph.recorder import Recorder, Value
from earmark.runtime.session import WeightForm

Element = TypeVar("Element", bound=np.generic)

SIGN_OFFSET = 128
"""Zero point of int8 values stored as uint8. ONNX Runtime multiplies uint8 by uint8 exactly and
fast. For uint8 by int8 it uses an instruction that saturates at 16 bits on processors without an
int8 dot product (x86 before VNNI), which gives wrong answers; int8 by int8 is slow."""
STRIP_ROWS = 8
"""Rows transposed at a time; the fastest of 8, 16, 32, 64 and 128."""
SMALLEST_SCALE = 1e-30
"""Prevents a division by zero for a token of zeros."""


@dataclass(frozen=True, slots=True)
class GraphWriter:
    """Writes layers with a checkpoint's weights.

    Attributes:
        recorder: the graph that is being written.
        weights: the checkpoint's tensors.
        form: the form of the weights of linear layers.
    """

    recorder: Recorder
    weights: Weights
    form: WeightForm

    def embedding(self, ids: Value, name: str, rows: int, width: int) -> Value:
        """Look ids up in a table; the result has the shape of `ids`, then `width`.

        An int8 table stays int8 in the graph, and only the looked-up rows are dequantised: the
        table is half of a small model, and the result is the same.
        """
        r = self.recorder
        table = self.weights.matrix(f"{name}.weight", rows, width)
        if not isinstance(table, Int8Matrix):
            return r.op("Gather", r.constant(table, name), ids)
        values = r.op("Gather", r.constant(table.values, name), ids)
        scales = r.op("Gather", r.constant(table.scales[:, None], f"{name}.scale"), ids)
        return r.op("Mul", r.op("Cast", values, to=TensorProto.FLOAT), scales)

    def layer_norm(
        self, x: Value, name: str, width: int, epsilon: float, *, bias: bool = True
    ) -> Value:
        """Normalise the last axis, scale it, and add the bias, if any."""
        r = self.recorder
        scale = r.constant(self.weights.vector(f"{name}.weight", width), f"{name}.weight")
        if not bias:
            return r.op("LayerNormalization", x, scale, axis=-1, epsilon=epsilon)
        shift = r.constant(self.weights.vector(f"{name}.bias", width), f"{name}.bias")
        return r.op("LayerNormalization", x, scale, shift, axis=-1, epsilon=epsilon)

    def linear(
        self, x: Value, name: str, size_out: int, size_in: int, *, bias: bool = True
    ) -> Value:
        """Multiply the last axis by a weight ``[size_out, size_in]`` and add the bias, if any.

        A weight that the checkpoint stores as int8 is used as it is; a float one is quantised if
        the form is int8.
        """
        weight = self.weights.matrix(f"{name}.weight", size_out, size_in)
        product = self._product(x, name, weight)
        return self._add_bias(product, name, size_out) if bias else product

    def exact_linear(
        self, x: Value, name: str, size_out: int, size_in: int, *, bias: bool = True
    ) -> Value:
        """Do as `linear`, but always in float32.

        For heads: they cost almost nothing, and their errors affect the scores directly.
        """
        weight = self.weights.matrix(f"{name}.weight", size_out, size_in)
        product = self._float_product(x, name, weight)
        return self._add_bias(product, name, size_out) if bias else product

    def project(self, x: Value, name: str, weight: Matrix, bias: Float32 | None = None) -> Value:
        """Do as `linear`, with a given weight, such as a part of a tensor.

        Args:
            x: its last axis is multiplied.
            name: name of the weight in the graph; must be unique.
            weight: ``[size_out, size_in]``.
            bias: ``[size_out]``.
        """
        product = self._product(x, name, weight)
        if bias is None:
            return product
        return self.recorder.op("Add", product, self.recorder.constant(bias, f"{name}.bias"))

    def _add_bias(self, x: Value, name: str, size: int) -> Value:
        r = self.recorder
        bias = self.weights.vector(f"{name}.bias", size)
        return r.op("Add", x, r.constant(bias, f"{name}.bias"))

    def _product(self, x: Value, name: str, weight: Matrix) -> Value:
        if self.form in {"float", "turned"}:
            return self._float_product(x, name, weight)
        int8 = weight if isinstance(weight, Int8Matrix) else quantize(weight)
        if self.form == "dequantize":
            return self._dequantized_product(x, name, int8)
        return self._integer_product(x, name, int8)

    def _float_product(self, x: Value, name: str, weight: Matrix) -> Value:
        matrix = floats_of(weight)
        r = self.recorder
        if self.form == "float":
            return r.op("MatMul", x, r.op("Transpose", r.constant(matrix, name), perm=[1, 0]))
        return r.op("MatMul", x, r.constant(_transposed(matrix), name))

    def _dequantized_product(self, x: Value, name: str, weight: Int8Matrix) -> Value:
        r = self.recorder
        values = r.constant(weight.values, name)
        scales = r.constant(weight.scales, f"{name}.scale")
        matrix = r.op("DequantizeLinear", values, scales, axis=0)
        return r.op("MatMul", x, r.op("Transpose", matrix, perm=[1, 0]))

    def _integer_product(self, x: Value, name: str, weight: Int8Matrix) -> Value:
        """Quantise each token by its own largest value, multiply integers, scale back.

        `DynamicQuantizeLinear` would use one scale for the whole batch: fewer operators, but then a
        text's neighbours would change its answer.
        """
        r = self.recorder
        largest = r.op("ReduceMax", r.op("Abs", x), r.integers(-1), keepdims=1)
        step = r.op("Mul", largest, r.scalar(1 / INT8_MAXIMUM))
        scale = r.op("Max", step, r.scalar(SMALLEST_SCALE))
        shifted = r.op("Add", r.op("Round", r.op("Div", x, scale)), r.scalar(SIGN_OFFSET))
        offset = r.constant(np.asarray(SIGN_OFFSET, np.uint8))
        product = r.op(
            "MatMulInteger",
            r.op("Cast", shifted, to=TensorProto.UINT8),
            r.constant(_transposed(_shifted(weight.values)), name),
            offset,
            offset,
        )
        by_token = r.op("Mul", r.op("Cast", product, to=TensorProto.FLOAT), scale)
        return r.op("Mul", by_token, r.constant(weight.scales, f"{name}.scale"))


def _transposed(matrix: NDArray[Element]) -> NDArray[Element]:
    """Transpose a matrix in memory, strip by strip.

    In one step it takes six times as long (4096 by 1024 float32 on an AMD EPYC: 85 ms, in strips
    14 ms), since each number is written to a cache line that is evicted before the next is written.
    """
    rows, columns = matrix.shape
    turned = np.empty((columns, rows), matrix.dtype)
    for first in range(0, rows, STRIP_ROWS):
        turned[:, first : first + STRIP_ROWS] = matrix[first : first + STRIP_ROWS].T
    return turned


def _shifted(values: Int8) -> NDArray[np.uint8]:
    """Store int8 values as uint8 around `SIGN_OFFSET`."""
    return (values.astype(np.int16) + SIGN_OFFSET).astype(np.uint8)
