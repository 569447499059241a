"""Previews a model of the Hub before it is fetched."""

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
    """A model of the Hub that can run here, according to its small files.

    Attributes:
        ref: with its commit.
        facts: facts from its config.
        to_come_bytes: how much must be fetched to load it.
    """

    ref: HubRef
    facts: ModelFacts
    to_come_bytes: int


def preview_model(ref: HubRef, access: HubAccess | None = None) -> PreviewedModel:
    """Ask the Hub for a model, and read its config.

    Args:
        ref: the model.
        access: the Hub, the token and the cache; those of the environment if not given.

    Raises:
        CheckpointNotFound: there is no such model, or access is denied.
        InvalidCheckpoint: the config is malformed; the message names no path.
        UnsupportedCheckpoint: it cannot run here; the message names no path.
        HubUnavailable: the Hub cannot be asked.
    """
    found = preview(ref, access, from_weights=runs_from_weights)
    return PreviewedModel(found.ref, _facts(found, ref.usual_id), found.to_come_bytes)


def fetch_previewed_model(
    ref: HubRef, progress: HubProgress, access: HubAccess | None = None
) -> None:
    """Fetch a previewed model into the cache, where `load_engine` finds it.

    Args:
        ref: of a previewed model.
        progress: receives the progress of the download.
        access: the access that it was previewed with.

    Raises:
        CheckpointNotFound: it no longer exists, or access is denied.
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
        # The client reads this message, so it must not contain a path.
        text = str(error).replace(f"{found.config.parent}/", "")
        raise type(error)(text) from None
