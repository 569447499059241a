"""What can be known of a model of the Hub before it is fetched."""

from dataclasses import dataclass

from earmark.checkpoint.config import read_config
from earmark.checkpoint.hub.access import HubAccess
from earmark.checkpoint.hub.preview import HubPreview, fetch_previewed, preview
from earmark.checkpoint.hub.progress import HubProgress
from earmark.checkpoint.ref import HubRef
from earmark.engine.facts import ModelFacts, config_facts
from earmark.engine.ways.choice import choose_way, runs_from_weights
from earmark.errors import InvalidCheckpoint, UnsupportedCheckpoint

__all__ = ["PreviewedModel", "fetch_previewed_model", "preview_model"]


@dataclass(frozen=True, slots=True)
class PreviewedModel:
    """A model of the Hub that can run here, as far as its small files tell.

    Attributes:
        ref: with its commit.
        facts: what its config says.
        to_come_bytes: what has to be fetched before.
    """

    ref: HubRef
    facts: ModelFacts
    to_come_bytes: int


def preview_model(ref: HubRef, access: HubAccess | None = None) -> PreviewedModel:
    """Ask the Hub for a model, and read its config.

    Args:
        ref: the model.
        access: to which Hub, as whom and into which cache; as the environment says if not given.

    Raises:
        CheckpointNotFound: there is no such model, or not for this caller.
        InvalidCheckpoint: the config does not hold what it should; no message names a path.
        UnsupportedCheckpoint: it cannot run here; the same.
        HubUnavailable: the Hub cannot be asked.
    """
    found = preview(ref, access, from_weights=runs_from_weights)
    return PreviewedModel(found.ref, _facts(found, ref.usual_id), found.to_come_bytes)


def fetch_previewed_model(
    ref: HubRef, progress: HubProgress, access: HubAccess | None = None
) -> None:
    """Have a model that was previewed in the cache, so that `load_engine` finds it there.

    Args:
        ref: of a previewed model.
        progress: is told of what is downloaded.
        access: as it was previewed.

    Raises:
        CheckpointNotFound: it is not there any more, or not for this caller.
        HubUnavailable: it cannot be fetched now.
    """
    fetch_previewed(ref, progress, access, from_weights=runs_from_weights)


def _facts(found: HubPreview, model_id: str) -> ModelFacts:
    try:
        choice = choose_way(found, read_config(found.config), header=found.header)
        return config_facts(
            choice.config,
            choice.head,
            model_id=model_id,
            weights_bytes=found.weights_bytes,
            revision=found.revision,
        )
    except (InvalidCheckpoint, UnsupportedCheckpoint) as error:
        # Whoever named the model reads this: where it lies is not for him.
        text = str(error).replace(f"{found.config.parent}/", "")
        raise type(error)(text) from None
