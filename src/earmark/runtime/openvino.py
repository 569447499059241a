"""OpenVINO, the default runtime on processors."""

import sys
from functools import cache

from earmark.domain.packing import Float32, PackedBatch
from earmark.errors import EngineError, UnsupportedDevice
from earmark.runtime.session import Graph, SessionOptions

# Importing openvino reports to its maker over the network and writes files to the home directory,
# unless its telemetry package is missing: then it takes a stub that does neither
# (openvino/tools/ovc/telemetry_utils.py). None in `sys.modules` makes a package missing.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None is documented

import openvino  # noqa: E402 - after the line above, which is the point of it
from openvino import CompiledModel, Core, InferRequest, Model  # noqa: E402 - the same
from openvino.op import Constant  # noqa: E402 - the same

__all__ = ["OpenVinoSession", "native_bfloat16", "open_openvino"]

DEVICE = "CPU"
ACTIVATION_GROUP = 128
"""Activations are quantised in groups of this many, each with its own scale. Measured best of
the sizes that the hidden sizes of encoders are multiples of; 0 would compute int8 weights in
float32."""
MATRIX_LAYERS = ("FullyConnected", "MatMul")


@cache
def _core() -> Core:
    """Return the library's one object of this process, which lives as long as the process.

    The first compilation of a Core gives the calling thread an alternate stack for signals
    (sigaltstack) and the end of the Core takes it away, restoring what stood there before. Two of
    them that end in the order they began leave the main thread with a stack that is gone, and the
    next signal, such as the SIGTERM that ends a server, is a segmentation fault.
    """
    return Core()


def native_bfloat16() -> bool:
    """Say whether the processor computes bfloat16 itself."""
    return "BF16" in _core().get_property(DEVICE, "OPTIMIZATION_CAPABILITIES")


class OpenVinoSession:
    """A graph compiled by OpenVINO."""

    def __init__(self, compiled: CompiledModel, device: str) -> None:
        """Take a compiled model; `open_openvino` makes one."""
        self._compiled: CompiledModel | None = compiled
        self._request: InferRequest | None = compiled.create_infer_request()
        self._inputs = tuple(port.any_name for port in compiled.inputs)
        self._device = device

    def run(self, batch: PackedBatch) -> Float32:
        """Run one batch.

        Raises:
            EngineError: OpenVINO failed, or the session is closed.
        """
        if self._request is None:
            raise EngineError("this session is closed")
        feed = {name: getattr(batch, name) for name in self._inputs}
        try:
            # The result is a view of the runtime's memory, which the next run overwrites.
            self._request.infer(feed, share_inputs=True)
            logits: Float32 = self._request.get_output_tensor(0).data.copy()
        except RuntimeError as error:
            raise EngineError(f"OpenVINO failed on a batch: {error}") from error
        return logits

    @property
    def runtime(self) -> str:
        """OpenVINO and its release."""
        return f"openvino {openvino.__version__.split('-')[0]}"

    @property
    def device(self) -> str:
        """The processor's own name."""
        return self._device

    def kernels(self) -> tuple[str, ...]:
        """Name the kernels of the matrix products, as the executed graph tells them."""
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


def open_openvino(graph: Graph, options: SessionOptions) -> OpenVinoSession:
    """Compile an ONNX graph for this processor.

    Raises:
        UnsupportedDevice: the processor does not compute in the precision asked for.
        EngineError: OpenVINO cannot compile the graph.
    """
    hint = {"float32": "f32", "bfloat16": "bf16"}[options.compute]
    settings: dict[str, object] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": options.threads,
        "INFERENCE_PRECISION_HINT": hint,
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": ACTIVATION_GROUP,
        # Pinned threads cannot leave a core that another process is using, such as a second server
        # pinned to the same ones. On a quiet machine it makes no difference.
        "ENABLE_CPU_PINNING": False,
    }
    core = _core()
    device = str(core.get_property(DEVICE, "FULL_DEVICE_NAME"))
    if options.compute == "bfloat16" and not native_bfloat16():
        # OpenVINO would take the hint and compute in float32 without a word.
        raise UnsupportedDevice(
            f"this processor ({device}) does not compute bfloat16 natively; "
            "choose the precision float32, int8 or auto"
        )
    try:
        compiled = core.compile_model(_read(core, graph), DEVICE, settings)
    except RuntimeError as error:
        raise EngineError(f"OpenVINO cannot compile the graph: {error}") from error
    return OpenVinoSession(compiled, device)


def _read(core: Core, graph: Graph) -> Model:
    """Read a graph, and put constants that share the matrices' memory in their inputs' places.

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
