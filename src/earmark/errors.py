"""Every error that earmark raises on purpose, divided by who can act.

    EarmarkError
    ├── RequestError            the client can act: the request is wrong
    │   ├── InvalidInput          a field is missing, of the wrong type or out of range
    │   │   ├── EmptyInput          a list that has to hold something is empty
    │   │   └── UnreadInput         a member that nothing reads, where the server is strict
    │   ├── RequestTooLarge       the body or a list in it is over the limit
    │   ├── UnsupportedCoding     the body is compressed in a way that is not accepted
    │   ├── AccessDenied          an access key is needed, and none or a wrong one was sent
    │   ├── UnknownModel          no such model is served here
    │   ├── UnusableModel         the files of the requested model cannot run here
    │   └── UnsupportedTask       the model is served but cannot do this task
    ├── CapacityError           waiting can help; carries ``retry_after_s``
    │   ├── QueueFull             more work is waiting than the server accepts
    │   ├── DeadlineExceeded      the answer was not ready in time
    │   ├── ModelLoading          the model is being loaded; carries ``estimated_time_s``
    │   ├── ModelNotLoaded        the model is not loaded, and the request forbids loading it
    │   ├── ModelOutOfReach       the Hub, which may have the model, cannot be reached now
    │   └── ShuttingDown          the server is shutting down
    ├── CheckpointError         the operator can act: the files of a model, or how it is to run
    │   ├── CheckpointNotFound    no such folder, file, bundled id or model of the Hub
    │   ├── InvalidCheckpoint     a file is there but does not hold what it should
    │   ├── UnsupportedCheckpoint the files are fine but earmark cannot run them
    │   ├── UnsupportedDevice     runtime, device and precision do not work together
    │   ├── HubUnavailable        a model of the Hub could not be fetched; a later try may succeed
    │   └── ModelUnavailable      a model could not be loaded on demand
    ├── SettingsError           the operator can act: a flag, a variable or the settings file
    ├── AddressUnavailable      the operator can act: the host or port to listen on
    ├── StateUnavailable        the operator can act: the file that keeps state between runs
    └── EngineError             we can act: a bug, or a machine that misbehaves
        └── TextFault             it failed on one text, and the message can be shown
            ├── NonFiniteScore      the model answered NaN or infinity for a text
            ├── TokenizerFault      the tokenizer failed on a text
            └── EngineEnded         the engine's process ended, twice, while it ran a text

This module has no HTTP statuses: each dialect has its own table from these classes to statuses.
Messages say what was found, what was expected and what to do; they never quote an input text.
"""

from collections.abc import Sequence


class EarmarkError(Exception):
    """Root of every error that earmark raises on purpose."""


class RequestError(EarmarkError):
    """The client can act: the request itself is wrong."""


class InvalidInput(RequestError):
    """A field of the request is missing, of the wrong type or out of range."""


class EmptyInput(InvalidInput):
    """A list of the request that has to hold something is empty."""


class UnreadInput(InvalidInput):
    """The request has a member that nothing reads, and the server is strict."""


class RequestTooLarge(RequestError):
    """The body, or a list in it, is larger than the server accepts."""


class UnsupportedCoding(RequestError):
    """The body is compressed in a way that is not accepted.

    Attributes:
        accepted: names of the accepted codings.
    """

    def __init__(self, message: str, *, accepted: Sequence[str] = ()) -> None:
        """Keep the message and the codings that are accepted."""
        super().__init__(message)
        self.accepted = tuple(accepted)


class AccessDenied(RequestError):
    """An access key is needed, and the client sent none or a wrong one."""


class UnknownModel(RequestError):
    """No model of that id is served here."""


class UnsupportedTask(RequestError):
    """The model is served, but cannot do the requested task."""


class UnusableModel(RequestError):
    """The request names a model whose files cannot run here; the message says why."""


class CapacityError(EarmarkError):
    """Waiting can help.

    Attributes:
        retry_after_s: seconds after which another try is sensible.
    """

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        """Keep the message and the time after which to try again."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class QueueFull(CapacityError):
    """More work is waiting than the server is set to accept."""


class DeadlineExceeded(CapacityError):
    """The answer was not ready before the request's deadline."""


class ModelLoading(CapacityError):
    """The model is being loaded, or waits for room.

    Attributes:
        estimated_time_s: seconds until it is likely to be ready.
    """

    def __init__(self, message: str, *, estimated_time_s: float = 1.0) -> None:
        """Keep the message and the estimate."""
        super().__init__(message, retry_after_s=estimated_time_s)
        self.estimated_time_s = estimated_time_s


class ModelNotLoaded(CapacityError):
    """The model is not loaded, and the request forbids loading it."""


class ModelOutOfReach(CapacityError):
    """The Hub, which may have the requested model, cannot be reached now."""


class ShuttingDown(CapacityError):
    """The engine is closing and takes no more work."""


class CheckpointError(EarmarkError):
    """The operator can act: a model's files, or how it is to run, are wrong."""


class CheckpointNotFound(CheckpointError):
    """There is no such folder, file, bundled model or model of the Hub."""


class InvalidCheckpoint(CheckpointError):
    """A file of the checkpoint does not hold what it should."""


class UnsupportedCheckpoint(CheckpointError):
    """The checkpoint is sound, but earmark does not know how to run it."""


class UnsupportedDevice(CheckpointError):
    """The runtime, device and precision do not work together on this machine."""


class HubUnavailable(CheckpointError):
    """A model of the Hub could not be fetched: the Hub is out of reach, or the disk is full."""


class ModelUnavailable(CheckpointError):
    """A model could not be loaded on demand; the cause says why, and may name files."""


class SettingsError(EarmarkError):
    """The operator can act: a flag, an environment variable or the settings file is wrong."""


class AddressUnavailable(EarmarkError):
    """The operator can act: the server cannot listen on the host and port it was given."""


class StateUnavailable(EarmarkError):
    """The operator can act: the file in which state is kept cannot be read or written."""


class EngineError(EarmarkError):
    """We can act: a bug, or a machine that misbehaves."""


class TextFault(EngineError):
    """It failed on one text; the message names no file and quotes no text."""


class NonFiniteScore(TextFault):
    """The model answered NaN or infinity for this text."""


class TokenizerFault(TextFault):
    """The model's tokenizer failed on this text."""


class EngineEnded(TextFault):
    """The process of the engine ended twice while it ran this text."""
