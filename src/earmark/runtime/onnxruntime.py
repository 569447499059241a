"""ONNX Runtime, the second runtime (extra ``onnxruntime``)."""

import platform
from typing import Any

import onnx

from earmark.domain.packing import Float32, PackedBatch
from earmark.errors import EngineError, UnsupportedDevice
from earmark.runtime.session import Graph, SessionOptions

__all__ = ["OnnxRuntimeSession", "open_onnxruntime"]

PROVIDER = "CPUExecutionProvider"
WARNINGS_AND_ABOVE = 3
"""ONNX Runtime's log level 3 lets errors through; what it warns of is its own affair."""


class OnnxRuntimeSession:
    """A graph loaded by ONNX Runtime."""

    def __init__(self, session: Any, graph: Graph, version: str) -> None:  # noqa: ANN401 - the library is untyped
        """Take a loaded session and the graph it uses; `open_onnxruntime` makes one."""
        # Any: onnxruntime publishes no type information.
        self._session: Any | None = session
        # The session computes with the matrices where they lie, and does not keep them alive.
        self._graph: Graph | None = graph
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
        """Drop the session, then its matrices."""
        self._session = None
        self._graph = None


def open_onnxruntime(graph: Graph, options: SessionOptions) -> OnnxRuntimeSession:
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
        names, values = list(graph.matrices), list(graph.matrices.values())
        shared = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in values]
        settings.add_external_initializers(names, shared)
        file = _with_initializers(graph)
        session = onnxruntime.InferenceSession(file, settings, providers=[PROVIDER])
    # As above: no common base class below Exception.
    except Exception as error:
        raise EngineError(f"ONNX Runtime cannot load the graph: {error}") from error
    return OnnxRuntimeSession(session, graph, onnxruntime.__version__)


def _with_initializers(graph: Graph) -> bytes:
    """Declare the matrices as tensors that lie elsewhere, which the session then fills in."""
    model = onnx.ModelProto.FromString(graph.file)
    inputs = [one for one in model.graph.input if one.name not in graph.matrices]
    for declared in model.graph.input:
        if declared.name in graph.matrices:
            kind = declared.type.tensor_type
            tensor = model.graph.initializer.add(name=declared.name, data_type=kind.elem_type)
            tensor.dims.extend(axis.dim_value for axis in kind.shape.dim)
            tensor.data_location = onnx.TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value="memory")
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    contents: bytes = model.SerializeToString()
    return contents
