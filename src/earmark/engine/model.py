"""A checkpoint on its way to a session: found, opened, written as a graph, loaded."""

from dataclasses import dataclass
from pathlib import Path

import structlog

from earmark.checkpoint.bundled import BUNDLED, bundled_ids, open_bundled
from earmark.checkpoint.config import Config, read_config
from earmark.checkpoint.local import LocalRepository
from earmark.checkpoint.repository import Repository
from earmark.checkpoint.weight_files import WEIGHT_FILES
from earmark.checkpoint.weights import Weights
from earmark.domain.head import HeadKind
from earmark.errors import CheckpointNotFound, InvalidCheckpoint
from earmark.graph.architectures.architecture import Architecture
from earmark.graph.architectures.registry import find_architecture
from earmark.graph.export import export_graph
from earmark.graph.precision import ComputePrecision
from earmark.graph.writer import WeightForm
from earmark.runtime.devices import open_session
from earmark.runtime.session import RuntimeName, RuntimeSession, SessionOptions
from earmark.tokenizing.tokenizer import TextTokenizer, load_tokenizer

__all__ = ["OpenedModel", "open_model", "open_repository", "start_session"]

log = structlog.get_logger("earmark.engine")


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A checkpoint, opened and found to be one that can run; its weights are mapped, not read.

    Attributes:
        repository: its files.
        config: `config.json`.
        weights: its tensors.
        tokenizer: its tokenizer.
        architecture: how to write its graph.
        head: what its logits are for.
        max_tokens: longest text, special tokens included.
    """

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


def open_model(source: str) -> OpenedModel:
    """Open a bundled id or a folder: read config and tokenizer, map the weights into memory.

    Raises:
        CheckpointNotFound: there is no such folder, or it lacks a file.
        InvalidCheckpoint: a file does not hold what it should.
        UnsupportedCheckpoint: the architecture or the head is not supported.
    """
    repository = open_repository(source)
    config = read_config(repository.require("config.json"))
    architecture, head = find_architecture(config)
    tokenizer = load_tokenizer(repository)
    rows = config.size("vocab_size")
    if tokenizer.vocabulary_size > rows:
        raise InvalidCheckpoint(
            f"{repository.source}: the tokenizer has {tokenizer.vocabulary_size} ids, but the "
            f'model has embeddings for {rows} ("vocab_size" of config.json)'
        )
    weights = Weights.open(repository.require(*WEIGHT_FILES), prefix=architecture.prefix)
    positions = architecture.positions(config)
    max_tokens = min(positions, tokenizer.max_length or positions)
    return OpenedModel(repository, config, weights, tokenizer, architecture, head, max_tokens)


def start_session(
    model: OpenedModel, precision: ComputePrecision, *, runtime: RuntimeName, threads: int
) -> RuntimeSession:
    """Write a model's graph, let go of the weight files, and load the graph.

    Raises:
        InvalidCheckpoint: a tensor is missing or misshapen.
        UnsupportedDevice: runtime and precision do not go together on this machine.
        EngineError: the runtime cannot load the graph.
    """
    form: WeightForm = "float" if runtime == "openvino" else "turned"
    if precision == "int8":
        form = "dequantize" if runtime == "openvino" else "integer"
    graph = export_graph(
        model.config,
        model.weights,
        architecture=model.architecture,
        head=model.head,
        form=form,
    )
    # A mapped file counts as memory, and must not be needed any more when somebody replaces it.
    model.weights.close()
    unread = model.weights.unread()
    if unread:
        log.warning(
            "the checkpoint holds tensors that this architecture does not use",
            source=model.repository.source,
            tensors=unread[:8],
            count=len(unread),
        )
    compute = SessionOptions(
        compute="bfloat16" if precision == "bfloat16" else "float32",
        threads=threads,
    )
    return open_session(runtime, graph, compute)
