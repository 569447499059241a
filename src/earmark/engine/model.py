"""A checkpoint on its way to a session: found, opened, and found to be one that can run."""

from contextlib import suppress
from dataclasses import dataclass

import structlog

from earmark.checkpoint.bundled import BUNDLED, bundled_ids, open_bundled
from earmark.checkpoint.config import Config, read_config
from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.files.names import CONFIG_FILE, ONNX_FILES
from earmark.checkpoint.files.repository import Repository
from earmark.checkpoint.hub.cache import CachedRepo
from earmark.checkpoint.hub.progress import HubProgress
from earmark.checkpoint.ref import BundledRef, FolderRef, HubRef, ModelRef
from earmark.domain.head import HeadKind
from earmark.domain.near_names import nearest_model
from earmark.domain.texts import Question, TextInput
from earmark.engine.identity import files_identity
from earmark.engine.ways.choice import WayChoice, both_told, choose_way, runs_from_weights
from earmark.engine.ways.foreign import embedding_rows
from earmark.engine.ways.graph import GraphWay
from earmark.engine.ways.onnx import OnnxWay
from earmark.engine.ways.pytorch import PyTorchWay
from earmark.engine.ways.way import Way, WayKind
from earmark.errors import CheckpointError, CheckpointNotFound, HubUnavailable, InvalidCheckpoint
from earmark.graph.architectures.registry import ARCHITECTURES
from earmark.runtime.compiled import CompiledModels
from earmark.runtime.session import RuntimeName
from earmark.tokenizing.load import load_tokenizer
from earmark.tokenizing.tokenizer import TextTokenizer

log = structlog.get_logger("earmark.engine")


SPECIAL_TOKENS = 16
"""More than any tokenizer puts around a text."""

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
        files: their identity, from `files_identity`.
        rows: of the word embeddings; None where they are not known.
        choice: why it is run that way.
    """

    repository: Repository
    config: Config
    tokenizer: TextTokenizer
    way: Way
    head: HeadKind
    max_tokens: int
    files: str
    rows: int | None
    choice: WayChoice

    def weights_bytes(self) -> int:
        """Return the size of the weight files; errors as of `WayChoice.weights_size`."""
        return self.choice.weights_size(self.repository)


def open_repository(ref: ModelRef, progress: HubProgress | None = None) -> LocalRepository:
    """Open a model's files; those of the Hub are fetched if they have to be.

    Args:
        ref: the model.
        progress: receives the progress of a download.

    Raises:
        CheckpointNotFound: there is no such model.
        HubUnavailable: the model cannot be fetched now, and is not in the cache.
    """
    if not isinstance(ref, HubRef):
        return _open_here(ref)
    # Imported here: the Hub's library is slow to import, and most models are not of the Hub.
    from earmark.checkpoint.hub.fetch import fetch  # noqa: PLC0415

    try:
        return fetch(ref, progress, from_weights=runs_from_weights)
    except (CheckpointNotFound, HubUnavailable) as error:
        near = nearest_model(str(ref), BUNDLED)
        if near is not None:
            error.add_note(f"did you mean {near}, which is bundled?")
        raise


def open_at_hand(ref: ModelRef) -> LocalRepository:
    """Open the same where all of it is on this machine: nobody is asked, and nothing is fetched.

    Raises:
        CheckpointNotFound: it is not, or there is no such model.
    """
    if not isinstance(ref, HubRef):
        return _open_here(ref)
    from earmark.checkpoint.hub.access import HubAccess  # noqa: PLC0415 - as above

    repo = CachedRepo.of(HubAccess.of_environment().cache, ref.repo)
    commit = repo.commit_of(ref)
    if commit is None or repo.missing(commit):
        raise CheckpointNotFound(f"{ref} is not fetched yet: earmark pull {ref}")
    return LocalRepository.open(repo.snapshot(commit), source=ref.at(commit).shown, revision=commit)


def _open_here(ref: BundledRef | FolderRef) -> LocalRepository:
    """Open a model that lies outside the Hub's cache.

    Raises:
        CheckpointNotFound: there is no such folder.
    """
    if isinstance(ref, BundledRef):
        return open_bundled(ref.name)
    there = False
    with suppress(OSError, ValueError):  # it may be no name of a file
        there = ref.folder.exists()
    if there:
        return LocalRepository.open(ref.folder)
    near = nearest_model(str(ref), BUNDLED)
    meant = f"did you mean {near}? " if near else ""
    raise CheckpointNotFound(
        f"{str(ref)[:_LONGEST_SHOWN]} is neither a folder nor a bundled model, nor can it be one"
        f" of the Hub (org/name); {meant}bundled are {', '.join(bundled_ids())}"
    )


def choose(
    repository: Repository,
    *,
    runtime: RuntimeName = "openvino",
    refused: CheckpointError | None = None,
) -> WayChoice:
    """Read a checkpoint's config, and choose how it is to run; arguments and errors as there."""
    config = read_config(repository.require(CONFIG_FILE))
    return choose_way(repository, config, runtime=runtime, refused=refused)


def open_model(
    repository: Repository,
    *,
    runtime: RuntimeName = "openvino",
    choice: WayChoice | None = None,
    compiled: CompiledModels | None = None,
) -> OpenedModel:
    """Read a checkpoint's config and tokenizer, and find the way to run it.

    Args:
        repository: its files; weights are mapped into memory, not read.
        runtime: what the operator chose to run models.
        choice: how it is to run, where that was chosen already.
        compiled: models that earlier loads compiled; None keeps none.

    Raises:
        CheckpointNotFound: a file is missing.
        InvalidCheckpoint: a file does not hold what it should.
        UnsupportedCheckpoint: there is no way to run the architecture or the head.
    """
    files = files_identity(repository)
    choice = choice or choose(repository, runtime=runtime)
    config, head = choice.config, choice.head
    _log_way(repository, choice)
    tokenizer = load_tokenizer(repository)
    rows = _embedding_rows(repository, config, tokenizer, choice.kind)
    way: OnnxWay | PyTorchWay | GraphWay
    if choice.kind != "graph":
        foreign = OnnxWay if choice.kind == "onnx" else PyTorchWay
        with both_told(choice.passed_over):
            way = foreign(repository, config, tokenizer, head)
        max_tokens = way.max_tokens
    else:
        architecture = ARCHITECTURES[config.model_type]
        way = GraphWay(repository, config, architecture, head, compiled=compiled)
        positions = architecture.positions(config)
        max_tokens = min(positions, tokenizer.max_length or positions)
    return OpenedModel(repository, config, tokenizer, way, head, max_tokens, files, rows, choice)


def has_exported_graph(repository: Repository) -> bool:
    """Say whether the graph that came with a checkpoint is at hand.

    Raises:
        InvalidCheckpoint: a Git LFS pointer stands in its place.
    """
    return any(map(repository.find, ONNX_FILES))


def have_exported_graph(ref: ModelRef, repository: LocalRepository) -> bool:
    """Have the graph that came with a checkpoint beside its weights, and say whether there is one.

    Of a model of the Hub it is fetched: the weights alone were, as long as they seemed to do.
    """
    if has_exported_graph(repository):
        return True
    if repository.revision is None or not isinstance(ref, HubRef):
        return False
    from earmark.checkpoint.hub.fetch import fetch_exported_graph  # noqa: PLC0415 - as above

    try:
        return fetch_exported_graph(ref.at(repository.revision))
    except CheckpointError as error:
        log.warning("an exported graph cannot be fetched", source=str(ref), reason=str(error))
        return False


def _log_way(repository: Repository, choice: WayChoice) -> None:
    """Log what was settled in another way than the config has it."""
    for note in choice.notes:
        log.warning(
            "config.json is read in another way than it says", source=repository.source, found=note
        )
    if choice.passed_over is not None:
        log.info(
            "the exported graph runs, since none can be written from the weights",
            source=repository.source,
            reason=str(choice.passed_over),
        )


def _embedding_rows(
    repository: Repository, config: Config, tokenizer: TextTokenizer, kind: WayKind
) -> int | None:
    """Find how many rows the word embeddings have; None where a foreign config does not say.

    A tokenizer may have more tokens than that, as long as no text meets one of them. The special
    ones, which stand around every text, have to have a row.

    Raises:
        InvalidCheckpoint: a special token has none.
    """
    rows = config.size("vocab_size") if kind == "graph" else embedding_rows(config)
    empty = (Question(0, TextInput("")), Question(1, TextInput("", "")))
    for (encoding,) in tokenizer.encode(empty, max_tokens=SPECIAL_TOKENS):
        index = encoding.beyond(rows)
        if index is not None:
            raise InvalidCheckpoint(
                f"{repository.source}: every text has the token {tokenizer.token(index)!r}, id "
                f'{index}, but the model has embeddings for {rows} ids ("vocab_size" of '
                "config.json): the tokenizer is another model's, or tokens were added to it and "
                "not to the model"
            )
    return rows
