"""Models of the Hub as users name them: in processes of their own, with the Hub's own variables."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from e2e.processes import PATIENCE_S, command, environment, running_server
from e2e.terminals import on_terminal
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.hub_stand_in import TOKEN, HubRepo, HubStandIn, commit_of, running_hub
from support.onnx_models import OnnxSpec, write_onnx_folder

FIRST = commit_of("first")
FILES = {"config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubStandIn]:
    """A Hub with a tiny model, private to the token's owner, under a branch and a tag."""
    spec = CheckpointSpec(label_names=("BAD", "GOOD"))
    repo = HubRepo.of(write_checkpoint(tmp_path / "published", spec), private=True)
    repo.revisions["v1"] = FIRST
    with running_hub({"org/name": repo}) as hub:
        yield hub


@pytest.fixture
def variables(hub: HubStandIn, tmp_path: Path) -> dict[str, str]:
    """What leads to it, and to a cache of its own."""
    home = str(tmp_path / "home")
    return {"HF_ENDPOINT": hub.url, "HF_HOME": home, "HF_TOKEN": TOKEN}


def earmark(
    *arguments: str, env: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(  # noqa: S603 - our own words
        command(*arguments),
        env=environment(env),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_pull_says_what_it_fetched_and_where_it_lies(
    hub: HubStandIn, variables: dict[str, str], tmp_path: Path
) -> None:
    """Then that all of it was there; `models` lists it, and a model can be had without network."""
    first = earmark("pull", "org/name", env=variables, folder=tmp_path)
    assert first.returncode == 0, first.stderr
    snapshot = tmp_path / "home" / "hub" / "models--org--name" / "snapshots" / FIRST
    head, *rest = first.stdout.splitlines()
    assert head == "org/name: fetched 0.1 MB"
    assert rest == [f"  commit  {FIRST}", f"  folder  {snapshot}"]
    assert len(first.stderr.splitlines()) == 1
    assert "fetching from the Hub" in first.stderr
    assert TOKEN not in first.stdout + first.stderr
    assert hub.files_asked() == FILES
    second = earmark("pull", "org/name@v1", env=variables, folder=tmp_path)
    assert second.stdout.startswith("org/name@v1: all of it was there\n")

    listed = json.loads(earmark("models", "--json", env=variables, folder=tmp_path).stdout)
    (row,) = [one for one in listed if one["source"] == "hub"]
    assert (row["id"], row["revision"], row["folder"]) == ("org/name", FIRST, str(snapshot))
    assert row["facts"]["labels"] == ["BAD", "GOOD"]
    assert row["facts"]["size_bytes"] == (snapshot / "model.safetensors").stat().st_size
    table = earmark("models", env=variables | {"COLUMNS": "160"}, folder=tmp_path)
    assert FIRST[:7] in table.stdout

    hub.asked.clear()
    away = variables | {"HF_HUB_OFFLINE": "1"}
    words = ("classify", "hello", "--model", "org/name")
    offline = earmark(*words, env=away, folder=tmp_path)
    assert json.loads(offline.stdout)["label"] in {"BAD", "GOOD"}
    assert "the Hub is not asked" in offline.stderr
    assert hub.asked == []


def test_a_terminal_sees_a_bar_and_no_control_characters_are_left(
    variables: dict[str, str], tmp_path: Path
) -> None:
    """The bar goes away; the answer stays."""
    with on_terminal("pull", "org/name", folder=tmp_path, variables=variables) as terminal:
        shown = terminal.read_until()
        assert terminal.process.wait(PATIENCE_S) == 0
    assert FIRST in shown
    assert "fetched 0.1 MB" in shown
    assert "MB/s" in shown or "kB" in shown or "bytes" in shown


def test_classify_takes_a_model_by_its_tag(
    hub: HubStandIn, variables: dict[str, str], tmp_path: Path
) -> None:
    """A model of which the branch has moved on."""
    hub.repos["org/name"].commit("second", {"README.md": b"gone"})
    words = ("classify", "hello", "--model", "org/name@v1")
    ended = earmark(*words, env=variables, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["label"] in {"BAD", "GOOD"}
    assert hub.files_asked() == FILES


def test_a_model_that_is_only_a_graph_runs_from_the_cache(
    hub: HubStandIn, variables: dict[str, str], tmp_path: Path
) -> None:
    """With its weights in a file of their own, by the runtime that is the default."""
    spec = OnnxSpec(external="model.onnx_data")
    hub.repos["org/graph"] = HubRepo.of(write_onnx_folder(tmp_path / "graph", spec))
    ended = earmark("classify", "hello", "--model", "org/graph", env=variables, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["label"].startswith("LABEL_")
    assert {"onnx/model.onnx", "onnx/model.onnx_data"} <= hub.files_asked()


def test_the_python_api_takes_a_model_of_the_hub(
    hub: HubStandIn, variables: dict[str, str], tmp_path: Path
) -> None:
    """It goes by its own id, and tells its commit."""
    code = (
        "import earmark, sys; model = earmark.load('org/name', threads=1); info = model.info; "
        "sys.stdout.write(f'{info.model_id} {info.source} {info.revision}'); model.close()"
    )
    ended = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-W", "error", "-c", code],
        env=environment(variables),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.stdout == f"org/name org/name@{FIRST[:12]} {FIRST}", ended.stderr
    assert hub.files_asked() == FILES


def test_a_server_says_which_commit_it_serves_and_keeps_to_it(
    hub: HubStandIn, variables: dict[str, str], tmp_path: Path
) -> None:
    """Fetched before it listens; the second asks for no file again.

    Nor is anything asked for by a list of what is not loaded yet.
    """
    env = environment(variables)
    for flags in ((), ("--no-preload",)):
        hub.asked.clear()
        with running_server("--model", "org/name", *flags, env=env, folder=tmp_path) as server:
            address = server.address
            assert hub.files_asked() == (set() if flags else FILES)
            hub.asked.clear()
            assert httpx.get(f"{address}/models").status_code == 200
            answer = httpx.post(
                f"{address}/models/org/name",
                json={"inputs": "hello"},
                headers={"x-wait-for-model": "true"},
                timeout=PATIENCE_S,
            )
            assert answer.status_code == 200, answer.text
            assert {one["label"] for one in answer.json()[0]} == {"BAD", "GOOD"}
            info = httpx.get(f"{address}/models/org/name/info").json()
            assert (info["model_id"], info["model_sha"]) == ("org/name", FIRST)
            assert httpx.get(f"{address}/api/models/org/name").json()["sha"] == FIRST
            assert hub.asked == []
            assert server.stop() == 0
        assert TOKEN not in json.dumps(server.events)


def test_a_wrong_token_ends_the_start_in_one_line(
    variables: dict[str, str], tmp_path: Path
) -> None:
    """The token is not repeated."""
    ended = earmark(
        "classify",
        "x",
        "--model",
        "org/name",
        env=variables | {"HF_TOKEN": "hf_no"},
        folder=tmp_path,
    )
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "the token that was sent may not read it" in ended.stderr
    assert "hf_no" not in ended.stderr


def test_a_cached_model_that_cannot_run_is_not_listed(
    hub: HubStandIn, variables: dict[str, str], tmp_path: Path
) -> None:
    """A cache is full of models that are no classifiers; of the settings every model is listed."""
    repo = hub.repos["org/name"]
    config = json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}).encode()
    repo.commit("llama", {**repo.commits[FIRST], "config.json": config})
    assert earmark("pull", "org/name", env=variables, folder=tmp_path).returncode == 0
    (tmp_path / "earmark.toml").write_text('models = ["org/name", "org/other@v2"]')
    listed = json.loads(earmark("models", "--json", env=variables, folder=tmp_path).stdout)
    found = {one["id"]: one["problem"] for one in listed if one["source"] == "hub"}
    assert set(found) == {"org/name", "org/other"}
    assert "llama" in found["org/name"]
    assert "earmark pull org/other@v2" in found["org/other"]
    (tmp_path / "earmark.toml").unlink()
    listed = json.loads(earmark("models", "--json", env=variables, folder=tmp_path).stdout)
    assert [one for one in listed if one["source"] == "hub"] == []
