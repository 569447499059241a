"""The seam between an engine's meaning and the place where its queue and session live.

Here it is a thread of this process (`batching.worker.Worker`). A supervised child process or a
replica on another machine can stand in its place; nothing above the handle may tell which.
"""

from collections.abc import Sequence
from typing import Protocol

from earmark.batching.ticket import Submission
from earmark.domain.encoding import Encoding

__all__ = ["EngineHandle"]


class EngineHandle(Protocol):
    """Takes encodings, answers logits."""

    def submit(self, encodings: Sequence[Encoding], *, deadline_s: float | None) -> Submission:
        """Queue encodings, answered together.

        Raises:
            QueueFull: too much is waiting.
            ShuttingDown: closed.
        """
        ...

    def waiting(self) -> tuple[int, int]:
        """Return how many texts and tokens wait."""
        ...

    def running_s(self) -> float:
        """Return how long the run in progress has taken; 0 when none is."""
        ...

    @property
    def closed(self) -> bool:
        """Whether it takes no more work."""
        ...

    def close(self) -> None:
        """Take no more work and answer what waits."""
        ...
