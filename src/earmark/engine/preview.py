"""What a model is before it is loaded, read from its small files, here or on the Hub."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from earmark.checkpoint.config import Config, read_config
from earmark.checkpoint.files.names import CONFIG_FILE
from earmark.checkpoint.hub.progress import HubProgress
from earmark.checkpoint.ref import HubRef, ModelRef
from earmark.domain.head import HeadKind
from earmark.engine.info import ModelFacts
from earmark.engine.load import tasks_of
from earmark.engine.model import open_at_hand
from earmark.engine.ways.choice import choose_way, runs_from_weights
from earmark.errors import InvalidCheckpoint, UnsupportedCheckpoint

if TYPE_CHECKING:
    from earmark.checkpoint.hub.access import HubAccess
    from earmark.checkpoint.hub.preview import HubPreview

# The Hub's modules are imported where they are used: its library is slow to import, and most
# servers never ask it.


@dataclass(frozen=True, slots=True)
class PreviewedModel:
    """A model of the Hub that can run here, as far as its small files show.

    Attributes:
        ref: with its commit.
        facts: what its config says.
        to_come_bytes: what has to be fetched before it can be loaded.
    """

    ref: HubRef
    facts: ModelFacts
    to_come_bytes: int


def read_facts(ref: ModelRef, *, model_id: str) -> ModelFacts:
    """Read what the files of a model on this machine say, without asking the network.

    Args:
        ref: the model; one of the Hub has to be in the cache.
        model_id: what requests call it.

    Raises:
        CheckpointError: a file is missing or malformed, or the architecture is not supported.
    """
    repository = open_at_hand(ref)
    choice = choose_way(repository, read_config(repository.require(CONFIG_FILE)))
    return _facts(
        choice.config,
        choice.head,
        model_id=model_id,
        weights_bytes=choice.weights_size(repository),
        revision=repository.revision,
    )


def preview_model(ref: HubRef, access: "HubAccess | None" = None) -> PreviewedModel:
    """Ask the Hub for a model, and read its config.

    Args:
        ref: the model.
        access: to which Hub, as whom and into which cache; as the environment says if not given.

    Raises:
        CheckpointNotFound: there is no such model, or not for this caller.
        InvalidCheckpoint: the config does not hold what it should; no message names a path.
        UnsupportedCheckpoint: it cannot run here; no message names a path.
        HubUnavailable: the Hub cannot be asked.
    """
    from earmark.checkpoint.hub.preview import preview  # noqa: PLC0415 - slow to import

    found = preview(ref, access, from_weights=runs_from_weights)
    return PreviewedModel(found.ref, _facts_of_the_hub(found, ref.usual_id), found.to_come_bytes)


def fetch_previewed_model(
    ref: HubRef, progress: HubProgress, access: "HubAccess | None" = None
) -> None:
    """Fetch a model that was previewed into the cache, where `load_engine` finds it.

    Args:
        ref: of a previewed model.
        progress: hears of what is downloaded.
        access: as it was previewed.

    Raises:
        CheckpointNotFound: it is not there any more, or not for this caller.
        HubUnavailable: it cannot be fetched now.
    """
    from earmark.checkpoint.hub.preview import fetch_previewed  # noqa: PLC0415 - slow to import

    fetch_previewed(ref, progress, access, from_weights=runs_from_weights)


def _facts_of_the_hub(found: "HubPreview", model_id: str) -> ModelFacts:
    try:
        choice = choose_way(found, read_config(found.config), header=found.header)
        return _facts(
            choice.config,
            choice.head,
            model_id=model_id,
            weights_bytes=found.weights_bytes,
            revision=found.revision,
        )
    except (InvalidCheckpoint, UnsupportedCheckpoint) as error:
        # The client who named the model reads this, and must not learn where it lies.
        text = str(error).replace(f"{found.config.parent}/", "")
        raise type(error)(text) from None


def _facts(
    config: Config, head: HeadKind, *, model_id: str, weights_bytes: int, revision: str | None
) -> ModelFacts:
    labels = config.labels()
    return ModelFacts(
        model_id=model_id,
        tasks=tasks_of(head, labels),
        architecture=config.model_type,
        labels=labels,
        weights_bytes=weights_bytes,
        revision=revision,
    )
