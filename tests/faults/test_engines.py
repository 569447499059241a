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
from faults.figures import Figures
from tokenizers import Tokenizer

from bench.machine import family, memory_mb

FAULTS = Path(__file__).parents[1] / "e2e" / "faults"
CALLERS = 8
_ENDS = {"abort": "SIGABRT", "segv": "SIGSEGV", "leave": "exit code 0"}


@dataclass(frozen=True, slots=True)
class _Called:
    """What callers got: the status of each answer, and how long the slowest took."""

    statuses: list[int]
    slowest_s: float

    def __str__(self) -> str:
        wrong = sum(status != 200 for status in self.statuses)
        return (
            f"{len(self.statuses)} answers, {wrong} wrong, the slowest after {self.slowest_s:.1f} s"
        )


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

    def callers(self, seconds: float) -> "_Called":
        """Have callers ask both models for a while, one text after another."""
        until_s = time.monotonic() + seconds

        def call(number: int) -> list[tuple[int, float]]:
            model = "org/other" if number == 0 else "org/tiny"
            answers = []
            while (began_s := time.monotonic()) < until_s:
                status = self.ask(f"text {next(self.texts)}", model).status_code
                answers.append((status, time.monotonic() - began_s))
            return answers

        with ThreadPoolExecutor(CALLERS) as callers:
            answers = [one for each in callers.map(call, range(CALLERS)) for one in each]
        return _Called([status for status, _ in answers], max(took for _, took in answers))

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
    return {*family(pid)[1:]}


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False


@pytest.mark.parametrize("fault", ["abort", "segv", "leave"])
def test_an_engine_that_ends_under_load_is_started_again(
    fault: str, tiny: str, tmp_path: Path, figures: Figures
) -> None:
    """Every caller gets its scores, health reports it meanwhile, and the log has one line of it."""
    with _served(tiny, tmp_path) as served, ThreadPoolExecutor(1) as beside:
        called = beside.submit(served.callers, 4.0)
        time.sleep(1.0)
        served.fault.write_text(fault)
        told_s = served.until("restarting", 2.0)
        back_s = served.until("ready", PATIENCE_S)
        assert set(called.result().statuses) == {200}
        assert served.health() == (200, "ready")
        assert served.server.stop() == 0
    events = [one.get("event") for one in served.server.events]
    assert events.count("an engine process has ended and is started again") == 1
    assert "exception" not in str(served.server.events)
    figures.add(
        f"the engine's process ends in the middle of a run: {_ENDS[fault]}",
        "it is started again, and what it had not answered is sent once more",
        f"8 callers: {called.result()}; health 503 after {told_s:.1f} s, 200 {back_s:.1f} s later",
    )


@pytest.mark.parametrize("fault", ["hang", "deaf"])
def test_a_run_that_hangs_is_reported_and_ended(
    fault: str, tiny: str, tmp_path: Path, figures: Figures
) -> None:
    """`stalled` within 2 s; then the process is ended, and every caller gets its scores.

    Also where native code keeps the interpreter's lock for ever.
    """
    with _served(tiny, tmp_path, "--run-timeout-s", "4") as served:
        with ThreadPoolExecutor(1) as beside:
            called = beside.submit(served.callers, 5.0)
            time.sleep(0.5)
            served.fault.write_text(fault)
            until_s = time.monotonic() + PATIENCE_S
            while served.fault.exists():
                assert time.monotonic() < until_s
                time.sleep(0.01)
            told_s = served.until("stalled", 5.0)
            assert told_s < 2.0
            assert set(called.result().statuses) == {200}
        served.until("ready", PATIENCE_S)
        assert served.server.stop() == 0
    figures.add(
        f"a run hangs{' with the interpreter locked' if fault == 'deaf' else ''},"
        " --run-timeout-s 4",
        "its process is ended and started again; the text runs once more",
        f"8 callers: {called.result()}; health says stalled after {told_s:.1f} s",
    )


def test_a_text_that_ends_the_engine_fails_alone(
    tiny: str, tmp_path: Path, figures: Figures
) -> None:
    """An error of its own after the second end; then it is refused at once, and others go on."""
    with _served(tiny, tmp_path) as served:
        token = Tokenizer.from_file(f"{tiny}/tokenizer.json").token_to_id("hate")
        served.fault.write_text(f"abort on {token}")
        with ThreadPoolExecutor(1) as beside:
            called = beside.submit(served.callers, 3.0)
            poison = served.ask("hate")
            assert poison.status_code == 500
            assert "ended twice" in poison.json()["error"]
            assert set(called.result().statuses) == {200}
        children = _children(served.server.process.pid)
        assert served.ask("hate").status_code == 500
        assert _children(served.server.process.pid) == children
        assert served.server.stop() == 0
    figures.add(
        "a text aborts the engine's process whenever it runs",
        "after two ends it is answered with 500, and refused for ten minutes; others go on",
        f"8 callers: {called.result()}",
    )


def test_an_engine_dies_with_its_server(tiny: str, tmp_path: Path, figures: Figures) -> None:
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
        killed_s = time.monotonic()
        served.server.process.kill()
        while any(map(_alive, children)):
            assert time.monotonic() < until_s
            time.sleep(0.01)
        took_s = time.monotonic() - killed_s
        with pytest.raises(httpx.TransportError):
            asked.result()
    figures.add(
        "kill -9 of the server while a run hangs with the interpreter locked",
        "the engine's process ends with it",
        f"after {took_s:.2f} s",
    )


def test_an_engine_that_is_killed_again_and_again_comes_back(
    tiny: str, tmp_path: Path, figures: Figures
) -> None:
    """Kill -9 five times under load: nothing is lost, and the server stays the same."""
    with _served(tiny, tmp_path) as served, ThreadPoolExecutor(1) as beside:
        called = beside.submit(served.callers, 12.0)
        for _ in range(5):
            time.sleep(0.5)
            served.until("ready", PATIENCE_S)
            for pid in _children(served.server.process.pid):
                os.kill(pid, signal.SIGKILL)
            served.until("restarting", 2.0)
        assert set(called.result().statuses) == {200}
        served.until("ready", PATIENCE_S)
        assert served.server.stop() == 0
    figures.add(
        "kill -9 of the engine's process, five times in a row",
        "it is started again each time, and nothing is lost",
        f"8 callers: {called.result()}",
    )


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


def test_an_evicted_model_takes_its_process_along(
    tiny: str, tmp_path: Path, figures: Figures
) -> None:
    """Its memory is back before the next model is loaded."""
    with _served(tiny, tmp_path, "--max-loaded", "1") as served:
        wait = {"x-wait-for-model": "true"}
        seen, sizes = [], []
        for model in ("earmark/sentiment", "earmark/ner"):
            url = f"{served.server.address}/models/{model}"
            asked = httpx.post(url, json={"inputs": "x"}, headers=wait, timeout=PATIENCE_S)
            assert asked.status_code == 200
            seen.append(_children(served.server.process.pid))
            sizes.append(memory_mb(served.server.process.pid))
        (first,) = seen[0] - seen[1]
        assert not _alive(first)
        assert len(seen[1]) == 2
    figures.add(
        "a model is put away for another (--max-loaded 1)",
        "its process ends before the other is loaded, and all its memory is back",
        f"all processes: {sizes[0]:.0f} MB with the first, {sizes[1]:.0f} MB with the second",
    )


def test_a_model_that_no_budget_allows_is_refused_with_the_figures(
    tiny: str, tmp_path: Path
) -> None:
    """It needs more than all models together may take, beside those that stay."""
    with _served(tiny, tmp_path, "--memory", "260MB") as served:
        wait = {"x-wait-for-model": "true"}
        url = f"{served.server.address}/models/earmark/sentiment"
        refused = httpx.post(url, json={"inputs": "x"}, headers=wait, timeout=PATIENCE_S)
        assert refused.status_code == 400
        assert "may take 260 MB, of which" in refused.json()["error"]
        assert served.ask("text").status_code == 200


def test_a_model_that_nobody_uses_gives_its_memory_back(tiny: str, tmp_path: Path) -> None:
    """Its process ends after the time; the next request loads it again."""
    with _served(tiny, tmp_path, "--idle-unload", "2s") as served:
        wait = {"x-wait-for-model": "true"}
        url = f"{served.server.address}/models/earmark/sentiment"
        for _ in range(2):
            asked = httpx.post(url, json={"inputs": "x"}, headers=wait, timeout=PATIENCE_S)
            assert asked.status_code == 200
            assert len(_children(served.server.process.pid)) == 2
            until_s = time.monotonic() + PATIENCE_S
            while len(_children(served.server.process.pid)) > 1:
                assert time.monotonic() < until_s
                time.sleep(0.1)


def test_an_engine_in_a_sandbox_answers_and_has_lost_its_privileges(
    tiny: str, tmp_path: Path
) -> None:
    """Also a model that is compiled and kept; what the kernel cannot take is named in the log."""
    with _served(tiny, tmp_path, "--sandbox") as served:
        assert served.ask("text").status_code == 200
        wait = {"x-wait-for-model": "true"}
        url = f"{served.server.address}/models/earmark/zero-shot"
        labels = {"candidate_labels": ["a", "b"]}
        body = {"inputs": "x", "parameters": labels}
        assert httpx.post(url, json=body, headers=wait, timeout=PATIENCE_S).status_code == 200
        told = [one for one in served.server.events if "sandbox" in str(one.get("event"))]
        for child in _children(served.server.process.pid):
            lines = Path(f"/proc/{child}/status").read_text("ascii").splitlines()
            status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
            if not told:
                assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert served.server.stop() == 0


def test_a_sandbox_needs_a_process(tiny: str, tmp_path: Path) -> None:
    """The error says which setting to change."""
    flags = ("--model", f"org/tiny={tiny}", "--engine", "thread", "--sandbox")
    with running_server(*flags, folder=tmp_path) as server:
        assert server.process.wait(PATIENCE_S) == 2
    assert "choose --engine process" in str(server.events)


def test_a_thread_needs_no_process(tiny: str, tmp_path: Path) -> None:
    """With `--engine thread` everything is in one process, as on systems without Unix sockets."""
    flags = ("--model", f"org/tiny={tiny}", "--engine", "thread")
    with running_server(*flags, folder=tmp_path) as server:
        url = f"{server.address}/models/org/tiny"
        assert httpx.post(url, json={"inputs": "x"}, timeout=PATIENCE_S).status_code == 200
        assert _children(server.process.pid) == set()
        assert server.stop() == 0
