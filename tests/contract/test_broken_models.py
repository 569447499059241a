"""Models that cannot run: every dialect says why, and the other models answer."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from safetensors.numpy import load_file, save_file
from structlog.testing import capture_logs
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.onnx_models import OnnxSpec, write_onnx, write_onnx_folder

from earmark.compose import Composition, composed
from earmark.engine.load import EngineOptions
from earmark.graph.precision import Precision
from earmark.models.on_demand import OnDemandOptions
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.store import SqliteKeys
from earmark.settings import Settings

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4096\n"


def config_of(folder: Path, **changes: object) -> None:
    """Change fields of a config."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def no_weights(folder: Path, *others: str) -> None:
    """Replace the weights with other files."""
    (folder / "model.safetensors").unlink()
    for name in others:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")


def bare(folder: Path, **files: str) -> None:
    """Remove all but the files named, with a double underscore for a dot."""
    for path in folder.iterdir():
        path.unlink()
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def no_head(folder: Path) -> None:
    """Remove the head's tensors."""
    config_of(folder, architectures=["BertModel"])
    path = folder / "model.safetensors"
    save_file({k: v for k, v in load_file(path).items() if "classifier" not in k}, path)


POOLED = json.dumps([{"type": "sentence_transformers.models.Transformer"}, {"type": "x.Pooling"}])

BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "custom-code": (
        lambda folder: config_of(
            folder, model_type="own", architectures=["OwnModel"], auto_map={"AutoModel": "own.Own"}
        ),
        "which is never run",
    ),
    "modular": (lambda folder: (folder / "modules.json").write_text(POOLED), "several modules"),
    "modular-alone": (lambda folder: bare(folder, modules__json="[]"), "sentence-transformers"),
    "pointer": (lambda folder: (folder / "model.safetensors").write_text(POINTER), "git lfs pull"),
    "pointer-config": (lambda folder: (folder / "config.json").write_text(POINTER), "git lfs pull"),
    "pointer-tokenizer": (
        lambda folder: (folder / "tokenizer.json").write_text(POINTER),
        "git lfs pull",
    ),
    "adapter": (lambda folder: (folder / "adapter_config.json").write_text("{}"), "merge_and_unl"),
    "adapter-alone": (
        lambda folder: bare(folder, adapter_config__json="{}", adapter_model__safetensors="x"),
        "merge_and_unload",
    ),
    "quantised": (lambda folder: no_weights(folder, "onnx/model_int8.onnx"), "optimum-cli"),
    "tensorflow": (lambda folder: no_weights(folder, "tf_model.h5"), "from_tf=True"),
    "flax": (lambda folder: no_weights(folder, "flax_model.msgpack"), "from_flax=True"),
    "gguf": (lambda folder: bare(folder, **{"model-q4.gguf": "x"}), "GGUF"),
    "no-head": (no_head, "an encoder without a head that classifies"),
    "damaged": (lambda folder: (folder / "config.json").write_text("{"), "line 1, column 2"),
    "cut": (lambda folder: (folder / "model.safetensors").write_bytes(b"x"), "safetensors"),
    "misshapen": (lambda folder: config_of(folder, hidden_size=64), "has shape"),
}

RUN = "/client/v4/accounts/any/ai/run/{}"
ASKED: dict[str, tuple[str, object, int]] = {
    "/models/{}": ("inference", {"inputs": "x"}, 400),
    "/pipeline/text-classification/{}": ("inference", {"inputs": "x"}, 400),
    RUN: ("Workers AI", {"text": "x"}, 400),
    "/v2/rerank": ("Cohere", {"model": "{}", "query": "a", "documents": ["b"]}, 422),
}
"""Address -> whose it is, a request, and the status of a request that cannot be answered."""


@contextmanager
def served(folder: Path, precision: Precision = "auto") -> Iterator[Composition]:
    """Serve the models of a folder, as `earmark serve` would."""
    settings = Settings(
        preload=False,
        models_folder=str(folder / "models"),
        hub_models=("deny",),
        on_demand=OnDemandOptions(max_loaded=20),
        engine=EngineOptions(precision=precision, reference="off"),
        state_folder=str(folder / "state"),
        cache_folder=str(folder / "cache"),
    )
    with (
        closing(SqliteKeys(settings.database)) as keys,
        composed(settings, AccessGate(keys)) as composition,
    ):
        yield composition


async def ask(client: httpx.AsyncClient, model: str) -> list[httpx.Response]:
    """Send a request to one model in every dialect."""
    answers = []
    for address, (_, body, _) in ASKED.items():
        text = json.dumps(body).replace("{}", model)
        answers.append(
            await client.post(
                address.replace("{}", model), content=text, headers={"x-wait-for-model": "1"}
            )
        )
    return answers


@pytest.mark.parametrize("name", BROKEN)
def test_a_model_that_cannot_run_says_why_in_every_dialect(name: str, tmp_path: Path) -> None:
    """The error says why and not where; there is one warning, and the other model answers."""
    models = tmp_path / "models"
    neighbour = write_checkpoint(models / "neighbour", CheckpointSpec(num_labels=1))
    folder = write_checkpoint(models / "org" / name, CheckpointSpec(num_labels=1))
    breaks, said = BROKEN[name]
    breaks(folder)

    async def scenario(app: httpx.ASGITransport) -> None:
        async with httpx.AsyncClient(transport=app, base_url="http://earmark.test") as client:
            answers = await ask(client, f"org/{name}")
            for answer, (_, _, status) in zip(answers, ASKED.values(), strict=True):
                assert (answer.status_code, said in answer.text) == (status, True), answer.text
                assert str(tmp_path) not in answer.text
            for answer in await ask(client, neighbour.name):
                assert answer.status_code == 200, answer.text

    with capture_logs() as logs, served(tmp_path) as composition:
        asyncio.run(scenario(httpx.ASGITransport(composition.app)))
    assert not [line for line in logs if line["log_level"] == "error" or "exc_info" in line]
    warned = [
        line for line in logs if line.get("model") == f"org/{name}" and line["log_level"] != "info"
    ]
    assert [line["log_level"] for line in warned] == ["warning"]


def test_what_cannot_be_read_is_a_warning_at_the_start(tmp_path: Path) -> None:
    """Each unreadable model is a warning at the start and is not listed; the others are."""
    models = tmp_path / "models"
    write_checkpoint(models / "good", CheckpointSpec())
    bad = write_checkpoint(models / "bad", CheckpointSpec())
    (bad / "config.json").write_text("{")
    with capture_logs() as logs, served(tmp_path):
        pass
    assert [(line["log_level"], line["model"]) for line in logs] == [("warning", "bad")]


def test_an_exported_graph_is_listed_and_runs_where_the_weights_do_not(tmp_path: Path) -> None:
    """With an unknown class under a known `model_type`, the exported graph is listed and runs."""
    folder = write_checkpoint(tmp_path / "models" / "jina", CheckpointSpec(num_labels=3))
    config_of(folder, architectures=["JinaBertForSequenceClassification"])
    write_onnx(folder / "onnx" / "model.onnx", OnnxSpec())

    async def scenario(app: httpx.ASGITransport) -> None:
        async with httpx.AsyncClient(transport=app, base_url="http://earmark.test") as client:
            answer = await client.post(
                "/models/jina", content='{"inputs": "x"}', headers={"x-wait-for-model": "1"}
            )
            assert answer.status_code == 200
            assert "jina" in (await client.get("/models")).text

    with served(tmp_path) as composition:
        asyncio.run(scenario(httpx.ASGITransport(composition.app)))


def test_what_the_settings_rule_out_is_told_as_such(tmp_path: Path) -> None:
    """int8 for an exported graph is reported as an error of the settings, not the client's."""
    folder = write_onnx_folder(tmp_path / "models" / "exported", OnnxSpec(), num_labels=3)

    async def scenario(app: httpx.ASGITransport) -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=app, base_url="http://earmark.test") as client:
            return await ask(client, folder.name)

    with capture_logs() as logs, served(tmp_path, precision="int8") as composition:
        classified, _, run, _ = asyncio.run(scenario(httpx.ASGITransport(composition.app)))
    for answer in (classified, run):
        assert answer.status_code == 500
        assert "cannot run as this server is set" in answer.text
        assert "not made int8" in answer.text
        assert str(tmp_path) not in answer.text
    assert not [line for line in logs if "exc_info" in line]
