"""Nothing leaves the machine: no telemetry, no look-ups, no updates."""

import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from e2e.processes import PATIENCE_S, environment, running_server

WATCH = Path(__file__).parent / "watch"


def test_a_server_speaks_to_nobody_but_its_clients(tmp_path: Path) -> None:
    """From start to end, a request answered between; and the home directory is left as it was.

    OpenVINO brings a telemetry package along, which would do both when it is imported.
    """
    record = tmp_path / "connections.txt"
    home = tmp_path / "home"
    home.mkdir()
    variables = {"CONNECTION_RECORD": str(record), "HOME": str(home)}
    env = environment(variables, path=WATCH)
    with running_server(folder=tmp_path, env=env) as server:
        url = f"{server.address}/models/earmark/sentiment"
        assert httpx.post(url, json={"inputs": "I like it"}, timeout=PATIENCE_S).status_code == 200
        assert server.stop() == 0
    assert not record.exists(), record.read_text("utf-8")
    assert list(home.rglob("*")) == []


def test_the_watch_sees_and_refuses_a_connection(tmp_path: Path) -> None:
    """The test above can fail: an address beyond loopback (RFC 5737) is refused and recorded."""
    record = tmp_path / "connections.txt"
    ended = subprocess.run(
        [sys.executable, "-c", "import socket; socket.create_connection(('192.0.2.1', 9))"],
        env=environment({"CONNECTION_RECORD": str(record)}, path=WATCH),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert "may speak to loopback alone" in ended.stderr
    assert "192.0.2.1" in record.read_text("utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_idle_connections_silence_no_server(tiny: str, tmp_path: Path) -> None:
    """400 where the system gives 256 descriptors: others are answered, and one line tells it."""
    limited = ("sh", "-c", 'ulimit -n 256 && exec "$@"', "sh")
    env = environment()
    with (
        running_server("--model", tiny, env=env, folder=tmp_path, under=limited) as server,
        ExitStack() as stack,
    ):
        address = urlsplit(server.address)
        assert address.hostname
        assert address.port
        place = (address.hostname, address.port)
        for _ in range(400):
            stack.enter_context(socket.create_connection(place, timeout=PATIENCE_S))
        for _ in range(3):
            assert httpx.get(f"{server.address}/health", timeout=PATIENCE_S).status_code == 200
        url = f"{server.address}/models/tiny"
        assert httpx.post(url, json={"inputs": "x"}, timeout=PATIENCE_S).status_code == 200
        assert server.stop() == 0
    told = [one for one in server.events if "connections" in str(one.get("event"))]
    assert len(told) == 1, server.events
    assert 100 < int(str(told[0]["most"])) < 256 - 64
