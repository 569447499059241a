"""From a folder, or a bundled id, to a living engine."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog

from earmark.batching.packer import BatchLimits, answers_of, pack
from earmark.batching.queue import TicketQueue
from earmark.batching.splitting import BatchRun
from earmark.batching.worker import Worker
from earmark.checkpoint.bundled import BUNDLED, bundled_ids, open_bundled
from earmark.checkpoint.config import Config, read_config
from earmark.checkpoint.local import LocalRepository
from earmark.checkpoint.repository import Repository
from earmark.checkpoint.weights import Weights
from earmark.domain.encoding import Encoding
from earmark.domain.head import HeadKind, ModelHead
from earmark.domain.labels import LabelSet
from earmark.engine.engine import Engine
from earmark.engine.events import Tally
from earmark.engine.info import EngineInfo
from earmark.errors import CheckpointNotFound, InvalidCheckpoint
from earmark.graph.architectures.architecture import Architecture
from earmark.graph.architectures.registry import find_architecture
from earmark.graph.export import export_graph
from earmark.graph.precision import ComputePrecision, Precision, choose_precision
from earmark.graph.writer import WeightForm
from earmark.runtime.devices import available_threads, computes_bfloat16, open_session
from earmark.runtime.session import RuntimeName, RuntimeSession, SessionOptions
from earmark.tasks.task import TaskName
from earmark.tasks.zero_shot import names_entailment
from earmark.tokenizing.tokenizer import TextTokenizer, load_tokenizer

__all__ = ["EngineOptions", "load_engine", "open_repository"]

log = structlog.get_logger("earmark.engine")

WARM_UP_TOKENS = (8, 32, 128)
"""Lengths of the texts that are run once before the first request: the runtime prepares itself
at the first run, and again for new shapes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """How a model is to run.

    Attributes:
        precision: what to compute in; `auto` is bfloat16 where the processor has it and float32
            elsewhere, and int8 for a checkpoint stored so.
        runtime: what runs the graph.
        threads: how many the runtime may use; None for all cores this process may.
        max_batch_tokens: cells of the largest batch; raised to the longest text where that is
            longer.
        max_waiting_tokens: more tokens than this in the queue are refused at the door.
        stall_after_s: a run that takes longer makes the engine count as stalled.
    """

    precision: Precision = "auto"
    runtime: RuntimeName = "openvino"
    threads: int | None = None
    max_batch_tokens: int = 1024
    max_waiting_tokens: int = 262_144
    stall_after_s: float = 60.0


@dataclass(frozen=True, slots=True)
class _Files:
    """A checkpoint, opened and found to be one that can run."""

    repository: Repository
    config: Config
    weights: Weights
    tokenizer: TextTokenizer
    architecture: Architecture
    head: HeadKind
    max_tokens: int


def open_repository(source: str) -> LocalRepository:
    """Open a bundled id or a folder.

    Raises:
        CheckpointNotFound: it is neither.
    """
    if source in BUNDLED:
        return open_bundled(source)
    folder = Path(source).expanduser()
    if not folder.exists():
        raise CheckpointNotFound(
            f"{source} is neither a folder nor a bundled model; "
            f"bundled are {', '.join(bundled_ids())}"
        )
    return LocalRepository.open(folder)


def load_engine(
    source: str,
    *,
    model_id: str | None = None,
    options: EngineOptions | None = None,
) -> Engine:
    """Load a model and warm it up.

    Args:
        source: a bundled id, such as ``earmark/sentiment``, or a folder.
        model_id: what requests call it; a bundled id or the folder's name where not given.
        options: how it is to run.

    Raises:
        CheckpointNotFound: there is no such folder, or it lacks a file.
        InvalidCheckpoint: a file does not hold what it should.
        UnsupportedCheckpoint: the architecture or the head is not supported.
        UnsupportedDevice: runtime and precision do not go together on this machine.
        EngineError: the runtime failed.
    """
    started_s = time.monotonic()
    options = options or EngineOptions()
    files = _open(open_repository(source))
    precision = choose_precision(
        options.precision,
        stored_dtype=files.weights.stored_dtype,
        native_bfloat16=options.precision == "auto" and computes_bfloat16(options.runtime),
    )
    session = _session(files, precision, options)
    limits = BatchLimits(options.max_batch_tokens).holding(files.max_tokens)
    _warm_up(session, files, limits)
    name = model_id or (source if source in BUNDLED else Path(source).resolve().name)
    info = EngineInfo(
        model_id=name,
        tasks=tasks_of(files.head, files.config.labels()),
        architecture=files.config.text("model_type"),
        labels=files.config.labels(),
        parameters=files.weights.parameters,
        precision=precision,
        requested_precision=options.precision,
        stored_precision=files.weights.stored_dtype,
        compute_note=_compute_note(precision, session.kernels()),
        runtime=session.runtime,
        device=session.device,
        max_input_tokens=files.max_tokens,
        max_batch_tokens=limits.max_cells,
        source="bundled" if source in BUNDLED else str(Path(source).resolve()),
        load_s=time.monotonic() - started_s,
    )
    tally = Tally(name)

    def run(encodings: Sequence[Encoding]) -> BatchRun:
        batch = pack(encodings, limits)
        return BatchRun(answers_of(batch, session.run(batch), files.head), batch.cells)

    queue = TicketQueue(limits, options.max_waiting_tokens)
    worker = Worker(queue, run, tally)
    head = ModelHead(files.head, info.labels, files.tokenizer.pieces)
    return Engine(
        info,
        files.tokenizer,
        worker,
        head=head,
        tally=tally,
        stall_after_s=options.stall_after_s,
    )


def tasks_of(head: HeadKind, labels: LabelSet) -> tuple[TaskName, ...]:
    """List what a model can do, what it is for first.

    A model with a label that means entailment is for zero-shot classification. Any other that
    chooses between labels can be asked for it too, as in the reference, which then takes the last
    label for entailment.
    """
    if head == "token":
        return ("token-classification",)
    if names_entailment(labels):
        return ("zero-shot-classification", "text-classification")
    if len(labels) > 1 and labels.problem_type != "regression":
        return ("text-classification", "zero-shot-classification")
    return ("text-classification",)


def _open(repository: Repository) -> _Files:
    """Read config and tokenizer, and map the weights into memory."""
    config = read_config(repository.require("config.json"))
    architecture, head = find_architecture(config)
    tokenizer = load_tokenizer(repository)
    rows = config.size("vocab_size")
    if tokenizer.vocabulary_size > rows:
        raise InvalidCheckpoint(
            f"{repository.source}: the tokenizer has {tokenizer.vocabulary_size} ids, but the "
            f'model has embeddings for {rows} ("vocab_size" of config.json)'
        )
    weights = Weights.open(repository.require("model.safetensors"), prefix=architecture.prefix)
    positions = architecture.positions(config)
    max_tokens = min(positions, tokenizer.max_length or positions)
    return _Files(repository, config, weights, tokenizer, architecture, head, max_tokens)


def _session(files: _Files, precision: ComputePrecision, options: EngineOptions) -> RuntimeSession:
    """Write the graph and load it; the graph's bytes are dropped at once."""
    form: WeightForm = "float"
    if precision == "int8":
        form = "dequantize" if options.runtime == "openvino" else "integer"
    graph = export_graph(
        files.config,
        files.weights,
        architecture=files.architecture,
        head=files.head,
        form=form,
    )
    unread = files.weights.unread()
    if unread:
        log.warning(
            "the checkpoint holds tensors that this architecture does not use",
            source=files.repository.source,
            tensors=unread[:8],
            count=len(unread),
        )
    compute = SessionOptions(
        compute="bfloat16" if precision == "bfloat16" else "float32",
        threads=options.threads or available_threads(),
    )
    return open_session(options.runtime, graph, compute)


def _warm_up(session: RuntimeSession, files: _Files, limits: BatchLimits) -> None:
    """Run a few batches, so that the first request is as fast as the tenth.

    Raises:
        InvalidCheckpoint: the model's answers are not finite.
    """
    for tokens in WARM_UP_TOKENS:
        length = min(tokens, files.max_tokens)
        encoding = Encoding((0,) * length, (0,) * length)
        logits = session.run(pack([encoding], limits))
    if not np.isfinite(logits).all():
        raise InvalidCheckpoint(
            f"{files.repository.source}: the model answers NaN or infinity even for the simplest "
            "text; its weights are damaged, or overflow in this precision"
        )


def _compute_note(precision: ComputePrecision, kernels: Sequence[str]) -> str:
    """Say how the processor carries a precision out, as its kernels' names tell."""
    if not kernels:
        return ""
    names = ", ".join(kernels)
    if precision == "int8" and all(kernel.endswith("f32") for kernel in kernels):
        return f"int8 weights, float32 arithmetic ({names}): this processor has no int8 dot product"
    return f"kernels {names}"
