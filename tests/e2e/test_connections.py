"""Nothing leaves the machine: no telemetry, no look-ups, no updates."""

import subprocess
import sys
from pathlib import Path

import httpx
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
