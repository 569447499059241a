"""Both stores of jobs, in memory and in the database, behave alike."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from earmark.errors import StateUnavailable
from earmark.serving.jobs.job import Job
from earmark.serving.jobs.store import JobStore, MemoryJobs, SqliteJobs

FIRST = Job(job_id="1", kind="k", model="m", state="queued", question=b"q1")
SECOND = Job(job_id="2", kind="k", model="m", state="queued", question=b"\x00q2")


@pytest.fixture(params=["memory", "database"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JobStore]:
    """Open an empty store of each kind."""
    if request.param == "memory":
        yield MemoryJobs()
        return
    kept = SqliteJobs(tmp_path / "state.sqlite")
    yield kept
    kept.close()


def test_an_empty_store_has_nothing(store: JobStore) -> None:
    """An empty store has nothing to find, to start or to tidy."""
    assert store.find("1", since_s=0) is None
    assert store.start(["k"]) is None
    assert store.tidy(since_s=0) == 0


def test_jobs_are_started_in_the_order_in_which_they_came(store: JobStore) -> None:
    """Each job is started once, the oldest first; then none waits."""
    store.add(FIRST, now_s=10.0)
    store.add(SECOND, now_s=5.0)
    started = [store.start(["k"]), store.start(["k"]), store.start(["k"])]
    assert started == [replace(FIRST, state="running"), replace(SECOND, state="running"), None]
    assert store.find("2", since_s=0) == replace(SECOND, state="running")


def test_a_finished_job_has_its_answer_and_no_question(store: JobStore) -> None:
    """A finished job has its answer; its question, which holds texts, is deleted."""
    store.add(FIRST, now_s=10.0)
    store.finish("1", b"answer", now_s=20.0)
    assert store.find("1", since_s=20.0) == Job(
        job_id="1", kind="k", model="m", state="finished", answer=b"answer"
    )


def test_a_job_without_an_answer_has_failed(store: JobStore) -> None:
    """A job finished without an answer has failed; one with an empty answer has not."""
    store.add(FIRST, now_s=10.0)
    store.add(SECOND, now_s=10.0)
    store.finish("1", None, now_s=20.0)
    store.finish("2", b"", now_s=20.0)
    states = [found.state for one in "12" if (found := store.find(one, since_s=0))]
    assert states == ["failed", "finished"]


def test_an_answer_expires(store: JobStore) -> None:
    """An expired answer is not found, tidied or not; a job that waits never expires."""
    store.add(FIRST, now_s=10.0)
    store.add(SECOND, now_s=10.0)
    store.finish("1", b"answer", now_s=20.0)
    assert store.find("1", since_s=20.5) is None
    assert store.tidy(since_s=20.5) == 1
    assert store.find("1", since_s=0) is None
    assert store.find("2", since_s=1e9) == SECOND


def test_the_database_outlives_the_server(tmp_path: Path) -> None:
    """After a restart, waiting jobs still wait, and a job that was half done is started again."""
    before = SqliteJobs(tmp_path / "state.sqlite")
    before.add(FIRST, now_s=10.0)
    before.add(SECOND, now_s=11.0)
    assert before.start(["k"]) is not None
    before.close()
    after = SqliteJobs(tmp_path / "state.sqlite")
    assert [after.start(["k"]), after.start(["k"])] == [
        replace(FIRST, state="running"),
        replace(SECOND, state="running"),
    ]
    after.close()


def test_no_file_is_made_before_a_job_comes(tmp_path: Path) -> None:
    """Looking for jobs makes no database file."""
    kept = SqliteJobs(tmp_path / "state.sqlite")
    assert kept.find("1", since_s=0) is None
    assert kept.start(["k"]) is None
    assert kept.tidy(since_s=0) == 0
    kept.close()
    assert list(tmp_path.iterdir()) == []


def test_texts_are_gone_from_the_file_once_they_are_answered(tmp_path: Path) -> None:
    """No page of the database file, not even a free one, holds the texts of an answered job."""
    kept = SqliteJobs(tmp_path / "state.sqlite")
    kept.add(replace(FIRST, question=b"a very private text" * 500), now_s=10.0)
    kept.finish("1", b"answer", now_s=20.0)
    kept.close()
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"private" not in left


def test_a_file_that_is_no_database_is_named_at_once(tmp_path: Path) -> None:
    """Opening a store on a file that is no database raises an error that names the file."""
    file = tmp_path / "state.sqlite"
    file.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StateUnavailable, match=r"state\.sqlite"):
        SqliteJobs(file)


def test_a_database_that_fails_later_is_named(tmp_path: Path) -> None:
    """Each call on a database that has become unusable raises an error of one line."""
    kept = SqliteJobs(tmp_path / "state.sqlite")
    kept.add(FIRST, now_s=10.0)
    with pytest.raises(StateUnavailable, match="UNIQUE"):
        kept.add(FIRST, now_s=10.0)
    kept.close()


def test_parts_of_an_answer_are_kept_in_order_until_it_is_whole(store: JobStore) -> None:
    """Parts of an answer are kept in order, with the number of parts that are done."""
    store.add(replace(FIRST, total=3), now_s=10.0)
    store.start(["k"])
    store.advance("1", b"one", done=1)
    store.advance("1", b"two", done=3)
    assert store.parts("1") == [b"one", b"two"]
    assert store.find("1", since_s=0) == replace(FIRST, state="running", total=3, done=3)
    store.finish("1", b"answer", now_s=20.0)
    assert store.parts("1") == []


def test_jobs_of_other_kinds_are_left_alone(store: JobStore) -> None:
    """Starting a job of some kinds leaves jobs of other kinds waiting."""
    store.add(FIRST, now_s=10.0)
    store.add(replace(SECOND, kind="other"), now_s=11.0)
    assert store.start(["other", "third"]) == replace(SECOND, kind="other", state="running")
    assert store.start(["other"]) is None


def test_a_database_of_an_earlier_release_is_read(tmp_path: Path) -> None:
    """The jobs of a 0.1.0 database, which has no kinds, are read as batches of Workers AI."""
    file = tmp_path / "state.sqlite"
    with closing(sqlite3.connect(file)) as database:
        database.execute(
            "CREATE TABLE jobs (job_id TEXT PRIMARY KEY, model TEXT NOT NULL, state TEXT NOT NULL,"
            " question BLOB NOT NULL, answer BLOB NOT NULL, created_s REAL NOT NULL,"
            " finished_s REAL) STRICT"
        )
        database.execute("INSERT INTO jobs VALUES ('1', 'm', 'running', x'71', x'', 1.0, NULL)")
        database.commit()
    kept = SqliteJobs(file)
    assert kept.start(["workers-ai"]) == Job(
        job_id="1", kind="workers-ai", model="m", state="running", question=b"q"
    )
    kept.close()
