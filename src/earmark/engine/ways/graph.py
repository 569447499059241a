"""The usual way: a graph written from the config and the weights."""

import structlog

from earmark.checkpoint.config import Config
from earmark.checkpoint.repository import Repository
from earmark.checkpoint.weight_files import WEIGHT_FILES
from earmark.checkpoint.weights import Weights
from earmark.domain.head import HeadKind
from earmark.engine.ways.way import WayKind
from earmark.errors import UnsupportedDevice
from earmark.graph.architectures.architecture import Architecture
from earmark.graph.export import export_graph
from earmark.graph.precision import ComputePrecision
from earmark.graph.writer import WeightForm
from earmark.runtime.devices import open_session
from earmark.runtime.session import ComputeHint, RuntimeName, RuntimeSession, SessionOptions

__all__ = ["GraphWay"]

log = structlog.get_logger("earmark.engine")


class GraphWay:
    """A checkpoint of a known architecture whose weights are at hand."""

    kind: WayKind = "graph"
    note = ""

    def __init__(
        self, repository: Repository, config: Config, architecture: Architecture, head: HeadKind
    ) -> None:
        """Look at the weights, which are mapped and not read.

        Args:
            repository: the checkpoint's files.
            config: its `config.json`.
            architecture: how to write its graph.
            head: what its logits are for.

        Raises:
            CheckpointNotFound: there are no weights, or a file that their index names is missing.
            InvalidCheckpoint: a file is malformed.
        """
        self._repository, self._config = repository, config
        self._architecture, self._head = architecture, head
        # Kept for the first start: reading a pickle's table of contents twice takes its time.
        self._weights: Weights | None = self._open()
        self.stored_precision = self._weights.stored_dtype
        self.parameters = 0
        self._told = False

    def start(
        self, precision: ComputePrecision, *, runtime: RuntimeName, threads: int
    ) -> RuntimeSession:
        """Write the graph, let go of the weight files, and load the graph; errors as of `Way`."""
        if runtime == "pytorch":
            raise UnsupportedDevice(
                "PyTorch runs no graphs; open the checkpoint for it, or choose the runtime "
                "openvino or onnxruntime"
            )
        form: WeightForm = "float" if runtime == "openvino" else "turned"
        if precision == "int8":
            form = "dequantize" if runtime == "openvino" else "integer"
        weights, self._weights = self._weights or self._open(), None
        graph = export_graph(
            self._config, weights, architecture=self._architecture, head=self._head, form=form
        )
        # A mapped file counts as memory, and must not be needed when somebody replaces it.
        weights.close()
        self.parameters = weights.parameters
        self._tell_unread(weights.unread())
        hint: ComputeHint = "bfloat16" if precision == "bfloat16" else "float32"
        return open_session(runtime, graph, SessionOptions(compute=hint, threads=threads))

    def _open(self) -> Weights:
        file = self._repository.require(*WEIGHT_FILES)
        return Weights.open(file, prefix=self._architecture.prefix)

    def _tell_unread(self, unread: tuple[str, ...]) -> None:
        if unread and not self._told:
            log.warning(
                "the checkpoint holds tensors that this architecture does not use",
                source=self._repository.source,
                tensors=unread[:8],
                count=len(unread),
            )
        self._told = True
