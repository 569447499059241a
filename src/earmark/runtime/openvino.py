"""Runs graphs with OpenVINO, the default runtime on processors."""

import os
import sys
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from earmark.domain.packing import Float32, PackedBatch
from earmark.errors import EngineError, UnsupportedCheckpoint, UnsupportedDevice
from earmark.runtime.onnx_model import Feed, OnnxModelFile, feed_of
from earmark.runtime.padding import PaddedRows
from earmark.runtime.session import Graph, SessionOptions

# Importing openvino sends telemetry over the network and writes files to the home directory, unless
# its telemetry package is missing: then it uses a stub that does neither
# (openvino/tools/ovc/telemetry_utils.py). None in `sys.modules` makes a package missing.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None is documented

# oneDNN keeps 1,024 compiled kernels, one for each shape of each product: with batches of all
# shapes they grew to 130 MB for a small model, and were no faster (`make soak`).
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128")

import openvino  # noqa: E402 - must come after the line above
from openvino import CompiledModel, Core, InferRequest, Model, Tensor  # noqa: E402 - the same
from openvino.op import Constant  # noqa: E402 - the same

DEVICE = "CPU"
ACTIVATION_GROUP = 128
"""Activations are quantised in groups of this many, each with its own scale. It measured best among
the sizes that divide the hidden sizes of encoders; 0 would compute int8 weights in float32."""
_HEAD_END = b"/>\n"
_LONGEST_HEAD = 4096
"""Longest header of a file of the library's cache; it has 240 bytes in 2026.4."""
MATRIX_LAYERS = ("FullyConnected", "MatMul")


@cache
def _core() -> Core:
    """Return the only `Core` of this process, which lives as long as the process.

    The first compilation of a Core sets an alternate signal stack for the calling thread
    (sigaltstack), and deleting the Core restores the previous one. If two Cores are deleted in the
    order of their creation, the main thread keeps a stack that no longer exists, and the next
    signal, such as the SIGTERM that stops a server, is a segmentation fault.
    """
    return Core()


def native_bfloat16() -> bool:
    """Return whether the processor computes bfloat16 itself.

    Raises:
        EngineError: OpenVINO's plugin for the processor cannot be loaded, for lack of memory, say.
    """
    try:
        return "BF16" in _core().get_property(DEVICE, "OPTIMIZATION_CAPABILITIES")
    except RuntimeError as error:
        raise EngineError(f"OpenVINO cannot run on this machine: {error}") from error


class OpenVinoModel:
    """A model that OpenVINO has compiled."""

    def __init__(self, compiled: CompiledModel, device: str) -> None:
        """Take a compiled model."""
        self._compiled: CompiledModel | None = compiled
        self._request: InferRequest | None = compiled.create_infer_request()
        self._device = device

    def infer(self, feed: Feed, output: str) -> Float32:
        """Run the arrays of one batch.

        Raises:
            EngineError: OpenVINO failed, or the session is closed.
        """
        if self._request is None:
            raise EngineError("this session is closed")
        try:
            # The result is a view of the runtime's memory, which the next run overwrites.
            self._request.infer(feed, share_inputs=True)
            logits: Float32 = self._request.get_tensor(output).data.astype(np.float32)
        except RuntimeError as error:
            raise EngineError(f"OpenVINO failed on a batch: {error}") from error
        return logits

    @property
    def runtime(self) -> str:
        """The name and release of OpenVINO."""
        return f"openvino {openvino.__version__.split('-')[0]}"

    @property
    def device(self) -> str:
        """The processor's own name."""
        return self._device

    def kernels(self) -> tuple[str, ...]:
        """Return the names of the matrix products' kernels in the executed graph."""
        if self._compiled is None:
            return ()
        nodes = [node.get_rt_info() for node in self._compiled.get_runtime_model().get_ops()]
        names = {
            str(facts["primitiveType"].value)
            for facts in nodes
            if facts["layerType"].value in MATRIX_LAYERS
        }
        return tuple(sorted(names))

    def close(self) -> None:
        """Drop the compiled model."""
        self._request = None
        self._compiled = None


class OpenVinoSession(OpenVinoModel):
    """A graph written here, compiled by OpenVINO."""

    layout = "packed batches"

    def __init__(
        self, compiled: CompiledModel, device: str, *, content: NDArray[np.uint8] | None = None
    ) -> None:
        """Take a compiled model, and our own memory that contains it, if any.

        `open_openvino` and `reopen_openvino` create one.
        """
        super().__init__(compiled, device)
        self._content = content
        self._inputs = tuple(port.any_name for port in compiled.inputs)
        self._output: str = compiled.outputs[0].any_name

    def run(self, batch: PackedBatch) -> Float32:
        """Run one batch; errors as for `infer`."""
        return self.infer({name: getattr(batch, name) for name in self._inputs}, self._output)

    def close(self) -> None:
        """Drop the compiled model, then the memory that contains it."""
        super().close()
        self._content = None


class OpenVinoFile(OpenVinoModel):
    """An exported file, compiled by OpenVINO."""

    def __init__(self, compiled: CompiledModel, device: str, file: OnnxModelFile) -> None:
        """Take a compiled model; `open_openvino_file` makes one."""
        super().__init__(compiled, device)
        self._file = file

    def run_rows(self, rows: PaddedRows) -> Float32:
        """Run rows; errors as for `infer`."""
        return self.infer(feed_of(self._file, rows), self._file.output)


def open_openvino(
    graph: Graph, options: SessionOptions, *, scratch: Path | None = None
) -> OpenVinoSession:
    """Compile an ONNX graph for this processor.

    Args:
        graph: what to compile.
        options: how it is to run.
        scratch: an empty folder, into which the library writes the compiled model while compiling:
            exporting it afterwards would need memory for two more copies.

    Raises:
        UnsupportedDevice: the processor does not support the requested precision.
        EngineError: OpenVINO cannot compile the graph.
    """
    settings, core = _settings(options), _core()
    if scratch is not None:
        settings |= {"CACHE_DIR": str(scratch)}
    try:
        compiled = core.compile_model(_read(core, graph), DEVICE, settings)
    except RuntimeError as error:
        raise EngineError(f"OpenVINO cannot compile the graph: {error}") from error
    return OpenVinoSession(compiled, _device())


def reopen_openvino(content: NDArray[np.uint8], options: SessionOptions) -> OpenVinoSession:
    """Load a compiled model from the file that `open_openvino` wrote.

    Args:
        content: of the file; the model uses this memory from now on.
        options: how it is to run.

    Raises:
        UnsupportedDevice: the processor does not support the requested precision.
        EngineError: this release or this processor cannot load it.
    """
    settings, core = _settings(options), _core()
    try:
        # A line of XML, then what the device's plugin wrote.
        begins = content[:_LONGEST_HEAD].tobytes().index(_HEAD_END) + len(_HEAD_END)
        model = content[begins:]
        compiled = core.import_model(Tensor(model, shared_memory=True), DEVICE, settings)
        return OpenVinoSession(compiled, _device(), content=model)
    except (RuntimeError, ValueError) as error:
        raise EngineError(f"OpenVINO cannot take up a compiled model: {error}") from error


def open_openvino_file(file: OnnxModelFile, options: SessionOptions) -> OpenVinoFile:
    """Compile an exported ONNX file for this processor.

    Raises:
        UnsupportedDevice: the processor does not support the requested precision.
        UnsupportedCheckpoint: OpenVINO cannot read or compile the file.
    """
    settings, core = _settings(options), _core()
    try:
        # Weights beside the file would stay mapped, and the server would crash if that file became
        # shorter.
        model = core.read_model(file.path, config={"ENABLE_MMAP": False})
        compiled = core.compile_model(model, DEVICE, settings)
    except RuntimeError as error:
        raise UnsupportedCheckpoint(
            f"OpenVINO cannot run {file.path} ({error}); the runtime onnxruntime may"
        ) from error
    return OpenVinoFile(compiled, _device(), file)


def _device() -> str:
    return str(_core().get_property(DEVICE, "FULL_DEVICE_NAME"))


def _settings(options: SessionOptions) -> dict[str, object]:
    """Return the library's settings for the options.

    Raises:
        UnsupportedDevice: the processor does not support the requested precision.
    """
    if options.compute == "bfloat16" and not native_bfloat16():
        # OpenVINO would silently compute in float32.
        raise UnsupportedDevice(
            f"this processor ({_device()}) does not compute bfloat16 natively; "
            "choose the precision float32, int8 or auto"
        )
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": options.threads,
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[options.compute],
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": ACTIVATION_GROUP,
        # Pinned threads cannot leave a core that another process uses, such as a second server
        # pinned to the same cores. On an idle machine pinning makes no difference.
        "ENABLE_CPU_PINNING": False,
        # OpenVINO's own cache, beside oneDNN's; one entry would triple the time of a single text.
        "CPU_RUNTIME_CACHE_CAPACITY": 64,
    }


def _read(core: Core, graph: Graph) -> Model:
    """Read a graph, and replace inputs for matrices by constants that share their memory.

    A constant keeps its matrix alive as long as anything compiled from it does.
    """
    model = core.read_model(graph.file)
    for parameter in model.get_parameters():
        name = parameter.get_friendly_name()
        if name in graph.matrices:
            constant = Constant(graph.matrices[name], shared_memory=True)
            constant.set_friendly_name(name)
            parameter.output(0).replace(constant.output(0))
            model.remove_parameter(parameter)
    model.validate_nodes_and_infer_types()
    return model
