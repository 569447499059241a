"""What a caller is told of a load that failed."""

from earmark.errors import (
    CheckpointError,
    EarmarkError,
    HubUnavailable,
    ModelOutOfReach,
    ModelUnavailable,
    UnusableModel,
)
from earmark.serving.catalogue import KnownModel

__all__ = ["refused"]


def refused(known: KnownModel, error: Exception, retry_after_s: float) -> EarmarkError:
    """Say whose affair it is; what is wrong may name files, and is for the log.

    Args:
        known: the model.
        error: raised by its load.
        retry_after_s: when another load may begin.

    Returns:
        An error for the caller: his own where he named a model of the Hub that cannot run.
    """
    if known.facts is not None and isinstance(error, HubUnavailable):
        return ModelOutOfReach(
            f"Model {known.model_id} cannot be fetched from the Hub for now; the server's log says"
            " why",
            retry_after_s=retry_after_s,
        )
    if known.facts is not None and isinstance(error, CheckpointError):
        return UnusableModel(
            f"Model {known.model_id} cannot run here: a file of it does not do; the server's log"
            " says which"
        )
    return ModelUnavailable(f"Model {known.model_id} cannot be loaded")
