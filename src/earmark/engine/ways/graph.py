"""The usual way to run a checkpoint: by a graph written from its config and weights."""

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

log = structlog.get_logger("earmark.engine")


class GraphWay:
    """A checkpoint of a known architecture, with weights."""

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
        """Map the weights, without reading them.

        Args:
            repository: the checkpoint's files.
            config: its `config.json`.
            architecture: how to write its graph.
            head: what its logits mean.
            compiled: models of earlier loads; None keeps none.

        Raises:
            CheckpointNotFound: there are no weights, or a file that their index names is missing.
            InvalidCheckpoint: a file is malformed.
        """
        self._repository, self._config = repository, config
        self._architecture, self._head = architecture, head
        # Before the weights are opened: files that are replaced meanwhile have the older identity.
        self._files = files_identity(repository) if compiled is not None else ""
        self._compiled = compiled
        # Kept for the first start: reading a pickle's table of contents twice would take time.
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
        """Reuse what an earlier load compiled, or write and load the graph; as for `Way`."""
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
                # The folder may have failed, and a model must load without one too.
                log.warning("a model is compiled again, without keeping it", error=str(error))
                return self._load(precision, graphs, options)
            try:
                answers = keep.answers(session, weights_bytes)
            except EngineError as error:  # the warm-up reports it
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
        """Write the graph, close the weights files, and load the graph."""
        form = graphs.int8_weights if precision == "int8" else graphs.float_weights
        weights = self._weights or self._open()
        graph = export_graph(
            self._config, weights, architecture=self._architecture, head=self._head, form=form
        )
        # A mapped file counts as memory, and reading it fails if it is replaced or cut short.
        weights.close()
        self._weights = None
        self._learn(weights.parameters, weights.unread())
        return graphs.open_graph(graph, options, scratch)

    def _key(self, precision: ComputePrecision, graphs: GraphSupport) -> str:
        """Return a compiled model's key; other files, machines or releases have other keys."""
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
        """Record facts about the weights, and log unread tensors once."""
        self.parameters, self._unread = parameters, unread
        if unread and not self._told:
            log.warning(
                "the checkpoint holds tensors that this architecture does not use",
                source=self._repository.source,
                tensors=unread[:8],
                count=len(unread),
            )
        self._told = True
