"""The seam between what an engine means and the place where its queue and session live.

Above it: the tokenizer, tasks, and what logits say. Below it: loading, the queue, batches, runs.
Here the place is a thread of this process (`engine.thread`). A child process or another machine can
stand in for it; nothing above the handle can see which.
"""

from collections.abc import Sequence
from typing import Protocol

from earmark.batching.ticket import Submission
from earmark.domain.encoding import Encoding
from earmark.engine.info import QueueState

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

    def state(self) -> QueueState:
        """Return whether it can answer, and what waits and runs at this moment."""
        ...

    def close(self) -> None:
        """Take no more work, answer what waits with `ShuttingDown`, and give the memory back."""
        ...
