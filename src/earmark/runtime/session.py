"""The interface of a session: a graph on a device, in any runtime."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from earmark.domain.packing import Float32, PackedBatch

GraphRuntime = Literal["openvino", "onnxruntime"]
"""Runtimes for ONNX: graphs written here, and exported files."""
RuntimeName = Literal[GraphRuntime, "pytorch"]
"""All runtimes; PyTorch runs the classes of `transformers`, and no ONNX."""

WeightForm = Literal["float", "turned", "dequantize", "integer"]
"""The form of a linear layer's weight in the graph.

`float`: float32 as in the checkpoint, through `Transpose` into a `MatMul`; OpenVINO multiplies this
without transposing.
`turned`: transposed when the graph is written; for ONNX Runtime, which would transpose it itself
and keep both.
`dequantize`: int8 through `DequantizeLinear` into a `MatMul`, which OpenVINO runs on int8 kernels
with dynamically quantised activations, if the processor has them.
`integer`: activations quantised in the graph, token by token, and `MatMulInteger`; for ONNX
Runtime, which runs `dequantize` in float32.
"""

ComputeHint = Literal["float32", "bfloat16"]
"""The precision of the graph's float operations."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph and, separately, the matrices that would make its file large.

    Runtimes use the matrices in place. In the file, each would be copied for the message, for the
    file, for the runtime's reader and for the runtime's own form; and ONNX files are limited to
    2 GB.

    Attributes:
        file: an ONNX file in which each matrix is declared as an input, after the real inputs.
        matrices: by the input's name; C-contiguous, and never changed.
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
        """Run one batch; not thread-safe.

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
        """How texts are laid out in a run, such as ``packed batches``."""
        ...

    def kernels(self) -> tuple[str, ...]:
        """Return the names of the matrix kernels in use, after a first run; empty if unknown."""
        ...

    def close(self) -> None:
        """Free the memory; the session cannot run afterwards."""
        ...


@contextmanager
def closed_on_error(session: RuntimeSession) -> Iterator[None]:
    """Close a session if the block raises; otherwise leave it open."""
    try:
        yield
    except BaseException:
        session.close()
        raise
