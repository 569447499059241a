"""Engine processes that end, hang or are killed under load: nothing that was accepted is lost."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx
import pytest
from e2e.processes import PATIENCE_S, Server, environment, running_server
from tokenizers import Tokenizer

FAULTS = Path(__file__).parent / "faults"
CALLERS = 8


@dataclass(frozen=True, slots=True)
class _Served:
    """A server with two models in one engine process, and the file that has a run fail."""

    server: Server
    fault: Path
    texts: Iterator[int]

    def ask(self, text: str, model: str = "org/tiny") -> httpx.Response:
        """Ask about a text."""
        url = f"{self.server.address}/models/{model}"
        return httpx.post(url, json={"inputs": text}, timeout=PATIENCE_S)

    def health(self) -> tuple[int, str]:
        """Return status and state."""
        answer = httpx.get(f"{self.server.address}/health", timeout=PATIENCE_S)
        return answer.status_code, answer.json()["status"]

    def statuses_of_callers(self, seconds: float) -> list[int]:
        """Have callers ask both models for a while, one text after another."""
        until_s = time.monotonic() + seconds

        def call(number: int) -> list[int]:
            model = "org/other" if number == 0 else "org/tiny"
            statuses = []
            while time.monotonic() < until_s:
                statuses.append(self.ask(f"text {next(self.texts)}", model).status_code)
            return statuses

        with ThreadPoolExecutor(CALLERS) as callers:
            return [one for each in callers.map(call, range(CALLERS)) for one in each]

    def until(self, state: str, within_s: float) -> float:
        """Wait until health says so; return how long that took."""
        started_s = time.monotonic()
        while self.health()[1] != state:
            assert time.monotonic() - started_s < within_s, self.health()
            time.sleep(0.05)
        return time.monotonic() - started_s


@contextmanager
def _served(tiny: str, folder: Path, *flags: str) -> Iterator[_Served]:
    fault = folder / "fault.txt"
    env = environment({"FAULT_FILE": str(fault)}, path=FAULTS)
    models = ("--model", f"org/tiny={tiny}", "--model", f"org/other={tiny}")
    flags = (*models, "--engine", "process", *flags)
    with running_server(*flags, env=env, folder=folder) as server:
        assert server.address
        yield _Served(server, fault, count())


def _children(pid: int) -> set[int]:
    threads = Path(f"/proc/{pid}/task")
    return {
        int(child)
        for thread in threads.iterdir()
        for child in (thread / "children").read_text("ascii").split()
    }


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False


@pytest.mark.parametrize("fault", ["abort", "segv", "leave"])
def test_an_engine_that_ends_under_load_is_started_again(
    fault: str, tiny: str, tmp_path: Path
) -> None:
    """Every caller gets its scores, health reports it meanwhile, and the log has one line of it."""
    with _served(tiny, tmp_path) as served, ThreadPoolExecutor(1) as beside:
        statuses = beside.submit(served.statuses_of_callers, 4.0)
        time.sleep(1.0)
        served.fault.write_text(fault)
        served.until("restarting", 2.0)
        served.until("ready", PATIENCE_S)
        assert set(statuses.result()) == {200}
        assert served.health() == (200, "ready")
        assert served.server.stop() == 0
    events = [one.get("event") for one in served.server.events]
    assert events.count("an engine process has ended and is started again") == 1
    assert "exception" not in str(served.server.events)


@pytest.mark.parametrize("fault", ["hang", "deaf"])
def test_a_run_that_hangs_is_reported_and_ended(fault: str, tiny: str, tmp_path: Path) -> None:
    """`stalled` within 2 s; then the process is ended, and every caller gets its scores.

    Also where native code keeps the interpreter's lock for ever.
    """
    with _served(tiny, tmp_path, "--run-timeout-s", "4") as served:
        with ThreadPoolExecutor(1) as beside:
            statuses = beside.submit(served.statuses_of_callers, 5.0)
            time.sleep(0.5)
            served.fault.write_text(fault)
            until_s = time.monotonic() + PATIENCE_S
            while served.fault.exists():
                assert time.monotonic() < until_s
                time.sleep(0.01)
            assert served.until("stalled", 5.0) < 2.0
            assert set(statuses.result()) == {200}
        served.until("ready", PATIENCE_S)
        assert served.server.stop() == 0


def test_a_text_that_ends_the_engine_fails_alone(tiny: str, tmp_path: Path) -> None:
    """An error of its own after the second end; then it is refused at once, and others go on."""
    with _served(tiny, tmp_path) as served:
        token = Tokenizer.from_file(f"{tiny}/tokenizer.json").token_to_id("hate")
        served.fault.write_text(f"abort on {token}")
        with ThreadPoolExecutor(1) as beside:
            statuses = beside.submit(served.statuses_of_callers, 3.0)
            poison = served.ask("hate")
            assert poison.status_code == 500
            assert "ended twice" in poison.json()["error"]
            assert set(statuses.result()) == {200}
        children = _children(served.server.process.pid)
        assert served.ask("hate").status_code == 500
        assert _children(served.server.process.pid) == children
        assert served.server.stop() == 0


def test_an_engine_dies_with_its_server(tiny: str, tmp_path: Path) -> None:
    """Also where the server is killed while a run hangs with the interpreter's lock held."""
    with _served(tiny, tmp_path) as served, ThreadPoolExecutor(1) as beside:
        children = _children(served.server.process.pid)
        assert len(children) == 1
        served.fault.write_text("deaf")
        asked = beside.submit(served.ask, "text")
        until_s = time.monotonic() + PATIENCE_S
        while served.fault.exists():
            assert time.monotonic() < until_s
            time.sleep(0.01)
        served.server.process.kill()
        while any(map(_alive, children)):
            assert time.monotonic() < until_s
            time.sleep(0.05)
        with pytest.raises(httpx.TransportError):
            asked.result()


def test_an_engine_that_is_killed_again_and_again_comes_back(tiny: str, tmp_path: Path) -> None:
    """Kill -9 five times under load: nothing is lost, and the server stays the same."""
    with _served(tiny, tmp_path) as served, ThreadPoolExecutor(1) as beside:
        statuses = beside.submit(served.statuses_of_callers, 12.0)
        for _ in range(5):
            time.sleep(0.5)
            served.until("ready", PATIENCE_S)
            for pid in _children(served.server.process.pid):
                os.kill(pid, signal.SIGKILL)
            served.until("restarting", 2.0)
        assert set(statuses.result()) == {200}
        served.until("ready", PATIENCE_S)
        assert served.server.stop() == 0


def test_a_stopped_server_leaves_no_process(tiny: str, tmp_path: Path) -> None:
    """Also the process of a model that was loaded on demand, which had its own."""
    with _served(tiny, tmp_path) as served:
        one = _children(served.server.process.pid)
        wait = {"x-wait-for-model": "true"}
        url = f"{served.server.address}/models/earmark/sentiment"
        asked = httpx.post(url, json={"inputs": "x"}, headers=wait, timeout=PATIENCE_S)
        assert asked.status_code == 200
        two = _children(served.server.process.pid)
        assert (len(one), len(two)) == (1, 2)
        assert served.server.stop() == 0
        assert not any(map(_alive, two))


def test_an_evicted_model_takes_its_process_along(tiny: str, tmp_path: Path) -> None:
    """Its memory is back before the next model is loaded."""
    with _served(tiny, tmp_path, "--max-loaded", "1") as served:
        wait = {"x-wait-for-model": "true"}
        seen = []
        for model in ("earmark/sentiment", "earmark/ner"):
            url = f"{served.server.address}/models/{model}"
            asked = httpx.post(url, json={"inputs": "x"}, headers=wait, timeout=PATIENCE_S)
            assert asked.status_code == 200
            seen.append(_children(served.server.process.pid))
        (first,) = seen[0] - seen[1]
        assert not _alive(first)
        assert len(seen[1]) == 2


def test_a_thread_needs_no_process(tiny: str, tmp_path: Path) -> None:
    """With `--engine thread` everything is in one process, as on systems without Unix sockets."""
    flags = ("--model", f"org/tiny={tiny}", "--engine", "thread")
    with running_server(*flags, folder=tmp_path) as server:
        url = f"{server.address}/models/org/tiny"
        assert httpx.post(url, json={"inputs": "x"}, timeout=PATIENCE_S).status_code == 200
        assert _children(server.process.pid) == set()
        assert server.stop() == 0
