"""Where the time of a request went."""

from dataclasses import dataclass

__all__ = ["Timings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Milliseconds of one request; of several texts, the longest wait and the longest run.

    Attributes:
        tokenize_ms: text to encodings.
        queue_wait_ms: from entering the queue to the start of the run.
        run_ms: inside the runtime, for the batch the text shared.
        total_ms: from plan to result.
    """

    tokenize_ms: float
    queue_wait_ms: float
    run_ms: float
    total_ms: float
