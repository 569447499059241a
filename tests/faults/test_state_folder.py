"""The state folder is full, read-only or damaged: what needs it waits, the rest goes on."""

import subprocess
import time
from pathlib import Path
from typing import Final

import pytest
from e2e.processes import PATIENCE_S, command, environment
from faults.figures import Figures
from faults.folders import OwnFolder
from faults.served import Answer, Served, assert_clean, member, neighbour, serving, until

_RUN: Final = "/client/v4/accounts/any/ai/run/tiny"
_INPUTS: Final = 2000
_SIZE_KB: Final = 3000
_NEIGHBOUR_S: Final = 1.0
_AGAIN_WITHIN_S: Final = 60.0
_DATABASE: Final = "earmark.sqlite"


def _submit(served: Served) -> Answer:
    batch = {"requests": [{"text": f"text {next(served.texts)}"} for _ in range(_INPUTS)]}
    return served.ask(f"{_RUN}?queueRequest=true", batch)


def _job(taken: Answer) -> dict[str, object]:
    assert taken.status == 200, taken
    return {"request_id": member(member(taken.body, "result"), "request_id")}


def _state(served: Served, job: object) -> str:
    """Return how far a batch is."""
    answer = served.ask(_RUN, job)
    if answer.status != 200:
        return f"{answer.status}"
    found = member(answer.body, "result")
    assert isinstance(found, dict)
    return "answered" if "responses" in found else str(found["status"])


def _assert_refused(answer: Answer) -> None:
    """Check for an error of the server's in the dialect's form, which names no file."""
    assert answer.status == 500
    assert member(answer.body, "success") is False
    assert _DATABASE not in str(answer.body)


def test_a_batch_waits_while_the_disk_is_full(
    tiny: str, tmp_path: Path, slowness: float, figures: Figures
) -> None:
    """New ones are refused, requests are answered, and it goes on by itself when there is room."""
    state = OwnFolder(tmp_path / "state", _SIZE_KB)
    with serving("--model", tiny, folder=tmp_path, under=state.under()) as served:
        with neighbour(served) as one:
            job = _job(_submit(served))
            filler = state.fill(served)
            until(lambda: _submit(served).status == 500)
            _assert_refused(_submit(served))
            until(lambda: len(served.events_of("batches wait: what is kept cannot be used")) > 0)
            assert _state(served, job) in {"queued", "running"}
            assert served.load_over(1.0) < 1.0
            filler.unlink()
            again_s = until(
                lambda: _state(served, job) == "answered", within_s=_AGAIN_WITHIN_S * slowness
            )
            later = _job(_submit(served))
            until(lambda: _state(served, later) == "answered")
        one.assert_unharmed(worst_s=_NEIGHBOUR_S * slowness)
        assert {state for _, state in one.states} == {"200 ready"}
        assert served.server.stop() == 0
        assert_clean(served.server.events)
    figures.add(
        "the disk of the state folder is full while a batch runs",
        "new batches get 500, the batch waits and then goes on; requests are answered",
        f"answered {again_s:.1f} s after there is room; neighbour: at most {one.worst_ms:.0f} ms",
    )


def test_a_read_only_state_folder_refuses_batches_alone(
    tiny: str, tmp_path: Path, slowness: float, figures: Figures
) -> None:
    """The server starts and answers; batches are taken as soon as it can be written."""
    state = OwnFolder(tmp_path / "state", _SIZE_KB)
    under = state.under(read_only=True)
    with serving("--model", tiny, folder=tmp_path, under=under) as served:
        with neighbour(served) as one:
            for _ in range(3):
                _assert_refused(_submit(served))
            state.make_writable(served)
            begun_s = time.monotonic()
            job = _job(_submit(served))
            until(lambda: _state(served, job) == "answered")
            again_s = time.monotonic() - begun_s
        one.assert_unharmed(worst_s=_NEIGHBOUR_S * slowness)
        assert {state for _, state in one.states} == {"200 ready"}
        assert served.server.stop() == 0
        assert_clean(served.server.events)
    figures.add(
        "the state folder is read-only",
        "the server starts and answers; batches get 500 until it can be written",
        f"a batch is answered {again_s:.1f} s after; neighbour: at most {one.worst_ms:.0f} ms",
    )


@pytest.mark.parametrize("damage", ["no database", "a page of noise"])
def test_a_server_does_not_start_with_a_damaged_database(
    damage: str, tiny: str, tmp_path: Path, figures: Figures
) -> None:
    """One line names the file and what to do: there may be keys in it."""
    file = tmp_path / "state" / _DATABASE
    _run("keys", "create", "first", folder=tmp_path)
    content = bytearray(file.read_bytes())
    if damage == "no database":
        content[:] = b"no database at all " * 1000
    else:
        for start in range(4096, len(content), 512):
            content[start : start + 256] = b"\xa5" * 256
    for beside in file.parent.glob(f"{_DATABASE}-*"):
        beside.unlink()
    file.write_bytes(content)
    ended = _run("serve", "--port", "0", "--model", tiny, folder=tmp_path)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert str(file.relative_to(tmp_path)) in line
    assert "--state-folder" in line
    figures.add(f"the database holds {damage}", "`serve` ends with one line", "code 2")


def _run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own words
        command(*arguments),
        env=environment(),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_a_database_that_is_damaged_later_lets_nobody_in(
    tiny: str, tmp_path: Path, figures: Figures
) -> None:
    """With keys: callers keep their access, and a change that cannot be read shuts the door."""
    key = _run("keys", "create", "first", folder=tmp_path).stdout.strip()
    bearer = {"authorization": f"Bearer {key}"}
    file = tmp_path / "state" / _DATABASE
    with serving("--model", tiny, folder=tmp_path) as served:
        assert served.ask(headers=bearer).status == 200
        assert served.ask().status == 401
        with file.open("r+b") as opened:
            opened.write(b"\xa5" * file.stat().st_size)
        for beside in file.parent.glob(f"{_DATABASE}-wal"):
            with beside.open("r+b") as opened:
                opened.truncate(0)
        statuses = {served.ask(headers=each).status for each in ({}, bearer, {})}
        assert 200 not in {served.ask().status for _ in range(3)}
        assert served.health() == (200, "ready")
        assert served.server.stop() == 0
        assert_clean(served.server.events)
    figures.add(
        "the database is overwritten while the server runs",
        "nobody comes in without a key; health is answered",
        f"answers: {', '.join(map(str, sorted(statuses)))}",
    )
