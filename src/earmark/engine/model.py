"""A checkpoint on its way to a session: found, opened, and found to be one that can run."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from earmark.checkpoint.bundled import BUNDLED, bundled_ids, open_bundled
from earmark.checkpoint.config import Config, read_config
from earmark.checkpoint.hub_cache import CachedRepo
from earmark.checkpoint.hub_id import HubId
from earmark.checkpoint.hub_progress import HubProgress
from earmark.checkpoint.local import LocalRepository
from earmark.checkpoint.repository import Repository
from earmark.domain.head import HeadKind
from earmark.domain.near_names import nearest_model
from earmark.engine.ways.choice import choose_way
from earmark.engine.ways.graph import GraphWay
from earmark.engine.ways.onnx import OnnxWay
from earmark.engine.ways.pytorch import PyTorchWay
from earmark.engine.ways.way import Way, WayKind
from earmark.errors import CheckpointNotFound, HubUnavailable, InvalidCheckpoint
from earmark.graph.architectures.registry import ARCHITECTURES, find_architecture
from earmark.runtime.compiled import CompiledModels
from earmark.runtime.session import RuntimeName
from earmark.tokenizing.tokenizer import TextTokenizer, load_tokenizer

__all__ = ["OpenedModel", "open_at_hand", "open_model", "open_repository"]

_LONGEST_SHOWN = 200
"""Characters of a name that is no model's."""


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A checkpoint, opened; its weights are mapped, not read.

    Attributes:
        repository: its files.
        config: `config.json`.
        tokenizer: its tokenizer.
        way: how it is run.
        head: what its logits are for.
        max_tokens: longest text, special tokens included.
    """

    repository: Repository
    config: Config
    tokenizer: TextTokenizer
    way: Way
    head: HeadKind
    max_tokens: int


def open_repository(source: str, progress: HubProgress | None = None) -> LocalRepository:
    """Open a bundled id, a folder, or a model of the Hub, which is fetched if it has to be.

    Args:
        source: which; of a folder and a model of the Hub with one name it is the folder.
        progress: is told of a download.

    Raises:
        CheckpointNotFound: it is none of them.
        HubUnavailable: the model cannot be fetched now, and is not in the cache.
    """
    found = _located(source)
    if isinstance(found, LocalRepository):
        return found
    # Imported here: the Hub's library is slow to import, and most models are not of the Hub.
    from earmark.checkpoint.hub import fetch  # noqa: PLC0415

    try:
        return fetch(found, progress, graph_types=ARCHITECTURES)
    except (CheckpointNotFound, HubUnavailable) as error:
        near = nearest_model(source, BUNDLED)
        if near is not None:
            error.add_note(f"did you mean {near}, which is bundled?")
        raise


def open_at_hand(source: str) -> LocalRepository:
    """Open the same where all of it is on this machine: nobody is asked, and nothing is fetched.

    Raises:
        CheckpointNotFound: it is not, or is no model at all.
    """
    found = _located(source)
    if isinstance(found, LocalRepository):
        return found
    from earmark.checkpoint.hub_access import HubAccess  # noqa: PLC0415 - as above

    repo = CachedRepo.of(HubAccess.of_environment().cache, found.repo)
    commit = repo.commit_of(found)
    if commit is None or repo.missing(commit):
        raise CheckpointNotFound(f"{found} is not fetched yet: earmark pull {found}")
    return LocalRepository.open(
        repo.snapshot(commit), source=found.at(commit).shown, revision=commit
    )


def _located(source: str) -> LocalRepository | HubId:
    """Tell what a source is, and open it if it lies outside the Hub's cache.

    Raises:
        CheckpointNotFound: it can be no model.
    """
    if source in BUNDLED:
        return open_bundled(source)
    folder = None
    with suppress(OSError, ValueError, RuntimeError):  # it cannot be the name of a file, or a user
        named = Path(source).expanduser()
        folder = named if named.exists() else None
    if folder is not None:
        return LocalRepository.open(folder)
    hub_id = HubId.read(source)
    if hub_id is None:
        near = nearest_model(source, BUNDLED)
        meant = f"did you mean {near}? " if near else ""
        raise CheckpointNotFound(
            f"{source[:_LONGEST_SHOWN]} is neither a folder nor a bundled model, nor can it be one"
            f" of the Hub (org/name); {meant}bundled are {', '.join(bundled_ids())}"
        )
    return hub_id


def open_model(
    repository: Repository,
    *,
    runtime: RuntimeName = "openvino",
    compiled: CompiledModels | None = None,
) -> OpenedModel:
    """Read a checkpoint's config and tokenizer, and find the way to run it.

    Args:
        repository: its files; weights are mapped into memory, not read.
        runtime: what the operator chose to run models.
        compiled: models that earlier loads compiled; None keeps none.

    Raises:
        CheckpointNotFound: a file is missing.
        InvalidCheckpoint: a file does not hold what it should.
        UnsupportedCheckpoint: there is no way to run the architecture or the head.
    """
    config = read_config(repository.require("config.json"))
    choice = choose_way(repository, config, runtime=runtime)
    tokenizer = load_tokenizer(repository)
    _check_vocabulary(repository, config, tokenizer, choice.kind)
    head = choice.head
    if choice.kind != "graph":
        foreign = OnnxWay if choice.kind == "onnx" else PyTorchWay
        way = foreign(repository, config, tokenizer, head)
        return OpenedModel(repository, config, tokenizer, way, head, way.max_tokens)
    architecture, _ = find_architecture(config)
    graph = GraphWay(repository, config, architecture, head, compiled=compiled)
    positions = architecture.positions(config)
    max_tokens = min(positions, tokenizer.max_length or positions)
    return OpenedModel(repository, config, tokenizer, graph, head, max_tokens)


def _check_vocabulary(
    repository: Repository, config: Config, tokenizer: TextTokenizer, kind: WayKind
) -> None:
    """Hold the tokenizer against the rows of the embeddings; some foreign configs count none.

    Raises:
        InvalidCheckpoint: the tokenizer has ids beyond them.
    """
    if kind != "graph" and config.fields.get("vocab_size") is None:
        return
    rows = config.size("vocab_size")
    if tokenizer.vocabulary_size > rows:
        raise InvalidCheckpoint(
            f"{repository.source}: the tokenizer has {tokenizer.vocabulary_size} ids, but the "
            f'model has embeddings for {rows} ("vocab_size" of config.json)'
        )
