"""Access keys, from the command that creates one to the request that it opens."""

import subprocess
from pathlib import Path

import httpx
import pytest
from e2e.processes import PATIENCE_S, command, environment, running_server
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(  # noqa: S603 - our own words
        command(*words),
        env=environment(),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_a_key_created_beside_a_running_server_closes_it_to_others(
    tiny: str, tmp_path: Path
) -> None:
    """Open at first; then only for the key; after its end for nobody. Health tells throughout."""
    # Without certificates a server has nothing to keep, and no database until the key is made.
    with running_server("--model", tiny, "--certify", "off", folder=tmp_path) as server:
        url = f"{server.address}/models/tiny"

        def post(key: str | None = None) -> httpx.Response:
            headers = {"authorization": f"Bearer {key}"} if key else {}
            return httpx.post(url, json={"inputs": "x"}, headers=headers, timeout=PATIENCE_S)

        def client(key: str) -> InferenceClient:
            return InferenceClient(url, token=key, timeout=PATIENCE_S)

        assert post().status_code == 200
        assert not (tmp_path / "state").exists()
        made = run("keys", "create", "ci", folder=tmp_path)
        assert made.returncode == 0, made.stderr
        key = made.stdout.removesuffix("\n")
        assert post().status_code == 401
        assert post(key).status_code == 200
        assert len(client(key).text_classification("x")) == 2
        with pytest.raises(HfHubHTTPError, match="unknown here"):
            client("hf_of_someone").text_classification("x")
        assert run("keys", "revoke", "ci", folder=tmp_path).returncode == 0
        assert post(key).status_code == 401
        assert httpx.get(f"{server.address}/health", timeout=PATIENCE_S).status_code == 200
        assert httpx.get(f"{url}/health", timeout=PATIENCE_S).status_code == 200
        server.stop()
    requests = [event for event in server.events if event.get("event") == "request"]
    known = [event["key"] for event in requests if "key" in event]
    assert len(known) == 2
    assert len(set(known)) == 1
    assert key not in repr(server.events)


def test_an_address_that_others_can_reach_needs_keys(tiny: str, tmp_path: Path) -> None:
    """Refused before a model is loaded; once there is a key it is served, and the log says so."""
    everywhere = ("--host", "0.0.0.0", "--model", tiny)  # noqa: S104 - under test
    refused = run("serve", "--port", "0", *everywhere, folder=tmp_path)
    assert refused.returncode == 2
    error, hint = refused.stderr.splitlines()
    assert error.startswith("earmark: error: 0.0.0.0 can be reached from other machines")
    assert "earmark keys create NAME" in hint
    assert run("keys", "create", "ci", folder=tmp_path).returncode == 0
    with running_server(*everywhere, folder=tmp_path) as server:
        assert httpx.get(server.address, timeout=PATIENCE_S).status_code == 401
        server.stop()
    [serving] = [event for event in server.events if event.get("event") == "serving"]
    assert serving["access"] == "keys"
    assert not any(event.get("level") == "warning" for event in server.events)


def test_a_server_whose_key_database_was_deleted_does_not_start_open(
    tiny: str, tmp_path: Path
) -> None:
    """One line and exit code 2; with a new key it starts again, and demands it."""
    assert run("keys", "create", "ci", folder=tmp_path).returncode == 0
    with running_server("--model", tiny, folder=tmp_path) as server:
        assert httpx.get(server.address, timeout=PATIENCE_S).status_code == 401
        server.stop()
    for left in (tmp_path / "state").glob("*.sqlite*"):
        if not left.name.endswith(".had-keys"):
            left.unlink()
    refused = run("serve", "--port", "0", "--model", tiny, folder=tmp_path)
    assert refused.returncode == 2
    (told,) = refused.stderr.splitlines()
    assert told.startswith("earmark: error: there were access keys in")
    assert run("keys", "create", "ci", folder=tmp_path).returncode == 0
    with running_server("--model", tiny, folder=tmp_path) as server:
        assert httpx.get(server.address, timeout=PATIENCE_S).status_code == 401
