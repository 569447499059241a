"""A graph on a device, ready to run, whatever runtime carries it."""

from dataclasses import dataclass
from typing import Literal, Protocol

from earmark.domain.packing import Float32, PackedBatch

__all__ = ["RUNTIMES", "ComputeHint", "RuntimeName", "RuntimeSession", "SessionOptions"]

RuntimeName = Literal["openvino", "onnxruntime"]
RUNTIMES: tuple[RuntimeName, ...] = ("openvino", "onnxruntime")

ComputeHint = Literal["float32", "bfloat16"]
"""What float operations of the graph are computed in."""


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

    def kernels(self) -> tuple[str, ...]:
        """Name the matrix kernels in use, once a batch has run; empty where unknown."""
        ...

    def close(self) -> None:
        """Give the memory back; the session cannot run any more."""
        ...
