"""The usual way: a graph written from the config and the weights."""

import hashlib
from pathlib import Path

import structlog

from earmark.checkpoint.config import Config
from earmark.checkpoint.files.repository import Repository
from earmark.checkpoint.weights.files import WEIGHT_FILES, weights_size
from earmark.checkpoint.weights.weights import Weights
from earmark.domain.head import HeadKind
from earmark.engine.identity import files_identity
from earmark.engine.trial import Trial
from earmark.engine.ways.way import WayKind
from earmark.errors import EngineError, UnsupportedDevice
from earmark.graph.architectures.architecture import Architecture
from earmark.graph.export import export_graph
from earmark.graph.precision import ComputePrecision
from earmark.graph.source import source_identity
from earmark.runtime.compiled import CompiledModels
from earmark.runtime.machine import machine_identity
from earmark.runtime.runtimes import GRAPH_RUNTIMES, RUNTIMES, GraphSupport
from earmark.runtime.session import (
    ComputeHint,
    RuntimeName,
    RuntimeSession,
    SessionOptions,
    closed_on_error,
)

__all__ = ["GraphWay"]

log = structlog.get_logger("earmark.engine")


class GraphWay:
    """A checkpoint of a known architecture whose weights are at hand."""

    kind: WayKind = "graph"
    note = ""

    def __init__(
        self,
        repository: Repository,
        config: Config,
        architecture: Architecture,
        head: HeadKind,
        *,
        compiled: CompiledModels | None = None,
    ) -> None:
        """Look at the weights, which are mapped and not read.

        Args:
            repository: the checkpoint's files.
            config: its `config.json`.
            architecture: how to write its graph.
            head: what its logits are for.
            compiled: models of earlier loads; None keeps none.

        Raises:
            CheckpointNotFound: there are no weights, or a file that their index names is missing.
            InvalidCheckpoint: a file is malformed.
        """
        self._repository, self._config = repository, config
        self._architecture, self._head = architecture, head
        # Before the weights are looked at: what is replaced meanwhile goes by the older name.
        self._files = files_identity(repository) if compiled is not None else ""
        self._compiled = compiled
        # Kept for the first start: reading a pickle's table of contents twice takes its time.
        self._weights: Weights | None = self._open()
        self.stored_precision = self._weights.stored_dtype
        self.parameters = 0
        self._unread: tuple[str, ...] = ()
        self._told = False

    def start(
        self,
        precision: ComputePrecision,
        *,
        runtime: RuntimeName,
        threads: int,
        keep: Trial | None = None,
    ) -> RuntimeSession:
        """Take up what an earlier load compiled, or write the graph and load it; as of `Way`."""
        graphs = RUNTIMES[runtime].graphs
        if graphs is None:
            raise UnsupportedDevice(
                f"{RUNTIMES[runtime].title} runs no graphs; open the checkpoint for it, or choose"
                f" the runtime {' or '.join(GRAPH_RUNTIMES)}"
            )
        hint: ComputeHint = "bfloat16" if precision == "bfloat16" else "float32"
        options = SessionOptions(compute=hint, threads=threads)
        if keep is None or self._compiled is None or graphs.reopen is None:
            return self._load(precision, graphs, options)
        key, weights_bytes = self._key(precision, graphs), weights_size(self._repository)
        kept = self._compiled.find(key)
        if kept is not None:
            try:
                with kept.taken_up():
                    session = graphs.reopen(kept.read, options)
                    with closed_on_error(session):
                        keep.check(session, weights_bytes, kept.facts.answers)
            except EngineError as error:
                log.warning("a compiled model is of no use", error=str(error))
                self._compiled.forget(kept)
            else:
                self._let_go()
                self._learn(kept.facts.parameters, kept.facts.unread)
                return session
        with self._compiled.scratch(weights_bytes) as scratch:
            if scratch is None:
                return self._load(precision, graphs, options)
            try:
                session = self._load(precision, graphs, options, scratch)
            except EngineError as error:
                # It may be the folder that failed, and a model has to load without one too.
                log.warning("a model is compiled again, without keeping it", error=str(error))
                return self._load(precision, graphs, options)
            try:
                answers = keep.answers(session, weights_bytes)
            except EngineError as error:  # it will show when the model is warmed up
                log.warning("a compiled model is not kept", error=str(error))
                return session
            self._compiled.keep(
                key, scratch, parameters=self.parameters, unread=self._unread, answers=answers
            )
            return session

    def _load(
        self,
        precision: ComputePrecision,
        graphs: GraphSupport,
        options: SessionOptions,
        scratch: Path | None = None,
    ) -> RuntimeSession:
        """Write the graph, let go of the weight files, and load the graph."""
        form = graphs.int8_weights if precision == "int8" else graphs.float_weights
        weights = self._weights or self._open()
        graph = export_graph(
            self._config, weights, architecture=self._architecture, head=self._head, form=form
        )
        # A mapped file counts as memory, and must not be needed when somebody replaces it.
        weights.close()
        self._weights = None
        self._learn(weights.parameters, weights.unread())
        return graphs.open_graph(graph, options, scratch)

    def _key(self, precision: ComputePrecision, graphs: GraphSupport) -> str:
        """Tell a compiled model from that of other files, another machine or another release."""
        how = (precision, source_identity(), machine_identity(*graphs.packages))
        return hashlib.sha256(repr((self._files, self._head, how)).encode()).hexdigest()[:32]

    def _let_go(self) -> None:
        if self._weights is not None:
            self._weights.close()
            self._weights = None

    def _open(self) -> Weights:
        file = self._repository.require(*WEIGHT_FILES)
        return Weights.open(file, prefix=self._architecture.prefix)

    def _learn(self, parameters: int, unread: tuple[str, ...]) -> None:
        """Note what the weights were found to be, and say once what is left over."""
        self.parameters, self._unread = parameters, unread
        if unread and not self._told:
            log.warning(
                "the checkpoint holds tensors that this architecture does not use",
                source=self._repository.source,
                tensors=unread[:8],
                count=len(unread),
            )
        self._told = True
