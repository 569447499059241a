"""Loads a model by its name into a running engine."""

import time
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from earmark.batching.packer import BatchLimits
from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.ref import BundledRef, ModelRef
from earmark.domain.head import HeadKind
from earmark.domain.labels import LabelSet
from earmark.domain.setting import Setting
from earmark.engine.certificate import TOLERANCES, ReferenceKind
from earmark.engine.compute_note import compute_note
from earmark.engine.engine import Engine
from earmark.engine.identity import load_identity
from earmark.engine.info import EngineInfo
from earmark.engine.model import (
    OpenedModel,
    choose,
    has_exported_graph,
    have_exported_graph,
    open_model,
    open_repository,
)
from earmark.engine.settle import CertificateStore, RunOptions, Settled, settle
from earmark.engine.thread import QueueOptions, handle_of
from earmark.engine.warmup import canary_text, warm_up
from earmark.engine.ways.choice import WayChoice
from earmark.engine.ways.way import Way
from earmark.errors import EngineError, InvalidCheckpoint, UnsupportedCheckpoint
from earmark.graph.precision import ComputePrecision, Precision
from earmark.runtime.compiled import CompiledModels
from earmark.runtime.machine import available_threads, dots_int8
from earmark.runtime.runtimes import RUNTIMES
from earmark.runtime.session import RuntimeName, RuntimeSession, closed_on_error
from earmark.tasks.task import TaskName
from earmark.tasks.zero_shot import names_entailment
from earmark.tokenizing.tokenizer import TextTokenizer


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """How a model is to run.

    Attributes:
        precision: the precision; `auto` is the fastest whose certificate holds: int8 for a
            checkpoint stored as int8, bfloat16 if the processor supports it (with AMX before
            int8), float32 otherwise.
        runtime: what runs the graph; `pytorch` runs the checkpoint with `transformers` instead, and
            is also used, if installed, for a checkpoint that nothing else can run.
        threads: number of threads; None for all cores that this process may use.
        max_batch_tokens: cells of the largest batch; raised to the longest text if that is longer.
        max_waiting_tokens: limit of the queue; what exceeds it is refused.
        stall_after_s: a run in a thread that takes longer makes the engine count as stalled.
        run_timeout_s: a run in a process that takes longer is ended with the process.
        tolerance: greatest difference of a probability; None uses the precision's own.
        certificates: of earlier loads; None keeps none.
        compiled: models that earlier loads compiled; None keeps none.
    """

    precision: Annotated[Precision, Setting("What the model computes in.")] = "auto"
    runtime: Annotated[
        RuntimeName, Setting("What runs the model; what nothing else runs goes to PyTorch.")
    ] = "openvino"
    threads: Annotated[
        Annotated[int, Meta(ge=1, le=1024)] | None,
        Setting("Threads for one batch.", default="all cores"),
    ] = None
    max_batch_tokens: Annotated[
        int, Meta(ge=16, le=1 << 20), Setting("Tokens in the largest batch.")
    ] = 1024
    max_waiting_tokens: int = 262_144
    stall_after_s: float = 60.0
    run_timeout_s: Annotated[
        Annotated[float, Meta(gt=0, le=86_400)] | None,
        Setting(
            "Seconds after which a run of the model is taken to hang, and its process is ended.",
            default="32 times what the model's warm-up says, at least 10",
        ),
    ] = None
    reference: Annotated[
        ReferenceKind,
        Setting(
            "What a model is held against when it is loaded; auto takes what passes.",
            name="certify",
        ),
    ] = "float32"
    tolerance: Annotated[
        Annotated[float, Meta(gt=0, le=1)] | None,
        Setting(
            "Greatest difference of a probability that passes.",
            default=", ".join(f"{most:g} for {name}" for name, most in TOLERANCES.items()),
        ),
    ] = None
    certificates: CertificateStore | None = None
    compiled: CompiledModels | None = None


def load_engine(
    ref: ModelRef,
    *,
    model_id: str | None = None,
    options: EngineOptions | None = None,
) -> Engine:
    """Load a model and warm it up, and run it in a thread of this process.

    Args:
        ref: the model.
        model_id: its id in requests; its usual id if not given.
        options: how it is to run.

    Raises:
        CheckpointNotFound: there is no such folder or model of the Hub, or it lacks a file.
        HubUnavailable: the model cannot be fetched now, and is not in the cache.
        InvalidCheckpoint: a file does not hold what it should.
        UnsupportedCheckpoint: there is no way to run the architecture or the head.
        UnsupportedDevice: runtime and precision do not work together on this machine.
        EngineError: the runtime failed, or memory does not suffice.
    """
    options = options or EngineOptions()
    loaded = load_model(ref, model_id=model_id, options=options)
    info, tokenizer = loaded.info, loaded.tokenizer
    with closed_on_error(loaded.session):
        canary = canary_text(tokenizer, info.max_input_tokens, info.embedding_rows)
        queue = QueueOptions(
            limits=loaded.limits,
            max_waiting_tokens=options.max_waiting_tokens,
            stall_after_s=options.stall_after_s,
        )
        handle = handle_of(loaded.session, info.model_id, loaded.head, canary, queue)
    return Engine(info, tokenizer, handle, head=loaded.head)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that can run: warmed up, with its facts.

    Attributes:
        info: facts about it.
        session: what runs it; whoever holds this closes it.
        tokenizer: its tokenizer.
        head: what its logits mean.
        limits: of its batches.
        token_s: seconds per token of the last warm-up.
    """

    info: EngineInfo
    session: RuntimeSession
    tokenizer: TextTokenizer
    head: HeadKind
    limits: BatchLimits
    token_s: float


def load_model(ref: ModelRef, *, model_id: str | None, options: EngineOptions) -> LoadedModel:
    """Open a model, choose its precision, and warm it up; arguments and errors as `load_engine`.

    After an error nothing stays open.
    """
    try:
        return _load_model(ref, model_id, options)
    except MemoryError as error:
        raise EngineError(
            f"memory does not suffice to load {ref}; give the process more, or load fewer models"
        ) from error
    except ImportError as error:  # the libraries that run it are missing
        raise EngineError(f"what runs {ref} cannot be loaded: {error}") from error


def _load_model(ref: ModelRef, model_id: str | None, options: EngineOptions) -> LoadedModel:
    started_s = time.monotonic()
    repository = open_repository(ref)
    model, limits, settled = _settled(ref, repository, options)
    session, precision = settled.session, settled.precision
    with closed_on_error(session):
        token_s = warm_up(session, model, limits)
        info = EngineInfo(
            model_id=model_id or ref.usual_id,
            tasks=tasks_of(model.head, model.config.labels()),
            architecture=model.config.model_type,
            labels=model.config.labels(),
            weights_bytes=model.weights_bytes(),
            parameters=model.way.parameters,
            precision=precision,
            requested_precision=options.precision,
            stored_precision=model.way.stored_precision,
            compute_note=_note(model.way, session, precision),
            runtime=session.runtime,
            device=session.device,
            max_input_tokens=model.max_tokens,
            max_batch_tokens=limits.max_cells,
            embedding_rows=model.rows,
            source="bundled" if isinstance(ref, BundledRef) else _origin(repository),
            revision=repository.revision,
            identity=load_identity(model.files, precision, session.runtime, session.device),
            certificate=settled.certificate,
            passed_over=settled.passed_over,
            load_s=time.monotonic() - started_s,
        )
    return LoadedModel(info, session, model.tokenizer, model.head, limits, token_s)


def _settled(
    ref: ModelRef, repository: LocalRepository, options: EngineOptions
) -> tuple[OpenedModel, BatchLimits, Settled]:
    """Open a model and start it; use its exported graph if no graph can be written.

    Whether a checkpoint has the tensors for a graph is known only when the graph is written.

    Raises:
        CheckpointError: as for `load_engine`.
        EngineError: as for `load_engine`.
    """
    choice: WayChoice | None = None
    try:
        choice = choose(repository, runtime=options.runtime)
        return _started(repository, choice, options)
    except (InvalidCheckpoint, UnsupportedCheckpoint) as error:
        # Without a choice, an exported graph would have been considered already.
        tried = has_exported_graph(repository) if choice is None else choice.kind != "graph"
        if (
            tried
            or RUNTIMES[options.runtime].graphs is None
            or not have_exported_graph(ref, repository)
        ):
            raise
        refused = error
    choice = choose(repository, runtime=options.runtime, refused=refused)
    return _started(repository, choice, options)


def _started(
    repository: LocalRepository, choice: WayChoice, options: EngineOptions
) -> tuple[OpenedModel, BatchLimits, Settled]:
    model = open_model(repository, choice=choice, compiled=options.compiled)
    limits = BatchLimits(options.max_batch_tokens).holding(model.max_tokens)
    return model, limits, settle(model, model.files, limits, _run_options(options))


def _origin(repository: LocalRepository) -> str:
    return repository.source if repository.revision else str(repository.folder.resolve())


def _run_options(options: EngineOptions) -> RunOptions:
    return RunOptions(
        precision=options.precision,
        runtime=options.runtime,
        threads=options.threads or available_threads(),
        reference=options.reference,
        tolerance=options.tolerance,
        certificates=options.certificates,
    )


def _note(way: Way, session: RuntimeSession, precision: ComputePrecision) -> str:
    """Describe what runs, if it is not a graph written here, and its kernels."""
    how = [way.note, session.layout] if way.note else []
    kernels = compute_note(precision, session.kernels(), dots_int8=dots_int8())
    return ", ".join(filter(None, (*how, kernels)))


def tasks_of(head: HeadKind, labels: LabelSet) -> tuple[TaskName, ...]:
    """List the tasks that a model can do, its own first.

    The own task of a model with a label that means entailment is zero-shot classification. Any
    other model that chooses between labels can do it too, as in the reference, which then takes the
    last label for entailment. A model with one label scores pairs: it ranks documents.
    """
    if head == "token":
        return ("token-classification",)
    if names_entailment(labels):
        return ("zero-shot-classification", "text-classification")
    if len(labels) == 1:
        return ("text-classification", "text-ranking")
    if labels.problem_type != "regression":
        return ("text-classification", "zero-shot-classification")
    return ("text-classification",)
