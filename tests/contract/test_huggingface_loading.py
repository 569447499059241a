"""A model that is not in memory: which callers get a 503 or are held, and what is known of it."""

import asyncio
import threading
from collections.abc import Mapping

import pytest
from support.fake_engine import FakeEngine
from support.fake_loader import FAKE_WEIGHTS_BYTES, FakeLoader
from support.http_app import asking

from earmark.checkpoint.ref import BundledRef
from earmark.errors import EngineError, InvalidCheckpoint
from earmark.models.catalogue import Catalogue
from earmark.models.on_demand import OnDemand, OnDemandOptions

_BODY = b'{"inputs": "I like you"}'
_ADDRESS = "/models/org/name"
_LOADING = {"error": "Model org/name is currently loading", "estimated_time": 20.0}
_PATIENCE_S = 10.0
"""Far more than any of this takes: a hang has to fail, not to stay."""


def _loaded_by(loader: FakeLoader, *, hold_s: float = _PATIENCE_S) -> OnDemand:
    return OnDemand(
        Catalogue({"org/name": BundledRef("org/name")}), loader, OnDemandOptions(hold_s=hold_s)
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-wait-for-model": "false", "user-agent": "unknown/None; hf_hub/2.4.0"},
        {"user-agent": "unknown/None; hf_hub/0.28.1; python/3.11"},
        {"user-agent": "@huggingface/inference/3.3.7"},
    ],
    ids=["curl", "asks not to wait", "asks again every second", "asks again and then waits"],
)
def test_a_caller_who_can_read_a_503_gets_one(headers: Mapping[str, str]) -> None:
    """A client that handles a 503 gets one with the Hub's words and an estimate; a load begins."""

    async def scenario() -> None:
        loader = FakeLoader()
        async with asking(on_demand=_loaded_by(loader)) as client:
            answer = await client.post(_ADDRESS, content=_BODY, headers=headers)
            assert answer.status_code == 503
            assert answer.json() == _LOADING
            assert answer.headers["retry-after"] == "20"
            assert answer.headers["x-error-message"] == _LOADING["error"]
            assert await asyncio.to_thread(loader.entered.wait, _PATIENCE_S)
            loader.gate.set()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"x-wait-for-model": "true"}, _BODY),
        ({"x-wait-for-model": "1"}, _BODY),
        ({}, b'{"inputs": "I like you", "options": {"wait_for_model": true}}'),
        ({"user-agent": "unknown/None; hf_hub/2.4.0; python/3.12"}, _BODY),
        ({"user-agent": "@huggingface/inference/3.15.0"}, _BODY),
    ],
    ids=["true", "1", "options", "fails hard on 503", "spins on 503"],
)
def test_a_caller_who_asks_or_cannot_read_a_503_is_held(
    headers: Mapping[str, str], body: bytes
) -> None:
    """A client that asks to wait, or mishandles a 503, is held and answered after the load."""

    async def scenario() -> None:
        loader = FakeLoader()
        async with asking(on_demand=_loaded_by(loader)) as client:
            held = asyncio.create_task(client.post(_ADDRESS, content=body, headers=headers))
            assert await asyncio.to_thread(loader.entered.wait, _PATIENCE_S)
            assert not held.done()
            loader.gate.set()
            answer = await held
            assert (answer.status_code, loader.begun) == (200, ["org/name"])

    asyncio.run(scenario())


def test_a_caller_who_is_held_too_long_gets_the_503_after_all() -> None:
    """A client that is held for longer than the operator's bound gets the 503."""

    async def scenario() -> None:
        loader = FakeLoader()
        async with asking(on_demand=_loaded_by(loader, hold_s=0.01)) as client:
            wait = {"x-wait-for-model": "1"}
            answer = await client.post(_ADDRESS, content=_BODY, headers=wait)
            assert (answer.status_code, "estimated_time" in answer.json()) == (503, True)
            loader.gate.set()

    asyncio.run(scenario())


def test_a_caller_may_ask_for_no_load() -> None:
    """With `x-load-model: 0` the answer is 200 with the words that the widget reads."""

    async def scenario() -> None:
        loader = FakeLoader.open()
        async with asking(on_demand=_loaded_by(loader)) as client:
            answer = await client.post(_ADDRESS, content=_BODY, headers={"x-load-model": "0"})
            assert (answer.status_code, answer.json()) == (200, {"error": "not loaded yet"})
            assert loader.begun == []

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("address", "body"),
    [(_ADDRESS, b"{"), (f"{_ADDRESS}/pipeline/token-classification", b'{"inputs": "x"}')],
)
def test_a_wrong_request_loads_nothing(address: str, body: bytes) -> None:
    """A malformed body, or a task that the model cannot do, is a 400 and loads nothing."""

    async def scenario() -> None:
        loader = FakeLoader.open()
        async with asking(on_demand=_loaded_by(loader)) as client:
            answer = await client.post(address, content=body)
            assert (answer.status_code, loader.begun) == (400, [])

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("failure", "status", "said"),
    [
        (
            InvalidCheckpoint("/secret/file is cut"),
            400,
            "Model org/name cannot run here: file is cut",
        ),
        (
            EngineError("/secret: no"),
            500,
            "Model org/name cannot be loaded; the server's log says why (request r-1)",
        ),
    ],
)
def test_a_failed_load_says_why_and_names_no_folder(
    failure: Exception, status: int, said: str
) -> None:
    """The error of a failed load gives the reason for bad files, and names no folder."""

    async def scenario() -> None:
        loader = FakeLoader.open(failures={"org/name": failure})
        headers = {"x-wait-for-model": "1", "x-request-id": "r-1"}
        async with asking(on_demand=_loaded_by(loader)) as client:
            answer = await client.post(_ADDRESS, content=_BODY, headers=headers)
            assert (answer.status_code, answer.json()) == (status, {"error": said})
            told = await client.get("/status/org/name")
            assert (told.json()["loaded"], told.json()["state"]) == (False, "error")
            health = await client.get(f"{_ADDRESS}/health")
            assert (health.status_code, health.json()["status"]) == (503, "failed")

    asyncio.run(scenario())


def test_what_is_known_without_loading() -> None:
    """Task, labels, size and state are answered without a load."""

    async def scenario() -> None:
        loader = FakeLoader.open()
        async with asking(FakeEngine(), on_demand=_loaded_by(loader)) as client:
            info = (await client.get(f"{_ADDRESS}/info")).json()
            assert info["state"] == "loadable"
            assert info["labels"] == ["NEGATIVE", "POSITIVE"]
            assert info["weights_bytes"] == FAKE_WEIGHTS_BYTES
            assert info["pipeline_tag"] == "text-classification"
            listed = (await client.get("/models")).json()
            assert [(each["model_id"], each["status"]) for each in listed] == [
                ("acme/tc", "ready"),
                ("org/name", "loadable"),
            ]
            page = (await client.get("/api/models/org/name")).json()
            assert page["pipeline_tag"] == "text-classification"
            tasks = (await client.get("/api/tasks")).json()
            assert "org/name" in tasks["text-classification"]["widgetModels"]
            assert (await client.get("/status/org/name")).json() == {
                "loaded": False,
                "state": "Loadable",
                "compute_type": {"cpu": {}},
                "framework": "transformers",
            }
            # Without a name it is the one that the operator named, whatever else there is.
            assert (await client.post("/", content=_BODY)).status_code == 200
            assert loader.begun == []

    asyncio.run(scenario())


def test_health_of_a_model_follows_its_load() -> None:
    """A loadable model is healthy, a loading one is not; the server stays healthy."""

    async def scenario() -> None:
        loader = FakeLoader(gate=threading.Event())
        async with asking(on_demand=_loaded_by(loader)) as client:
            address = f"{_ADDRESS}/health"
            assert (await client.get(address)).json()["status"] == "loadable"
            await client.post(_ADDRESS, content=_BODY)
            loading = await client.get(address)
            assert loading.status_code == 503
            assert loading.json()["error"] == "model org/name is loading"
            assert (await client.get("/health")).json() == {"status": "ready", "models": {}}
            loader.gate.set()
            wait = {"x-wait-for-model": "1"}
            await client.post(_ADDRESS, content=_BODY, headers=wait)
            assert (await client.get(address)).json()["status"] == "ready"
            info = (await client.get(f"{_ADDRESS}/info")).json()
            assert info["precision"] == "float32"

    asyncio.run(scenario())
