"""What serving needs of an engine, and of the loader that makes one."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from earmark.engine.info import EngineInfo, ModelFacts, QueueState
from earmark.engine.reply import Reply
from earmark.engine.streaming import EntityStream
from earmark.models.catalogue import KnownModel
from earmark.tasks.task import TaskRequest
from earmark.tasks.token_classification import TokenClassification

Result = TypeVar("Result")


class ServedEngine(Protocol):
    """What serving needs of an engine, wherever the engine lives."""

    @property
    def info(self) -> EngineInfo:
        """Facts that hold from load to close."""
        ...

    def queue_state(self) -> QueueState:
        """Facts of this moment."""
        ...

    def memory_bytes(self) -> int | None:
        """Return the memory that it takes at this moment; None where that cannot be measured."""
        ...

    async def answer(
        self, request: TaskRequest[Result], *, deadline_s: float | None = None
    ) -> Reply[Result]:
        """Answer every input; cancelling the awaiting task drops those still waiting.

        Args:
            request: the texts, and what to do with their logits.
            deadline_s: moment on `time.monotonic` after which the caller waits no longer.

        Raises:
            CapacityError: the texts were not taken, or not answered in time.
        """
        ...

    async def stream(
        self, request: TokenClassification, *, deadline_s: float | None = None
    ) -> EntityStream:
        """Begin to answer window by window; closing the stream drops what still waits.

        Arguments and errors are those of `answer`.
        """
        ...

    def close(self) -> None:
        """Stop the engine; a second call does nothing."""
        ...


class ModelLoader(Protocol):
    """Turns a known model into an engine."""

    def facts(self, known: KnownModel) -> ModelFacts:
        """Read what the small files say.

        Raises:
            CheckpointError: they are missing, malformed, or of a model that cannot run.
        """
        ...

    def fetch(self, known: KnownModel, wanted: Callable[[], bool]) -> None:
        """Bring a model of the Hub here; takes as long as the network does, in a load's thread.

        Args:
            known: with facts of the Hub.
            wanted: asked now and then; what is half here is left when it says no.

        Raises:
            ShuttingDown: it is wanted no more.
            HubUnavailable: the Hub does not give it for now, or there is no room for it.
            CheckpointError: the Hub does not have it any longer.
        """
        ...

    def load(self, known: KnownModel) -> ServedEngine:
        """Load the model; takes seconds, and is called in a thread of its own.

        Raises:
            CheckpointError: the files, or the way the model is to run, do not do.
            EngineError: the runtime failed.
        """
        ...
