"""ONNX Runtime, the second runtime (extra ``onnxruntime``)."""

import platform
from typing import Any

from earmark.domain.packing import Float32, PackedBatch
from earmark.errors import EngineError, UnsupportedDevice
from earmark.runtime.session import SessionOptions

__all__ = ["OnnxRuntimeSession", "open_onnxruntime"]

PROVIDER = "CPUExecutionProvider"
WARNINGS_AND_ABOVE = 3
"""ONNX Runtime's log level 3 lets errors through; what it warns of is its own affair."""


class OnnxRuntimeSession:
    """A graph loaded by ONNX Runtime."""

    def __init__(self, session: Any, version: str) -> None:  # noqa: ANN401 - the library is untyped
        """Take a loaded session; `open_onnxruntime` makes one."""
        # Any: onnxruntime publishes no type information.
        self._session: Any | None = session
        self._inputs = tuple(one.name for one in session.get_inputs())
        self._version = version

    def run(self, batch: PackedBatch) -> Float32:
        """Run one batch.

        Raises:
            EngineError: ONNX Runtime failed, or the session is closed.
        """
        if self._session is None:
            raise EngineError("this session is closed")
        feed = {name: getattr(batch, name) for name in self._inputs}
        try:
            logits: Float32 = self._session.run(None, feed)[0]
        # The library raises a family of classes that derive from Exception alone.
        except Exception as error:
            raise EngineError(f"ONNX Runtime failed on a batch: {error}") from error
        return logits

    @property
    def runtime(self) -> str:
        """ONNX Runtime and its release."""
        return f"onnxruntime {self._version}"

    @property
    def device(self) -> str:
        """The kind of processor; ONNX Runtime does not know its name."""
        return platform.processor() or platform.machine()

    def kernels(self) -> tuple[str, ...]:
        """Name nothing: ONNX Runtime does not tell its kernels."""
        return ()

    def close(self) -> None:
        """Drop the session."""
        self._session = None


def open_onnxruntime(graph: bytes, options: SessionOptions) -> OnnxRuntimeSession:
    """Load an ONNX graph on the processor.

    Raises:
        UnsupportedDevice: the package is not installed, or bfloat16 was asked for.
        EngineError: ONNX Runtime cannot load the graph.
    """
    if options.compute == "bfloat16":
        raise UnsupportedDevice(
            "onnxruntime does not compute bfloat16 on a processor; choose the precision "
            "float32, int8 or auto, or the runtime openvino"
        )
    try:
        import onnxruntime  # noqa: PLC0415 - an extra, and half a second to import
    except ImportError as error:
        raise UnsupportedDevice(
            "the runtime onnxruntime is not installed; pip install 'earmark[onnxruntime]'"
        ) from error
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.log_severity_level = WARNINGS_AND_ABOVE
    # Idle threads that spin would take the cores from the event loop and the tokenizer.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(graph, settings, providers=[PROVIDER])
    # As above: no common base class below Exception.
    except Exception as error:
        raise EngineError(f"ONNX Runtime cannot load the graph: {error}") from error
    return OnnxRuntimeSession(session, onnxruntime.__version__)
