"""A graph on a device, ready to run, whatever runtime carries it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from earmark.domain.packing import Float32, PackedBatch

__all__ = [
    "ComputeHint",
    "Graph",
    "GraphRuntime",
    "RuntimeName",
    "RuntimeSession",
    "SessionOptions",
    "WeightForm",
    "closed_on_error",
]

GraphRuntime = Literal["openvino", "onnxruntime"]
"""What runs ONNX: the graphs written here, and files that others exported."""
RuntimeName = Literal[GraphRuntime, "pytorch"]
"""What may be chosen; PyTorch runs a model's own code out of `transformers`, and no ONNX."""

WeightForm = Literal["float", "turned", "dequantize", "integer"]
"""How a linear layer's weight stands in the graph.

`float`: float32 as the checkpoint has it, through `Transpose` into a `MatMul`; OpenVINO multiplies
so without turning anything.
`turned`: the same, turned when it is written; for ONNX Runtime, which would turn it itself and keep
both.
`dequantize`: int8 through `DequantizeLinear` into a `MatMul`, which OpenVINO runs on int8
kernels with activations quantised as they come, where the processor has them.
`integer`: activations quantised in the graph, token by token, and `MatMulInteger`; for ONNX
Runtime, which runs the other form in float32.
"""

ComputeHint = Literal["float32", "bfloat16"]
"""What float operations of the graph are computed in."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph and, beside it, the matrices that would make its file large.

    Runtimes use the matrices where they lie: inside the file each would be copied for the message,
    for the file, for the runtime's reading of it and for its own form; and ONNX files end at 2 GB.

    Attributes:
        file: an ONNX file in which each matrix is declared an input, after the real ones.
        matrices: by the input's name; C-contiguous, and nobody changes them any more.
    """

    file: bytes
    matrices: Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """How a graph is to run.

    Attributes:
        compute: precision of float operations.
        threads: how many the runtime may use.
    """

    compute: ComputeHint
    threads: int


class RuntimeSession(Protocol):
    """A graph on a device."""

    def run(self, batch: PackedBatch) -> Float32:
        """Run one batch; one caller at a time.

        Returns:
            Logits: ``[texts, labels]`` or, for a token head, ``[rows, width, labels]``.

        Raises:
            EngineError: the runtime failed.
        """
        ...

    @property
    def runtime(self) -> str:
        """The runtime and its version, such as ``openvino 2026.4.1``."""
        ...

    @property
    def device(self) -> str:
        """The device's own name."""
        ...

    @property
    def layout(self) -> str:
        """How texts stand in what it runs, such as ``packed batches``."""
        ...

    def kernels(self) -> tuple[str, ...]:
        """Name the matrix kernels in use, once a batch has run; empty where unknown."""
        ...

    def close(self) -> None:
        """Give the memory back; the session cannot run any more."""
        ...


@contextmanager
def closed_on_error(session: RuntimeSession) -> Iterator[None]:
    """Close a session where the block fails; otherwise whoever opened it goes on with it."""
    try:
        yield
    except BaseException:
        session.close()
        raise
