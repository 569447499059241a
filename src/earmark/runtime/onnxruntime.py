"""Runs graphs with ONNX Runtime, the second runtime (extra ``onnxruntime``)."""

import platform
from typing import Any

import numpy as np
import onnx

from earmark.domain.packing import Float32, PackedBatch
from earmark.errors import EngineError, UnsupportedCheckpoint, UnsupportedDevice
from earmark.runtime.onnx_model import Feed, OnnxModelFile, feed_of
from earmark.runtime.padding import PaddedRows
from earmark.runtime.session import Graph, SessionOptions

PROVIDER = "CPUExecutionProvider"
WARNINGS_AND_ABOVE = 3
"""ONNX Runtime's log level 3 shows errors; its warnings do not concern the operator."""


class OnnxRuntimeModel:
    """A model in ONNX Runtime."""

    def __init__(self, session: Any, version: str) -> None:  # noqa: ANN401 - the library is untyped
        """Take a loaded session."""
        # Any: onnxruntime publishes no type information.
        self._session: Any | None = session
        self._version = version

    def infer(self, feed: Feed, output: str) -> Float32:
        """Run the arrays of one batch.

        Raises:
            EngineError: ONNX Runtime failed, or the session is closed.
        """
        if self._session is None:
            raise EngineError("this session is closed")
        try:
            logits: Float32 = self._session.run([output], feed)[0].astype(np.float32, copy=False)
        # The library raises a family of classes that derive from Exception alone.
        except Exception as error:
            raise EngineError(f"ONNX Runtime failed on a batch: {error}") from error
        return logits

    @property
    def runtime(self) -> str:
        """The name and release of ONNX Runtime."""
        return f"onnxruntime {self._version}"

    @property
    def device(self) -> str:
        """The kind of processor; ONNX Runtime does not report its name."""
        return platform.processor() or platform.machine()

    def kernels(self) -> tuple[str, ...]:
        """Return nothing: ONNX Runtime does not report its kernels."""
        return ()

    def close(self) -> None:
        """Drop the session."""
        self._session = None


class OnnxRuntimeSession(OnnxRuntimeModel):
    """A graph written here, loaded by ONNX Runtime."""

    layout = "packed batches"

    def __init__(self, session: Any, graph: Graph, version: str) -> None:  # noqa: ANN401 - as above
        """Take a loaded session and the graph it uses; `open_onnxruntime` makes one."""
        super().__init__(session, version)
        # The session uses the matrices in place, and does not keep them alive.
        self._graph: Graph | None = graph
        self._inputs = tuple(one.name for one in session.get_inputs())
        self._output: str = session.get_outputs()[0].name

    def run(self, batch: PackedBatch) -> Float32:
        """Run one batch; errors as for `infer`."""
        return self.infer({name: getattr(batch, name) for name in self._inputs}, self._output)

    def close(self) -> None:
        """Drop the session, then its matrices."""
        super().close()
        self._graph = None


class OnnxRuntimeFile(OnnxRuntimeModel):
    """An exported file, loaded by ONNX Runtime."""

    def __init__(self, session: Any, file: OnnxModelFile, version: str) -> None:  # noqa: ANN401 - as above
        """Take a loaded session; `open_onnxruntime_file` makes one."""
        super().__init__(session, version)
        self._file = file

    def run_rows(self, rows: PaddedRows) -> Float32:
        """Run rows; errors as for `infer`."""
        return self.infer(feed_of(self._file, rows), self._file.output)


def open_onnxruntime(graph: Graph, options: SessionOptions) -> OnnxRuntimeSession:
    """Load an ONNX graph on the processor.

    Raises:
        UnsupportedDevice: the package is not installed, or bfloat16 was requested.
        EngineError: ONNX Runtime cannot load the graph.
    """
    onnxruntime, settings = _library(options)
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


def open_onnxruntime_file(file: OnnxModelFile, options: SessionOptions) -> OnnxRuntimeFile:
    """Load an exported ONNX file on the processor.

    Raises:
        UnsupportedDevice: the package is not installed, or bfloat16 was requested.
        UnsupportedCheckpoint: ONNX Runtime cannot load the file.
    """
    onnxruntime, settings = _library(options)
    try:
        session = onnxruntime.InferenceSession(str(file.path), settings, providers=[PROVIDER])
    # As above: no common base class below Exception.
    except Exception as error:
        raise UnsupportedCheckpoint(
            f"ONNX Runtime cannot run {file.path} ({error}); the runtime openvino may"
        ) from error
    return OnnxRuntimeFile(session, file, onnxruntime.__version__)


def _library(options: SessionOptions) -> tuple[Any, Any]:
    """Import the library, and create its session options.

    Returns:
        The module and its options; Any, since it publishes no type information.

    Raises:
        UnsupportedDevice: the package is not installed, or bfloat16 was requested.
    """
    if options.compute == "bfloat16":
        raise UnsupportedDevice(
            "onnxruntime does not compute bfloat16 on a processor; choose the precision "
            "float32, int8 or auto, or the runtime openvino"
        )
    try:
        import onnxruntime  # noqa: PLC0415 - an extra that takes half a second to import
    except ImportError as error:
        raise UnsupportedDevice(
            "the runtime onnxruntime is not installed; pip install 'earmark[onnxruntime]'"
        ) from error
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.log_severity_level = WARNINGS_AND_ABOVE
    # Idle threads that spin would take the cores from the event loop and the tokenizer.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime, settings


def _with_initializers(graph: Graph) -> bytes:
    """Declare the matrices as external tensors, which the session then fills in."""
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
