"""What a caller is told of a load that failed."""

from earmark.errors import (
    CheckpointError,
    EarmarkError,
    HubUnavailable,
    ModelOutOfReach,
    ModelUnavailable,
    UnsupportedDevice,
    UnusableModel,
)
from earmark.serving.catalogue import KnownModel

__all__ = ["refused"]


def refused(known: KnownModel, error: BaseException, retry_after_s: float) -> EarmarkError:
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
    its_own = isinstance(error, CheckpointError) and not isinstance(error, UnsupportedDevice)
    if known.facts is not None and its_own:
        return UnusableModel(
            f"Model {known.model_id} cannot be had, or cannot run here; the server's log says why"
        )
    return ModelUnavailable(f"Model {known.model_id} cannot be loaded")
