"""A request that is answered later."""

from dataclasses import dataclass
from typing import Literal

JobState = Literal["queued", "running", "finished", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job, as it is kept.

    Attributes:
        job_id: too long to guess; a caller who knows it may read the answer.
        kind: of its question; it decides what carries the job out.
        model: what it is for, by the name that the caller used.
        state: how far it is.
        question: what is asked; empty once it is answered.
        answer: empty until then.
        total: how many parts the question has.
        done: how many of them have an answer already.
    """

    job_id: str
    kind: str
    model: str
    state: JobState
    question: bytes = b""
    answer: bytes = b""
    total: int = 1
    done: int = 0
