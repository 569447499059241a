"""`earmark serve` loads models of a folder when they are asked for."""

import json
import shutil
import signal
import subprocess
from pathlib import Path

import httpx
from e2e.processes import PATIENCE_S, command, environment, running_server

WAIT = {"x-wait-for-model": "true"}


def test_models_of_a_folder_are_loaded_when_asked_for(tiny: str, tmp_path: Path) -> None:
    """Also one that appears later; what was learned is kept, and a signal ends the server well."""
    root, state = tmp_path / "models", tmp_path / "state"
    shutil.copytree(tiny, root / "org" / "first")
    flags = ("--models-folder", str(root), "--no-preload", "--max-loaded", "1")
    env = environment({"EARMARK_STATE_FOLDER": str(state)})
    with running_server(*flags, env=env, folder=tmp_path) as server:

        def ask(model_id: str) -> httpx.Response:
            url = f"{server.address}/models/{model_id}"
            return httpx.post(url, json={"inputs": "x"}, headers=WAIT, timeout=PATIENCE_S)

        def states() -> dict[str, str]:
            listed = httpx.get(f"{server.address}/models", timeout=PATIENCE_S).json()
            return {each["model_id"]: each["status"] for each in listed}

        assert states()["org/first"] == "loadable"
        assert not state.exists()
        assert ask("org/first").status_code == 200
        assert states()["org/first"] == "ready"
        shutil.copytree(tiny, root / "second")
        assert ask("second").json() == ask("second").json()
        assert (states()["org/first"], states()["second"]) == ("loadable", "ready")
        shutil.copytree(tiny, tmp_path / "outside")
        (root / "broken").mkdir()
        (root / "broken" / "config.json").write_text("{}")
        assert ask("org/../../outside").status_code == 404
        broken = ask("broken")
        assert (broken.status_code, str(root) in broken.text) == (400, False)
        assert server.stop(signal.SIGTERM) == 0
    assert [path.name for path in state.iterdir() if path.suffix == ".sqlite"] == ["earmark.sqlite"]


def test_the_folders_models_are_listed(tiny: str, tmp_path: Path) -> None:
    """Beside those in the box."""
    shutil.copytree(tiny, tmp_path / "org" / "name")
    listed = subprocess.run(  # noqa: S603 - our own command
        command("models", "--json", "--models-folder", "."),
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env=environment(),
        timeout=PATIENCE_S,
    )
    rows = json.loads(listed.stdout)
    assert (rows[-1]["id"], rows[-1]["source"]) == ("org/name", "folder")
