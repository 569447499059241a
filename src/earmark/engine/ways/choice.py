"""Which of the ways a checkpoint is run in, by what its files are."""

from dataclasses import dataclass

from earmark.checkpoint.config import Config
from earmark.checkpoint.file_names import ONNX_FILES
from earmark.checkpoint.onnx_file import onnx_paths, read_onnx
from earmark.checkpoint.repository import Repository
from earmark.checkpoint.weight_files import WEIGHT_FILES, open_tensors, weights_size
from earmark.checkpoint.weights import weigh
from earmark.domain.head import HeadKind
from earmark.engine.ways.way import WayKind
from earmark.errors import CheckpointNotFound, UnsupportedCheckpoint
from earmark.graph.architectures.registry import ARCHITECTURES, find_architecture
from earmark.graph.export import check_config
from earmark.runtime.pytorch import INSTALL, has_pytorch
from earmark.runtime.session import RuntimeName

__all__ = ["StoredWeights", "WayChoice", "choose_way"]

SUFFIXES: dict[str, HeadKind] = {
    "ForSequenceClassification": "sequence",
    "ForTokenClassification": "token",
}
"""How `transformers` ends the names of its classes."""


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """What the files of the weights say.

    Attributes:
        parameters: how many numbers they hold.
        precision: the type that most of them have.
        size_bytes: of all files together.
    """

    parameters: int
    precision: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class WayChoice:
    """How a checkpoint is to run.

    Attributes:
        kind: the way.
        head: what its logits are for.
    """

    kind: WayKind
    head: HeadKind

    def weights_size(self, repository: Repository) -> int:
        """Weigh the files that this way reads weights from, in bytes.

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
        """Read the headers of the weights; errors as of `weights_size`."""
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
) -> WayChoice:
    """Choose the best way that a checkpoint's files allow.

    A graph written here, where the architecture is known and the weights are at hand; else the
    graph that came with it; else PyTorch, which an operator may also ask for.

    Args:
        repository: the checkpoint's files.
        config: its `config.json`.
        runtime: what the operator chose.
        pytorch: whether PyTorch and `transformers` are installed; None looks.

    Raises:
        CheckpointNotFound: there is nothing to run.
        InvalidCheckpoint: the config does not say what it is.
        UnsupportedCheckpoint: none of the ways is open; the message says what would open one.
    """
    head = _head_of(config)
    has_weights = any(map(repository.find, WEIGHT_FILES))
    if runtime == "pytorch":
        repository.require(*WEIGHT_FILES)
        return WayChoice("pytorch", head)
    if has_weights and config.text("model_type") in ARCHITECTURES:
        check_config(config, ARCHITECTURES[config.text("model_type")])
        return WayChoice("graph", head)
    if any(map(repository.find, ONNX_FILES)):
        return WayChoice("onnx", head)
    repository.require(*WEIGHT_FILES, *ONNX_FILES)
    if has_pytorch() if pytorch is None else pytorch:
        return WayChoice("pytorch", head)
    raise UnsupportedCheckpoint(
        f"{config.path}: the architecture (model_type) is {config.text('model_type')!r}; "
        f"supported are {', '.join(ARCHITECTURES)}. Any other runs through transformers with "
        f"{INSTALL}, or as {ONNX_FILES[0]}, which `optimum-cli export onnx` writes; "
        "neither is there"
    )


def _head_of(config: Config) -> HeadKind:
    """Tell the head of an architecture that is known, or of any that is named as usual."""
    if config.text("model_type") in ARCHITECTURES:
        return find_architecture(config)[1]
    name = config.class_name
    for suffix, head in SUFFIXES.items():
        if name.endswith(suffix):
            return head
    raise UnsupportedCheckpoint(
        f"{config.path}: the model class is {name} of the architecture (model_type) "
        f"{config.text('model_type')!r}; supported are classes that end in "
        f"{' or '.join(SUFFIXES)}"
    )
