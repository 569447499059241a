"""Where jobs are kept: in memory, or in the database, where they outlive the server."""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Final, Protocol

from earmark.database import open_database, reading_faults
from earmark.serving.jobs.job import Job, JobState


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

    def start(self, kinds: Collection[str]) -> Job | None:
        """Mark the oldest job of some kinds that waits as running; None when none waits."""
        ...

    def advance(self, job_id: str, part: bytes, *, done: int) -> None:
        """Keep the next part of a job's answer, and how many parts of the question are done."""
        ...

    def parts(self, job_id: str) -> list[bytes]:
        """Return the parts of an answer that are kept, in order."""
        ...

    def finish(self, job_id: str, answer: bytes | None, *, now_s: float) -> None:
        """Keep a job's answer, or that it failed where there is none; forget the rest of it."""
        ...

    def tidy(self, *, since_s: float) -> int:
        """Forget what was finished before `since_s`; return how many jobs are not finished."""
        ...


class MemoryJobs:
    """Jobs in memory: they are lost when the process ends."""

    def __init__(self) -> None:
        """Start without jobs."""
        self._jobs: dict[str, Job] = {}
        self._parts: dict[str, list[bytes]] = {}
        self._finished_s: dict[str, float] = {}

    def add(self, job: Job, *, now_s: float) -> None:  # noqa: ARG002 - a dict keeps the order
        """Keep a new job."""
        self._jobs[job.job_id] = job

    def find(self, job_id: str, *, since_s: float) -> Job | None:
        """Return a job, but none that was finished before `since_s`."""
        stale = self._finished_s.get(job_id, since_s) < since_s
        return None if stale else self._jobs.get(job_id)

    def start(self, kinds: Collection[str]) -> Job | None:
        """Mark the oldest job of some kinds that waits as running, and return it."""
        for job_id, job in self._jobs.items():
            if job.state == "queued" and job.kind in kinds:
                self._jobs[job_id] = replace(job, state="running")
                return self._jobs[job_id]
        return None

    def advance(self, job_id: str, part: bytes, *, done: int) -> None:
        """Keep the next part of a job's answer, and how many parts of the question are done."""
        self._parts.setdefault(job_id, []).append(part)
        self._jobs[job_id] = replace(self._jobs[job_id], done=done)

    def parts(self, job_id: str) -> list[bytes]:
        """Return the parts of an answer that are kept, in order."""
        return list(self._parts.get(job_id, ()))

    def finish(self, job_id: str, answer: bytes | None, *, now_s: float) -> None:
        """Keep a job's answer, or that it failed; forget its question, and the parts."""
        self._parts.pop(job_id, None)
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
    finished_s REAL,
    kind       TEXT NOT NULL DEFAULT 'workers-ai',
    total      INTEGER NOT NULL DEFAULT 1,
    done       INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS jobs_waiting ON jobs (state, created_s);
CREATE TABLE IF NOT EXISTS job_parts (
    job_id  TEXT NOT NULL,
    done    INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (job_id, done)
) STRICT;
"""

_ADDED: Final = {
    "kind": "TEXT NOT NULL DEFAULT 'workers-ai'",
    "total": "INTEGER NOT NULL DEFAULT 1",
    "done": "INTEGER NOT NULL DEFAULT 0",
}
"""Columns that the table of 0.1.0 lacks; its jobs were all of one kind."""

_COLUMNS: Final = "job_id, kind, model, state, question, answer, total, done"


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
        row = (job.job_id, job.kind, job.model, job.state, job.question, job.answer)
        self._run(
            f"INSERT INTO jobs ({_COLUMNS}, created_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own words
            *row,
            job.total,
            job.done,
            now_s,
        )

    def find(self, job_id: str, *, since_s: float) -> Job | None:
        """Return a job, but none that was finished before `since_s`.

        Raises:
            StateUnavailable: the database cannot be read.
        """
        if not self._exists():
            return None
        rows = self._run(
            f"SELECT {_COLUMNS} FROM jobs"  # noqa: S608 - our own words
            " WHERE job_id = ? AND (finished_s IS NULL OR finished_s >= ?)",
            job_id,
            since_s,
        )
        return _job(rows[0]) if rows else None

    def start(self, kinds: Collection[str]) -> Job | None:
        """Mark the oldest job of some kinds that waits as running, and return it.

        Raises:
            StateUnavailable: the database cannot be written.
        """
        if not self._exists():
            return None
        rows = self._run(
            "UPDATE jobs SET state = 'running' WHERE job_id = (SELECT job_id FROM jobs"  # noqa: S608 - our own words
            f" WHERE state = 'queued' AND kind IN ({', '.join('?' * len(kinds))})"
            # By rowid, which grows: the clock may be set back.
            f" ORDER BY rowid LIMIT 1) RETURNING {_COLUMNS}",
            *kinds,
        )
        return _job(rows[0]) if rows else None

    def advance(self, job_id: str, part: bytes, *, done: int) -> None:
        """Keep the next part of a job's answer, and how many parts of the question are done.

        Raises:
            StateUnavailable: the database cannot be written.
        """
        # In this order: a part whose count is lost is written again, with the same bytes.
        self._run("INSERT OR REPLACE INTO job_parts VALUES (?, ?, ?)", job_id, done, part)
        self._run("UPDATE jobs SET done = ? WHERE job_id = ?", done, job_id)

    def parts(self, job_id: str) -> list[bytes]:
        """Return the parts of an answer that are kept, in order.

        Raises:
            StateUnavailable: the database cannot be read.
        """
        rows = self._run("SELECT content FROM job_parts WHERE job_id = ? ORDER BY done", job_id)
        return [bytes(content) for (content,) in rows]  # type: ignore[call-overload]  # STRICT

    def finish(self, job_id: str, answer: bytes | None, *, now_s: float) -> None:
        """Keep a job's answer, or that it failed; forget its question, and the parts.

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
        self._run("DELETE FROM job_parts WHERE job_id = ?", job_id)

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
                _add_columns(self._file, self._connection)
            with reading_faults(self._file), closing(self._connection.cursor()) as cursor:
                return cursor.execute(statement, values).fetchall()


def _job(row: tuple[object, ...]) -> Job:
    return Job(**dict(zip(_COLUMNS.split(", "), row, strict=True)))  # type: ignore[arg-type] # the table is STRICT


def _add_columns(file: Path, connection: sqlite3.Connection) -> None:
    """Bring the table of an earlier release to today's form."""
    with reading_faults(file):
        there = {row[1] for row in connection.execute("PRAGMA table_info (jobs)")}
        for name, form in _ADDED.items():
            if name not in there:
                connection.execute(f"ALTER TABLE jobs ADD COLUMN {name} {form}")
