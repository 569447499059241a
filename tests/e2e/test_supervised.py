"""The server under a supervisor such as systemd: readiness, watchdog, inherited socket, SIGHUP."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from e2e.processes import PATIENCE_S, command, environment, running_server


@contextmanager
def _supervisor(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.settimeout(PATIENCE_S)
        yield listener


def _next(listener: socket.socket, *, but: str = "WATCHDOG=1") -> str:
    while (told := listener.recv(4096).decode()) == but:
        pass
    return told


def test_a_supervisor_hears_when_the_server_is_ready_and_when_it_stops(
    tiny: str, tmp_path: Path
) -> None:
    """READY=1 once clients can connect; then the watchdog is fed; STOPPING=1 at the signal."""
    notify = str(tmp_path / "notify")
    env = environment({"NOTIFY_SOCKET": notify, "WATCHDOG_USEC": "1000000"})
    with (
        _supervisor(notify) as heard,
        running_server("--model", f"org/tiny={tiny}", env=env, folder=tmp_path) as server,
    ):
        assert _next(heard) == "READY=1"
        assert httpx.get(f"{server.address}/readyz", timeout=PATIENCE_S).status_code == 200
        started_s = time.monotonic()
        for _ in range(3):
            assert heard.recv(4096) == b"WATCHDOG=1"
        assert 0.5 < time.monotonic() - started_s < PATIENCE_S
        server.process.send_signal(signal.SIGTERM)
        assert _next(heard) == "STOPPING=1"
        assert server.process.wait(PATIENCE_S) == 0


def test_a_name_without_a_file_is_understood(tiny: str, tmp_path: Path) -> None:
    """Such as @name, which Linux keeps apart from files."""
    if sys.platform != "linux":
        pytest.skip("only Linux has such names")
    name = f"earmark-test-{os.getpid()}"
    env = environment({"NOTIFY_SOCKET": f"@{name}"})
    with (
        _supervisor(f"\0{name}") as heard,
        running_server("--model", f"org/tiny={tiny}", env=env, folder=tmp_path),
    ):
        assert _next(heard) == "READY=1"


def test_a_socket_that_the_supervisor_opened_is_served(tiny: str, tmp_path: Path) -> None:
    """Clients that connected before the server was there are answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        # As systemd does: the socket is descriptor 3, and LISTEN_PID the program's own number.
        program = (
            f"import os; os.dup2({listener.fileno()}, 3);"
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1');"
            f"os.execv({sys.executable!r}, {command('serve')!r}"
            f" + ['--model', 'org/tiny={tiny}', '--port', '1'])"
        )
        with subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-c", program],
            pass_fds=(listener.fileno(), 3),
            env=environment(),
            cwd=tmp_path,
        ) as process:
            try:
                url = f"http://127.0.0.1:{port}/models/org/tiny"
                asked = httpx.post(url, json={"inputs": "x"}, timeout=PATIENCE_S)
                assert asked.status_code == 200
                process.terminate()
                assert process.wait(PATIENCE_S) == 0
            finally:
                process.kill()


def test_settings_are_read_anew_on_a_hangup(tiny: str, tmp_path: Path) -> None:
    """The log level changes at once; the port needs a restart, and the log says so."""
    file = tmp_path / "earmark.toml"
    file.write_text('log_level = "error"\n')
    notify = str(tmp_path / "notify")
    env = environment({"NOTIFY_SOCKET": notify})
    with (
        _supervisor(notify) as heard,
        running_server(
            "--model", f"org/tiny={tiny}", "--engine", "thread", env=env, folder=tmp_path
        ) as server,
    ):
        assert _next(heard) == "READY=1"
        file.write_text('log_level = "info"\nmax_inputs = 7\n')
        server.process.send_signal(signal.SIGHUP)
        assert _next(heard).startswith("RELOADING=1\nMONOTONIC_USEC=")
        assert _next(heard) == "READY=1"
        file.write_text("log_level = 3\n")
        server.process.send_signal(signal.SIGHUP)
        assert _next(heard).startswith("RELOADING=1")
        assert _next(heard) == "READY=1"
        assert server.stop() == 0
    told = {str(one.get("event")): one for one in server.events}
    assert "serving" not in told  # the level was error at the start
    anew = told["the settings are read anew"]
    assert (anew["applied"], anew["need_a_restart"]) == (["log_level"], ["max_inputs"])
    assert "log_level" in str(told["the settings are not read anew"]["error"])
