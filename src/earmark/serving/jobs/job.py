"""A request that is answered later."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Job", "JobState"]

JobState = Literal["queued", "running", "finished", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job, as it is kept.

    Attributes:
        job_id: whoever knows it may read the answer; too long to guess.
        model: what it is for, by the name that the caller used.
        state: how far it is.
        question: what is asked; empty once it is answered.
        answer: empty until then.
    """

    job_id: str
    model: str
    state: JobState
    question: bytes = b""
    answer: bytes = b""
