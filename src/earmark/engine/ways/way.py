"""The interface of every way to run a checkpoint."""

from typing import Literal, Protocol

from earmark.engine.trial import Trial
from earmark.graph.precision import ComputePrecision
from earmark.runtime.session import RuntimeName, RuntimeSession

WayKind = Literal["graph", "onnx", "pytorch"]
"""`graph`: written here, operator by operator, from config and weights; `onnx`: a graph that came
with the checkpoint; `pytorch`: a class of `transformers`."""


class Way(Protocol):
    """A way to run one checkpoint; it can be started any number of times.

    Attributes:
        kind: which of the ways it is.
        note: description of what runs; empty for the usual way.
        stored_precision: the type that most of the weights have, such as ``float32``.
        parameters: number of weights, known after the first start.
    """

    @property
    def kind(self) -> WayKind:
        """Which of the ways it is."""
        ...

    @property
    def note(self) -> str:
        """Description of what runs; empty for the usual way."""
        ...

    @property
    def stored_precision(self) -> str:
        """The type that most of the weights have, such as ``float32``."""
        ...

    @property
    def parameters(self) -> int:
        """Number of weights, known after the first start."""
        ...

    def start(
        self,
        precision: ComputePrecision,
        *,
        runtime: RuntimeName,
        threads: int,
        keep: Trial | None = None,
    ) -> RuntimeSession:
        """Load the model into a runtime; its files are not needed afterwards.

        Args:
            precision: the precision to compute in.
            runtime: what runs it.
            threads: how many the runtime may use.
            keep: the trial for a compiled model; if given, and if this way supports it, the
                compiled model is kept for later loads, and an earlier one is reused if it passes.

        Raises:
            InvalidCheckpoint: a tensor is missing or misshapen.
            UnsupportedCheckpoint: the model is not what its files say, or cannot run in this way.
            UnsupportedDevice: runtime and precision do not work together on this machine.
            EngineError: the runtime cannot load the model.
        """
        ...
