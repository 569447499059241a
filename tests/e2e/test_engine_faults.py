"""A runtime that fails, in whatever way: callers are answered, and the server goes on."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx
from e2e.processes import PATIENCE_S, Server, environment, running_server

FAULTS = Path(__file__).parent / "faults"
FORMS = {
    "/models/org/tiny": "inputs",
    "/client/v4/accounts/a/ai/run/org/tiny": "text",
    "/predict": "inputs",
}
"""Addresses of one model, one in each dialect, and the member that holds the text."""


@dataclass(frozen=True, slots=True)
class _Served:
    """A server with a model, and the file that has its runtime fail."""

    server: Server
    fault: Path
    texts: Iterator[int]

    def ask(self, path: str, member: str = "inputs") -> httpx.Response:
        """Ask what has not been asked before: nothing comes from the cache."""
        body = {member: f"text {next(self.texts)}"}
        return httpx.post(f"{self.server.address}{path}", json=body, timeout=PATIENCE_S)

    def health(self) -> tuple[int, str]:
        """Return status and state."""
        answer = httpx.get(f"{self.server.address}/health", timeout=PATIENCE_S)
        return answer.status_code, answer.json()["status"]


@contextmanager
def _served(tiny: str, folder: Path) -> Iterator[_Served]:
    fault = folder / "fault.txt"
    env = environment({"FAULT_FILE": str(fault)}, path=FAULTS)
    with running_server("--model", f"org/tiny={tiny}", env=env, folder=folder) as server:
        assert server.address
        yield _Served(server, fault, count())


def test_a_run_that_fails_is_an_error_in_each_dialects_form(tiny: str, tmp_path: Path) -> None:
    """Also where it is no `Exception`; the next request is answered, and a signal ends all well."""
    with _served(tiny, tmp_path) as served:
        for fault in ("raise", "memory", "exit", "interrupt"):
            for path, member in FORMS.items():
                assert served.ask(path, member).status_code == 200
                served.fault.write_text(fault)
                failed = served.ask(path, member)
                assert not served.fault.exists()
                assert failed.status_code == 500, (fault, path)
                assert failed.headers["content-type"] == "application/json"
                told = failed.json()
                assert told.get("errors") if "client" in path else isinstance(told["error"], str)
                assert served.ask(path, member).status_code == 200
                assert served.health() == (200, "ready")
        assert served.server.stop() == 0


def test_runs_that_all_fail_are_told_by_health_until_one_succeeds(
    tiny: str, tmp_path: Path
) -> None:
    """503 and `failing`, and well again by itself: nobody asks meanwhile."""
    with _served(tiny, tmp_path) as served:
        served.fault.write_text("raise always")
        while served.health() == (200, "ready"):
            assert served.ask("/models/org/tiny").status_code == 500
        assert served.health() == (503, "failing")
        served.fault.unlink()
        until_s = time.monotonic() + PATIENCE_S
        while served.health() != (200, "ready"):
            assert time.monotonic() < until_s
            time.sleep(0.1)
        assert served.ask("/models/org/tiny").status_code == 200
