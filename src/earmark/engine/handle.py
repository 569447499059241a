"""The interface between an engine and the place where its queue and session are.

Above it: the tokenizer, tasks, and the meaning of logits. Below it: loading, the queue, batches,
runs. The place is a thread of this process (`engine.thread`) or another process
(`engine.process`); nothing above the handle depends on that.
"""

from collections.abc import Sequence
from typing import Protocol

from earmark.batching.ticket import Submission
from earmark.domain.encoding import Encoding
from earmark.engine.info import QueueState


class EngineHandle(Protocol):
    """Takes encodings and answers with logits."""

    def submit(self, encodings: Sequence[Encoding], *, deadline_s: float | None) -> Submission:
        """Queue encodings as one submission.

        Raises:
            QueueFull: too much is waiting.
            ShuttingDown: the handle is closed.
        """
        ...

    def state(self) -> QueueState:
        """Return whether it can answer, and what is waiting and running at this moment."""
        ...

    def memory_bytes(self) -> int | None:
        """Return the memory that the model takes; None where that cannot be measured."""
        ...

    def close(self) -> None:
        """Accept no more work, answer what waits with `ShuttingDown`, and free the memory."""
        ...
