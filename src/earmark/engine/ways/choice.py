"""Chooses the way to run a checkpoint from its files."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from earmark.checkpoint.config import Config
from earmark.checkpoint.files.names import ADAPTER_FILE, MODULES_FILE, ONNX_FILES
from earmark.checkpoint.files.repository import Repository
from earmark.checkpoint.modules import has_further_modules
from earmark.checkpoint.onnx_file import onnx_paths, read_onnx
from earmark.checkpoint.weights.files import WEIGHT_FILES, open_tensors, weights_size
from earmark.checkpoint.weights.tensor_source import TensorSource
from earmark.checkpoint.weights.weights import Weights, weigh
from earmark.domain.head import HeadKind
from earmark.engine.ways.heads import head_of_weights, likely_head, rows_of_head, with_labels
from earmark.engine.ways.onnx import head_of_graph
from earmark.engine.ways.way import WayKind
from earmark.errors import (
    CheckpointError,
    CheckpointNotFound,
    InvalidCheckpoint,
    UnsupportedCheckpoint,
)
from earmark.graph.architectures.architecture import Architecture
from earmark.graph.architectures.registry import (
    ARCHITECTURES,
    HEAD_SUFFIXES,
    class_of,
    find_family,
)
from earmark.graph.export import check_config
from earmark.runtime.pytorch import INSTALL, has_pytorch
from earmark.runtime.runtimes import RUNTIMES
from earmark.runtime.session import RuntimeName

HeaderReader: TypeAlias = Callable[[Path], TensorSource | None]
"""Reads the tensors' names and shapes from a file's beginning; None if it has no such part."""

NO_MODEL_TYPE = "unknown"
"""Architecture name of an exported graph whose config names none."""


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """Facts from the headers of the weights files.

    Attributes:
        parameters: how many numbers they hold.
        precision: the type that most of them have.
        size_bytes: size of all files together.
    """

    parameters: int
    precision: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class WayChoice:
    """The chosen way to run a checkpoint.

    Attributes:
        kind: the way.
        head: what its logits mean.
        config: `config.json`, completed from other files: architecture, class and labels.
        notes: messages for the operator.
        passed_over: why the exported graph is run, if a graph written here was to be expected.
    """

    kind: WayKind
    head: HeadKind
    config: Config
    notes: tuple[str, ...] = ()
    passed_over: CheckpointError | None = field(default=None, compare=False)

    def weights_size(self, repository: Repository) -> int:
        """Return the size in bytes of the files that this way reads weights from.

        Raises:
            CheckpointNotFound: one of them is missing.
            InvalidCheckpoint: an index or a graph is malformed.
        """
        if self.kind != "onnx":
            return weights_size(repository)
        try:
            return sum(path.stat().st_size for path in onnx_paths(repository))
        except OSError as error:
            raise CheckpointNotFound(
                f"{repository.source} lacks a file of weights: {error}"
            ) from error

    def stored(self, repository: Repository) -> StoredWeights:
        """Read the headers of the weights; errors as for `weights_size`."""
        size = self.weights_size(repository)
        if self.kind == "onnx":
            file = read_onnx(repository.require(*ONNX_FILES))
            return StoredWeights(file.parameters, file.stored_precision, size)
        return StoredWeights(*weigh(open_tensors(repository.require(*WEIGHT_FILES))), size)


def choose_way(
    repository: Repository,
    config: Config,
    *,
    runtime: RuntimeName = "openvino",
    pytorch: bool | None = None,
    refused: CheckpointError | None = None,
    header: HeaderReader | None = None,
) -> WayChoice:
    """Choose the best way that a checkpoint's files allow.

    It is a graph written here, if the architecture is known and the weights exist; else the
    exported graph; else PyTorch, which the operator may also choose.

    Args:
        repository: the checkpoint's files; for a model of the Hub that is not fetched yet, facts
            that need its weights stay open.
        config: its `config.json`.
        runtime: what the operator chose.
        pytorch: whether PyTorch and `transformers` are installed; None checks.
        refused: why writing a graph failed, if it was tried.
        header: reads the header of a weights file that is not fetched yet.

    Raises:
        CheckpointNotFound: there is nothing to run.
        InvalidCheckpoint: the config does not say what the model is.
        UnsupportedCheckpoint: no way is possible; the message says what would help.
    """
    if RUNTIMES[runtime].graphs is None:
        return _by_pytorch(repository, config)
    if refused is None:
        try:
            return _by_graph(repository, config, header)
        except (CheckpointNotFound, InvalidCheckpoint, UnsupportedCheckpoint) as error:
            refused = error
    if any(map(repository.find, ONNX_FILES)):
        return _by_exported_graph(repository, config, refused)
    if isinstance(refused, CheckpointNotFound):
        repository.require(*WEIGHT_FILES, *ONNX_FILES)
    if config.model_type in {"", *ARCHITECTURES} or isinstance(refused, InvalidCheckpoint):
        raise refused
    _refuse_additions(repository)
    head = _named_head(config)
    repository.require(*WEIGHT_FILES, *ONNX_FILES)
    if has_pytorch() if pytorch is None else pytorch:
        return _settled("pytorch", head, config, None)
    if config.section("auto_map").fields:
        raise refused
    raise UnsupportedCheckpoint(
        f"{refused}. Any other runs through transformers with {INSTALL}, or as {ONNX_FILES[0]}, "
        "which `optimum-cli export onnx` writes; neither is there"
    )


def runs_from_weights(config: Config) -> bool:
    """Return whether a graph can be written here for a config, given its weights."""
    try:
        _refuse_config(config)
    except CheckpointError:
        return False
    return True


def _refuse_config(config: Config) -> tuple[str, HeadKind | None]:
    """Find architecture and head as `find_family` does; refuse a config that no graph supports.

    All checks that need only the config are here: if one fails, an exported graph is run instead,
    and for a model of the Hub only that graph is fetched.
    """
    kind, head = find_family(config)
    check_config(config, ARCHITECTURES[kind])
    return kind, head


def _by_graph(
    repository: Repository, config: Config, header: HeaderReader | None = None
) -> WayChoice:
    kind, head = _refuse_config(config)
    return _by_weights("graph", repository, config, (kind, head), header)


def _by_pytorch(repository: Repository, config: Config) -> WayChoice:
    repository.require(*WEIGHT_FILES)
    if config.model_type in ARCHITECTURES:
        return _by_weights("pytorch", repository, config, find_family(config))
    _refuse_additions(repository)
    return _settled("pytorch", _named_head(config), config, None)


def _by_weights(
    way: WayKind,
    repository: Repository,
    config: Config,
    family: tuple[str, HeadKind | None],
    header: HeaderReader | None = None,
) -> WayChoice:
    """Find the head and its labels from the weights of a known architecture."""
    kind, head = family
    _refuse_additions(repository)
    path = repository.require(*WEIGHT_FILES)
    architecture = ARCHITECTURES[kind]
    rows = None
    if path.is_file():
        with closing(Weights.open(path, prefix=architecture.prefix)) as weights:
            head = head or head_of_weights(config, architecture, weights)
            rows = rows_of_head(architecture, head, weights)
    elif head is None:
        head, rows = _head_to_come(config, architecture, path, header)
    settled = config.but(model_type=kind, architectures=[class_of(kind, head)])
    return _settled(way, head, settled, rows)


def _head_to_come(
    config: Config, architecture: Architecture, path: Path, header: HeaderReader | None
) -> tuple[HeadKind, int | None]:
    """Return the head and its number of labels before the weights of an unnamed class are fetched.

    Raises:
        UnsupportedCheckpoint: the weights have no head, or nothing shows it before they are
            fetched: a client could make the server fetch them in vain.
    """
    tensors = header(path) if header is not None else None
    if tensors is not None:
        weights = Weights.open(path, prefix=architecture.prefix, opener=lambda _: tensors)
        head = head_of_weights(config, architecture, weights)
        return head, rows_of_head(architecture, head, weights)
    if any(config.fields.get(name) for name in ("id2label", "label2id", "problem_type")):
        return likely_head(config), None
    raise UnsupportedCheckpoint(
        f"{config.path} names no class with a head that classifies, and no labels; whether "
        f"{path.name} has such a head shows once it is fetched: run `earmark pull`, and name the "
        "model at the start"
    )


def _by_exported_graph(
    repository: Repository, config: Config, refused: CheckpointError | None
) -> WayChoice:
    """Choose the checkpoint's exported graph."""
    path = repository.require(*ONNX_FILES)
    if config.model_type not in ARCHITECTURES or isinstance(refused, CheckpointNotFound):
        refused = None  # a graph of ours was not to be expected
    with both_told(refused):
        found, rows = head_of_graph(read_onnx(path)) if path.is_file() else (None, None)
        head = _named_head(config, found)
        settled = config.but(model_type=config.model_type or NO_MODEL_TYPE)
        return replace(_settled("onnx", head, settled, rows), passed_over=refused)


@contextmanager
def both_told(refused: CheckpointError | None) -> Iterator[None]:
    """Add to the error of an exported graph why there is no graph of ours either.

    Raises:
        CheckpointError: of the same class as the error raised inside.
    """
    try:
        yield
    except (CheckpointNotFound, InvalidCheckpoint, UnsupportedCheckpoint) as error:
        if refused is None:
            raise
        raise type(error)(f"{refused}; nor does the exported graph run: {error}") from error


def _settled(kind: WayKind, head: HeadKind, config: Config, rows: int | None) -> WayChoice:
    settled, notes = with_labels(config, rows)
    return WayChoice(kind, head, settled, notes)


def _refuse_additions(repository: Repository) -> None:
    """Raise an error if other files of the folder change the model in ways that no graph supports.

    Raises:
        UnsupportedCheckpoint: there is an adapter, or the checkpoint is one module of several.
    """
    if repository.find(ADAPTER_FILE) is not None:
        raise UnsupportedCheckpoint(
            f"{repository.source} has an adapter ({ADAPTER_FILE}), which changes what its base "
            "model answers: put the two together with peft's `merge_and_unload`, and save the "
            "result with `save_pretrained`"
        )
    path = repository.find(MODULES_FILE)
    if path is not None and path.is_file() and has_further_modules(path):
        raise UnsupportedCheckpoint(
            f"{repository.source} is a sentence-transformers model of several modules "
            f"({MODULES_FILE}), which is read by that library alone; earmark runs a checkpoint "
            "with a classification head in one folder"
        )


def _named_head(config: Config, found: HeadKind | None = None) -> HeadKind:
    """Return the head of the class, or if none is named, that of the axes of a graph's logits.

    Raises:
        UnsupportedCheckpoint: the class is one for another task.
    """
    names = config.class_names
    for name in names:
        for suffix, head in HEAD_SUFFIXES.items():
            if name.endswith(suffix):
                return head
    if all(name.endswith("Model") and not name.endswith("LMHeadModel") for name in names):
        return found or likely_head(config)
    raise UnsupportedCheckpoint(
        f"{config.path}: the model class is {', '.join(names)} of the architecture (model_type) "
        f"{config.model_type!r}; supported are classes that end in {' or '.join(HEAD_SUFFIXES)}"
    )
