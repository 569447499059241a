"""Where jobs are kept: in memory, or in the database, where they outlive the server."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Final, Protocol

from earmark.database import open_database, reading_faults
from earmark.serving.jobs.job import Job, JobState

__all__ = ["JobStore", "MemoryJobs", "SqliteJobs"]


class JobStore(Protocol):
    """Keeps jobs; safe to call from any thread."""

    def add(self, job: Job, *, now_s: float) -> None:
        """Keep a new job.

        Raises:
            StateUnavailable: it cannot be kept.
        """
        ...

    def find(self, job_id: str, *, since_s: float) -> Job | None:
        """Return a job, but none that was finished before `since_s`."""
        ...

    def start(self) -> Job | None:
        """Mark the oldest job that waits as running, and return it; None when none waits."""
        ...

    def finish(self, job_id: str, answer: bytes | None, *, now_s: float) -> None:
        """Keep a job's answer, or that it failed where there is none; forget its question."""
        ...

    def tidy(self, *, since_s: float) -> int:
        """Forget what was finished before `since_s`; return how many jobs are not finished."""
        ...


class MemoryJobs:
    """Jobs that are gone when the process ends."""

    def __init__(self) -> None:
        """Start with none."""
        self._jobs: dict[str, Job] = {}
        self._finished_s: dict[str, float] = {}

    def add(self, job: Job, *, now_s: float) -> None:  # noqa: ARG002 - a dict keeps the order
        """Keep a new job."""
        self._jobs[job.job_id] = job

    def find(self, job_id: str, *, since_s: float) -> Job | None:
        """Return a job, but none that was finished before `since_s`."""
        stale = self._finished_s.get(job_id, since_s) < since_s
        return None if stale else self._jobs.get(job_id)

    def start(self) -> Job | None:
        """Mark the oldest job that waits as running, and return it."""
        for job_id, job in self._jobs.items():
            if job.state == "queued":
                self._jobs[job_id] = replace(job, state="running")
                return self._jobs[job_id]
        return None

    def finish(self, job_id: str, answer: bytes | None, *, now_s: float) -> None:
        """Keep a job's answer, or that it failed; forget its question."""
        state: JobState = "failed" if answer is None else "finished"
        done = replace(self._jobs[job_id], state=state, question=b"", answer=answer or b"")
        self._jobs[job_id] = done
        self._finished_s[job_id] = now_s

    def tidy(self, *, since_s: float) -> int:
        """Forget what was finished before `since_s`; return how many jobs are not finished."""
        for job_id in [one for one, at_s in self._finished_s.items() if at_s < since_s]:
            del self._jobs[job_id], self._finished_s[job_id]
        return len(self._jobs) - len(self._finished_s)


_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS jobs (
    job_id     TEXT PRIMARY KEY,
    model      TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('queued', 'running', 'finished', 'failed')),
    question   BLOB NOT NULL,
    answer     BLOB NOT NULL,
    created_s  REAL NOT NULL,
    finished_s REAL
) STRICT;
CREATE INDEX IF NOT EXISTS jobs_waiting ON jobs (state, created_s);
"""


class SqliteJobs:
    """Jobs in the database, whose file is made when the first job comes."""

    def __init__(self, file: Path) -> None:
        """Name the file; jobs that an earlier server left half done wait again.

        Raises:
            StateUnavailable: there is a file, but it cannot be used.
        """
        self._file = file
        self._connection: sqlite3.Connection | None = None
        self._lock = Lock()
        if file.exists():
            self._run("UPDATE jobs SET state = 'queued' WHERE state = 'running'")

    def add(self, job: Job, *, now_s: float) -> None:
        """Keep a new job.

        Raises:
            StateUnavailable: the database cannot be written.
        """
        row = (job.job_id, job.model, job.state, job.question, job.answer, now_s)
        self._run("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, NULL)", *row)

    def find(self, job_id: str, *, since_s: float) -> Job | None:
        """Return a job, but none that was finished before `since_s`.

        Raises:
            StateUnavailable: the database cannot be read.
        """
        if not self._exists():
            return None
        rows = self._run(
            "SELECT job_id, model, state, question, answer FROM jobs"
            " WHERE job_id = ? AND (finished_s IS NULL OR finished_s >= ?)",
            job_id,
            since_s,
        )
        return _job(rows[0]) if rows else None

    def start(self) -> Job | None:
        """Mark the oldest job that waits as running, and return it.

        Raises:
            StateUnavailable: the database cannot be written.
        """
        if not self._exists():
            return None
        rows = self._run(
            "UPDATE jobs SET state = 'running' WHERE job_id = (SELECT job_id FROM jobs"
            " WHERE state = 'queued' ORDER BY created_s, rowid LIMIT 1)"
            " RETURNING job_id, model, state, question, answer"
        )
        return _job(rows[0]) if rows else None

    def finish(self, job_id: str, answer: bytes | None, *, now_s: float) -> None:
        """Keep a job's answer, or that it failed; forget its question.

        Raises:
            StateUnavailable: the database cannot be written.
        """
        self._run(
            "UPDATE jobs SET state = ?, question = x'', answer = ?, finished_s = ?"
            " WHERE job_id = ?",
            "failed" if answer is None else "finished",
            answer or b"",
            now_s,
            job_id,
        )

    def tidy(self, *, since_s: float) -> int:
        """Forget what was finished before `since_s`; return how many jobs are not finished.

        Raises:
            StateUnavailable: the database cannot be written.
        """
        if not self._exists():
            return 0
        self._run("DELETE FROM jobs WHERE finished_s < ?", since_s)
        return len(self._run("SELECT job_id FROM jobs WHERE finished_s IS NULL"))

    def close(self) -> None:
        """Close the database; a later call opens it again."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _exists(self) -> bool:
        return self._connection is not None or self._file.exists()

    def _run(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock:
            if self._connection is None:
                self._connection = open_database(self._file, _SCHEMA)
            with reading_faults(self._file), closing(self._connection.cursor()) as cursor:
                return cursor.execute(statement, values).fetchall()


def _job(row: tuple[object, ...]) -> Job:
    job_id, model, state, question, answer = row
    return Job(job_id=job_id, model=model, state=state, question=question, answer=answer)  # type: ignore[arg-type] # the table is STRICT
