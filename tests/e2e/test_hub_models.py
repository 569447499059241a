"""`earmark serve --hub-models`: a request names a model of the Hub, and that model answers."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from e2e.processes import PATIENCE_S, Server, command, environment, running_server
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.hub_stand_in import HubRepo, HubStandIn, running_hub

_MODEL = "org/name"
_OTHER = "other/name"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubStandIn]:
    """A Hub with two models of one kind."""
    spec = CheckpointSpec(label_names=("BAD", "GOOD"))
    repo = HubRepo.of(write_checkpoint(tmp_path / "published", spec))
    with running_hub({_MODEL: repo, _OTHER: repo}) as hub:
        yield hub


def _environment(hub: HubStandIn, folder: Path) -> dict[str, str]:
    more = {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(folder / "home"),
        "EARMARK_STATE_FOLDER": str(folder / "state"),
    }
    return environment(more)


def _ask(server: Server, model_id: str, **headers: str) -> httpx.Response:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"{server.address}/models/{model_id}"
    return httpx.post(url, json={"inputs": "x"}, headers=told, timeout=PATIENCE_S)


def _asked(hub: HubStandIn, model_id: str) -> list[str]:
    return [one.path for one in hub.asked if model_id in one.path]


def _started(server: Server) -> object:
    assert server.address
    return next(each["hub_models"] for each in server.events if each.get("event") == "serving")


def test_a_model_within_the_patterns_is_fetched_once_and_answers(
    hub: HubStandIn, tmp_path: Path
) -> None:
    """First a 503 that says how long, then its answer; of any other nothing is asked for."""
    flags = ("--no-preload", "--hub-models", "org/*")
    with running_server(*flags, env=_environment(hub, tmp_path), folder=tmp_path) as server:
        assert _started(server) == "org/*"
        described = httpx.get(f"{server.address}/models/{_MODEL}/info", timeout=PATIENCE_S).json()
        assert (described["labels"], described["state"]) == (["BAD", "GOOD"], "loadable")
        assert hub.files_asked() == {"config.json"}
        first = _ask(server, _MODEL)
        assert (first.status_code, first.json()["error"]) == (
            503,
            "Model org/name is currently loading",
        )
        assert first.json()["estimated_time"] >= 1
        answer = _ask(server, _MODEL, x_wait_for_model="true")
        assert (answer.status_code, answer.headers["x-compute-model"]) == (200, _MODEL)
        assert {each["label"] for each in answer.json()[0]} == {"BAD", "GOOD"}
        questions = len(_asked(hub, _MODEL))
        assert _ask(server, _MODEL).json() == answer.json()
        assert len(_asked(hub, _MODEL)) == questions
        denied = _ask(server, _OTHER)
        assert (denied.status_code, _asked(hub, _OTHER)) == (404, [])
        assert _ask(server, "org/none").json()["error"].startswith("Model org/none does not exist")
        assert server.stop() == 0
    told = {str(each["model"]): str(each["refused"]) for each in server.events if "refused" in each}
    assert told.keys() == {_OTHER, "org/none"}
    assert told[_OTHER] == "hub_models is org/*"


def test_without_a_setting_only_a_server_without_keys_fetches(
    hub: HubStandIn, tmp_path: Path
) -> None:
    """And not for a page of another site; a key that appears ends it at once."""
    env = _environment(hub, tmp_path)
    with running_server("--no-preload", env=env, folder=tmp_path) as server:
        assert _started(server) == "any"
        assert _ask(server, _MODEL, origin="https://evil.test").status_code == 404
        assert _asked(hub, _MODEL) == []
        assert _ask(server, _MODEL, x_wait_for_model="true").status_code == 200
        key = _create_key(env, tmp_path)
        refused = _ask(server, _OTHER, authorization=f"Bearer {key}")
        assert (refused.status_code, _asked(hub, _OTHER)) == (404, [])
        served = _ask(server, _MODEL, authorization=f"Bearer {key}")
        assert served.status_code == 200
        assert server.stop() == 0


def _create_key(env: dict[str, str], folder: Path) -> str:
    made = subprocess.run(  # noqa: S603 - our own command
        command("keys", "create", "first"),
        capture_output=True,
        check=True,
        cwd=folder,
        env=env,
        text=True,
        timeout=PATIENCE_S,
    )
    return made.stdout.strip()


def test_what_the_cache_holds_answers_without_the_hub(hub: HubStandIn, tmp_path: Path) -> None:
    """`HF_HUB_OFFLINE` asks nobody; what is not there is not found."""
    env = _environment(hub, tmp_path)
    wait = {"x_wait_for_model": "true"}
    flags = ("--no-preload", "--hub-models", "any")
    with running_server(*flags, env=env, folder=tmp_path) as server:
        assert _ask(server, _MODEL, **wait).status_code == 200
        assert server.stop() == 0
    hub.asked.clear()
    env |= {"HF_HUB_OFFLINE": "1"}
    with running_server(*flags, env=env, folder=tmp_path) as server:
        assert _ask(server, _MODEL, **wait).status_code == 200
        assert _ask(server, _OTHER, **wait).status_code == 404
        assert server.stop() == 0
    assert hub.asked == []
