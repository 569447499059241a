"""The errors that clients get for a model that cannot be had."""

import re

from earmark.checkpoint.ref import FolderRef
from earmark.errors import (
    CheckpointError,
    CheckpointNotFound,
    EarmarkError,
    HubUnavailable,
    ModelOutOfReach,
    ModelUnavailable,
    UnsupportedDevice,
    UnusableModel,
)
from earmark.models.catalogue import KnownModel
from earmark.models.lifecycle import TooLarge

_LONGEST_REASON = 500
"""Characters: a message may repeat a file of the model, which can be a stranger's."""

_GIGABYTE = 1_000_000_000

_FOLDERS = re.compile(r"(?<![\w.:/-])/(?:[^\s/'\"]+/)+")
"""The folders of an absolute path."""


def refused(known: KnownModel, error: BaseException, *, retry_after_s: float = 1.0) -> EarmarkError:
    """Return the error that a client gets for a model's own error.

    It says who can mend what is wrong: the client, the operator or the developers. No message names
    a folder of this machine, or says of a model of the Hub who may read it.

    Args:
        known: the model.
        error: raised by its load, or when its files were looked at.
        retry_after_s: when another load may begin.
    """
    of_hub = known.facts is not None
    if of_hub and isinstance(error, HubUnavailable):
        return ModelOutOfReach(
            f"Model {known.model_id} cannot be fetched from the Hub for now; the server's log says"
            " why",
            retry_after_s=retry_after_s,
        )
    if of_hub and isinstance(error, CheckpointNotFound):
        return UnusableModel(f"Model {known.model_id} cannot be had; the server's log says why")
    if isinstance(error, UnsupportedDevice):  # runtime, device and precision are the operator's
        return ModelUnavailable(
            f"Model {known.model_id} cannot run as this server is set: {_reason(known, error)}"
        )
    if isinstance(error, CheckpointError):
        return UnusableModel(f"Model {known.model_id} cannot run here: {_reason(known, error)}")
    return ModelUnavailable(f"Model {known.model_id} cannot be loaded")


def too_large(known: KnownModel, step: TooLarge) -> UnusableModel:
    """Return the error for a model that does not fit into the memory that models may take."""
    stays = f", of which {_size(step.stays_bytes)} are taken by models that stay"
    return UnusableModel(
        f"Model {known.model_id} needs about {_size(step.needed_bytes)} of memory, and all models"
        f" together may take {_size(step.budget_bytes)}{stays if step.stays_bytes else ''}"
    )


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= _GIGABYTE else f"{size / 1e6:.0f} MB"


def _reason(known: KnownModel, error: BaseException) -> str:
    """Put an error into words that name files as they are called in the model's own folder."""
    text = str(error)
    folder = str(known.ref.folder) if isinstance(known.ref, FolderRef) else None
    if folder is not None:
        text = text.replace(f"{folder}/", "")
    text = _FOLDERS.sub("", text)
    if folder is not None and folder != known.model_id:
        text = text.replace(folder, "the model")
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"
