"""What every way to run a checkpoint has in common."""

from typing import Literal, Protocol

from earmark.engine.trial import Trial
from earmark.graph.precision import ComputePrecision
from earmark.runtime.session import RuntimeName, RuntimeSession

__all__ = ["Way", "WayKind"]

WayKind = Literal["graph", "onnx", "pytorch"]
"""`graph`: written here, operator by operator, from config and weights; `onnx`: a graph that came
with the checkpoint; `pytorch`: a class of `transformers`."""


class Way(Protocol):
    """A way to run one checkpoint; it can be started any number of times.

    Attributes:
        kind: which of the ways it is.
        note: what runs, in words; nothing for the usual way.
        stored_precision: the type that most of the weights have, such as ``float32``.
        parameters: weights that the model has, once it was started.
    """

    @property
    def kind(self) -> WayKind:
        """Which of the ways it is."""
        ...

    @property
    def note(self) -> str:
        """What runs, in words; nothing for the usual way."""
        ...

    @property
    def stored_precision(self) -> str:
        """The type that most of the weights have, such as ``float32``."""
        ...

    @property
    def parameters(self) -> int:
        """Weights that the model has, once it was started."""
        ...

    def start(
        self,
        precision: ComputePrecision,
        *,
        runtime: RuntimeName,
        threads: int,
        keep: Trial | None = None,
    ) -> RuntimeSession:
        """Load the model into a runtime; the files are not needed any more afterwards.

        Args:
            precision: what to compute in.
            runtime: what runs it.
            threads: how many that may use.
            keep: keep for later loads what the runtime makes of the model, and take up what an
                earlier one kept, if this way can and it stands this trial; None does neither.

        Raises:
            InvalidCheckpoint: a tensor is missing or misshapen.
            UnsupportedCheckpoint: the model is not what its files say, or cannot be run so.
            UnsupportedDevice: runtime and precision do not go together on this machine.
            EngineError: the runtime cannot load the model.
        """
        ...
