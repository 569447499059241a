"""How long each step of a request took."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Times of one request in milliseconds; of several texts the longest wait and longest run.

    Attributes:
        tokenize_ms: encoding the texts.
        queue_wait_ms: from entering the queue to the start of the run.
        run_ms: inside the runtime, for the whole batch.
        total_ms: from the plan to the result.
    """

    tokenize_ms: float
    queue_wait_ms: float
    run_ms: float
    total_ms: float
