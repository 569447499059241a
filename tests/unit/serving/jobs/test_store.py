"""Jobs are kept alike in memory and in the database."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from earmark.errors import StateUnavailable
from earmark.serving.jobs.job import Job
from earmark.serving.jobs.store import JobStore, MemoryJobs, SqliteJobs

FIRST = Job(job_id="1", model="m", state="queued", question=b"q1")
SECOND = Job(job_id="2", model="m", state="queued", question=b"\x00q2")


@pytest.fixture(params=["memory", "database"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JobStore]:
    """Open a store of each kind, empty."""
    if request.param == "memory":
        yield MemoryJobs()
        return
    kept = SqliteJobs(tmp_path / "state.sqlite")
    yield kept
    kept.close()


def test_an_empty_store_has_nothing(store: JobStore) -> None:
    """Nothing to find, to start or to tidy."""
    assert store.find("1", since_s=0) is None
    assert store.start() is None
    assert store.tidy(since_s=0) == 0


def test_jobs_are_started_in_the_order_in_which_they_came(store: JobStore) -> None:
    """Each once; then none waits."""
    store.add(FIRST, now_s=10.0)
    store.add(SECOND, now_s=10.0)
    started = [store.start(), store.start(), store.start()]
    assert started == [replace(FIRST, state="running"), replace(SECOND, state="running"), None]
    assert store.find("2", since_s=0) == replace(SECOND, state="running")


def test_a_finished_job_has_its_answer_and_no_question(store: JobStore) -> None:
    """The texts are kept no longer than they are needed."""
    store.add(FIRST, now_s=10.0)
    store.finish("1", b"answer", now_s=20.0)
    assert store.find("1", since_s=20.0) == Job(
        job_id="1", model="m", state="finished", answer=b"answer"
    )


def test_a_job_without_an_answer_has_failed(store: JobStore) -> None:
    """It is told apart from an empty answer."""
    store.add(FIRST, now_s=10.0)
    store.add(SECOND, now_s=10.0)
    store.finish("1", None, now_s=20.0)
    store.finish("2", b"", now_s=20.0)
    states = [found.state for one in "12" if (found := store.find(one, since_s=0))]
    assert states == ["failed", "finished"]


def test_an_answer_expires(store: JobStore) -> None:
    """Whoever asks too late finds nothing, tidied or not; what waits never expires."""
    store.add(FIRST, now_s=10.0)
    store.add(SECOND, now_s=10.0)
    store.finish("1", b"answer", now_s=20.0)
    assert store.find("1", since_s=20.5) is None
    assert store.tidy(since_s=20.5) == 1
    assert store.find("1", since_s=0) is None
    assert store.find("2", since_s=1e9) == SECOND


def test_the_database_outlives_the_server(tmp_path: Path) -> None:
    """What waits waits on; what was half done is done again."""
    before = SqliteJobs(tmp_path / "state.sqlite")
    before.add(FIRST, now_s=10.0)
    before.add(SECOND, now_s=11.0)
    assert before.start() is not None
    before.close()
    after = SqliteJobs(tmp_path / "state.sqlite")
    assert [after.start(), after.start()] == [
        replace(FIRST, state="running"),
        replace(SECOND, state="running"),
    ]
    after.close()


def test_no_file_is_made_before_a_job_comes(tmp_path: Path) -> None:
    """Looking is not writing."""
    kept = SqliteJobs(tmp_path / "state.sqlite")
    assert kept.find("1", since_s=0) is None
    assert kept.start() is None
    assert kept.tidy(since_s=0) == 0
    kept.close()
    assert list(tmp_path.iterdir()) == []


def test_texts_are_gone_from_the_file_once_they_are_answered(tmp_path: Path) -> None:
    """Not even the free pages of the database hold them."""
    kept = SqliteJobs(tmp_path / "state.sqlite")
    kept.add(replace(FIRST, question=b"a very private text" * 500), now_s=10.0)
    kept.finish("1", b"answer", now_s=20.0)
    kept.close()
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"private" not in left


def test_a_file_that_is_no_database_is_named_at_once(tmp_path: Path) -> None:
    """The server does not start on it."""
    file = tmp_path / "state.sqlite"
    file.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StateUnavailable, match=r"state\.sqlite"):
        SqliteJobs(file)


def test_a_database_that_fails_later_is_named(tmp_path: Path) -> None:
    """Each call says so in one line."""
    kept = SqliteJobs(tmp_path / "state.sqlite")
    kept.add(FIRST, now_s=10.0)
    with pytest.raises(StateUnavailable, match="UNIQUE"):
        kept.add(FIRST, now_s=10.0)
    kept.close()
