"""Requests for models that are not served and that the Hub may have, in every dialect."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import pytest
from support.fake_hub import FakeHub, on_the_hub, policy
from support.fake_loader import FakeLoader
from support.http_app import asking

from earmark.errors import UnsupportedCheckpoint
from earmark.models.registry import Registry
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.keys import new_key
from earmark.serving.access.store import KeysInMemory

_HF = "/models/org/name"
_WORKERS_AI = "/client/v4/accounts/any/ai/run/org/name"
_RERANK = "/rerank"
_PREDICT = "/predict"
_BODIES = {
    _HF: b'{"inputs": "I like you"}',
    _WORKERS_AI: b'{"text": "I like you"}',
    _RERANK: b'{"query": "q", "documents": ["I like you"], "model": "org/name"}',
    _PREDICT: b'{"inputs": "I like you", "model": "org/name"}',
}
_HERE = {"host": "127.0.0.1:8080"}
_WAIT = {"x-wait-for-model": "true"}


@dataclass(frozen=True)
class _Told:
    """An answer, and the time and look-ups that it took."""

    answer: httpx.Response
    hub: FakeHub
    loader: FakeLoader


def _hub() -> FakeHub:
    return FakeHub(frozenset({"org/name", "org/info"}))


def _ask(  # noqa: PLR0913 - each of them is one thing that a test varies
    address: str,
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    hub: FakeHub | None = None,
    rule: tuple[str, ...] | None = ("any",),
    hold_s: float = 0.0,
    model: str = "org/name",
) -> _Told:
    """Send a request to a server that serves `at/hand` and may fetch models of the Hub."""
    hub, loader = hub or _hub(), FakeLoader.open()

    async def scenario() -> httpx.Response:
        chosen = policy(*rule) if rule else policy(unset=True)
        models = on_the_hub(hub, loader, chosen, hold_s=hold_s or 10.0)
        async with asking(models=models) as client:
            body = _BODIES.get(address) if method == "POST" else None
            named = body and body.replace(b"org/name", model.encode())
            path = address.replace("org/name", model)
            return await client.request(
                method, path, content=named, headers=_HERE | dict(headers or {})
            )

    return _Told(asyncio.run(scenario()), hub, loader)


@pytest.mark.parametrize("address", [_HF, _WORKERS_AI, _PREDICT])
def test_a_model_of_the_hub_answers_in_every_dialect(address: str) -> None:
    """A caller that waits gets its answer after the look-up, the download and the load."""
    told = _ask(address, headers=_WAIT)
    assert told.answer.status_code == 200
    assert told.answer.headers["x-compute-model"] == "org/name"
    assert (told.hub.asked, told.loader.fetched) == (["org/name"], ["org/name"])


def test_a_caller_who_does_not_wait_is_told_that_it_loads() -> None:
    """A caller that does not wait gets a 503 with an estimate: 32 s of download, 20 s of load."""
    answer = _ask(_HF).answer
    assert answer.status_code == 503
    assert answer.json() == {
        "error": "Model org/name is currently loading",
        "estimated_time": 52.0,
    }


def test_a_caller_who_wants_no_load_has_only_the_small_files_read() -> None:
    """With `x-load-model: 0` only the small files are read; a missing model is unknown."""
    told = _ask(_HF, headers={"x-load-model": "0"})
    assert (told.answer.status_code, told.answer.json()) == (200, {"error": "not loaded yet"})
    assert (told.hub.asked, told.loader.fetched) == (["org/name"], [])
    missing = _ask(_HF, headers={"x-load-model": "0"}, hub=FakeHub())
    assert missing.answer.status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/models/org/name/pipeline/text-classification",
        "/pipeline/text-classification/org/name",
        "/hf-inference/models/org/name",
        "/models/org%2Fname",
        "/models/org/name/",
    ],
)
def test_every_address_of_a_model_reads_its_id(address: str) -> None:
    """Every address of a model asks the Hub for the id alone."""
    hub, loader = _hub(), FakeLoader.open()

    async def scenario() -> httpx.Response:
        async with asking(models=on_the_hub(hub, loader)) as client:
            body = {"inputs": "I like you"}
            return await client.post(address, json=body, headers=_WAIT)

    assert asyncio.run(scenario()).status_code == 200
    assert hub.asked == ["org/name"]


@pytest.mark.parametrize(
    ("address", "member", "value"),
    [
        ("/models/org/name", "status", "loadable"),
        ("/models/org/name/info", "state", "loadable"),
        ("/models/org/name/health", "status", "loadable"),
        ("/status/org/name", "state", "Loadable"),
        ("/api/models/org/name", "pipeline_tag", "text-classification"),
    ],
)
def test_looking_up_asks_the_hub_and_fetches_nothing(address: str, member: str, value: str) -> None:
    """A look-up answers task and labels from the small files, without the weights."""
    told = _ask(address, method="GET")
    assert told.answer.status_code == 200
    assert told.answer.json()[member] == value
    assert (told.hub.asked, told.loader.fetched) == (["org/name"], [])


@pytest.mark.parametrize("address", ["/models", "/", "/api/tasks", "/framework/transformers"])
def test_a_list_asks_the_hub_for_nothing(address: str) -> None:
    """Lists and the server's health do not ask the Hub."""
    told = _ask(address, method="GET")
    assert (told.answer.status_code, told.hub.asked) == (200, [])


def test_a_schema_of_workers_ai_is_that_of_a_model_of_the_hub() -> None:
    """A schema is that of the Hub's model; for an unknown one it is this address's own error."""
    address = "/client/v4/accounts/any/ai/models/schema?model="
    told = _ask(f"{address}org/name", method="GET")
    assert told.answer.json()["result"]["input"]["required"] == ["text"]
    assert told.loader.fetched == []
    assert "No such model org/none or task" in _ask(f"{address}org/none", method="GET").answer.text


def test_an_unknown_model_called_like_an_action_is_the_action_of_another() -> None:
    """`GET` of `org/info` is the info of `org`, until a request has asked the model `org/info`."""

    async def scenario() -> None:
        hub = _hub()
        async with asking(models=on_the_hub(hub)) as client:
            assert (await client.get("/models/org/info")).status_code == 404
            assert hub.asked == []
            body = {"inputs": "I like you"}
            assert (await client.post("/models/org/info", json=body)).status_code == 503
            described = await client.get("/models/org/info")
            assert (described.json()["model_id"], hub.asked) == ("org/info", ["org/info"])

    asyncio.run(scenario())


@pytest.mark.parametrize("address", [_HF, _WORKERS_AI, _RERANK])
def test_a_model_that_may_not_be_fetched_and_one_that_there_is_not_look_alike(
    address: str,
) -> None:
    """A forbidden model gets the error of a missing one, and the Hub is not asked for it."""

    def text(told: _Told) -> str:
        return told.answer.text.replace(told.answer.headers.get("cf-ai-req-id", "-"), "")

    denied = _ask(address, rule=("deny",))
    missing = _ask(address, hub=FakeHub())
    assert denied.answer.status_code == missing.answer.status_code
    assert denied.answer.status_code == (400 if address == _WORKERS_AI else 404)
    assert text(denied) == text(missing)
    assert "Model org/name does not exist; served here: at/hand, others on demand" in text(denied)
    assert (denied.hub.asked, missing.hub.asked) == ([], ["org/name"])


@pytest.mark.parametrize(
    ("address", "status"), list(zip((_HF, _WORKERS_AI, _RERANK), (400, 400, 422), strict=True))
)
def test_a_model_that_cannot_run_here_is_the_clients_mistake(address: str, status: int) -> None:
    """A model that cannot run is the client's error, which says why."""
    hub = FakeHub(failures={"org/name": UnsupportedCheckpoint("gpt2 writes text")})
    answer = _ask(address, hub=hub, headers=_WAIT).answer
    assert answer.status_code == status
    assert "Model org/name cannot run here: gpt2 writes text" in answer.text


@pytest.mark.parametrize(
    ("address", "status"), list(zip((_HF, _WORKERS_AI, _RERANK), (503, 400, 503), strict=True))
)
def test_a_hub_out_of_reach_is_named_with_what_is_served(address: str, status: int) -> None:
    """The error for a Hub out of reach names it and the served models, and when to try again."""
    told = _ask(address, hub=FakeHub(reachable=False), headers=_WAIT, hold_s=0.001)
    assert told.answer.status_code == status
    assert told.answer.headers.get("retry-after") == (None if address == _WORKERS_AI else "10")
    assert "Model org/name is not served here" in told.answer.text
    assert "the Hugging Face Hub cannot be asked for org/name" in told.answer.text
    assert "served here: at/hand" in told.answer.text
    assert "hub.test" not in told.answer.text


_HUBS = {
    "out of reach": FakeHub(reachable=False),
    "without it": FakeHub(),
    "with one that cannot run": FakeHub(failures={"at/hnad": UnsupportedCheckpoint("gpt2")}),
}


@pytest.mark.parametrize("hub", _HUBS.values(), ids=_HUBS)
@pytest.mark.parametrize("address", [_HF, _WORKERS_AI, _RERANK])
def test_a_near_miss_of_a_served_model_is_told_so(address: str, hub: FakeHub) -> None:
    """A nearly right name of a served model gets a 404 that names that model, at once."""
    told = _ask(address, model="at/hnad", hub=hub, headers=_WAIT)
    assert told.answer.status_code == (400 if address == _WORKERS_AI else 404)
    assert "Model at/hnad does not exist; did you mean at/hand? served here:" in told.answer.text
    assert "retry-after" not in told.answer.headers


@pytest.mark.parametrize("address", [_HF, _WORKERS_AI, _PREDICT])
def test_a_model_of_the_hub_that_is_called_nearly_as_a_served_one_is_had(address: str) -> None:
    """A model of the Hub answers although its name is nearly that of a served one."""
    told = _ask(address, model="at/hands", hub=FakeHub(frozenset({"at/hands"})), headers=_WAIT)
    assert told.answer.status_code == 200
    assert told.answer.headers["x-compute-model"] == "at/hands"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:3000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"host": "evil.test:8080", "origin": "http://evil.test:8080"},
        {"host": "evil.test"},
    ],
    ids=["site", "no site", "other port", "image", "sibling", "rebound", "name of ours"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_of_another_site_has_nothing_fetched(
    headers: Mapping[str, str], method: str
) -> None:
    """A request of another site's page has no model fetched."""
    told = _ask(_HF, method=method, headers=headers, rule=None)
    assert (told.answer.status_code, told.hub.asked) == (404, [])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "localhost:8080", "origin": "http://localhost:8080"},
        {"host": "[::1]:8080"},
        {"sec-fetch-site": "none"},
        {"origin": "http://127.0.0.1:8080", "sec-fetch-site": "same-origin"},
    ],
    ids=["program", "own page", "IPv6", "typed", "own page, told twice"],
)
def test_programs_here_and_the_servers_own_page_may_have_models_fetched(
    headers: Mapping[str, str],
) -> None:
    """Local programs and the server's own page may have models fetched without a setting."""
    assert _ask(_HF, headers={**headers, **_WAIT}, rule=None).answer.status_code == 200


def test_what_the_operator_allows_every_page_may_have() -> None:
    """A page of another site may have models fetched that the operator allows."""
    told = _ask(_HF, headers=_WAIT | {"origin": "https://other.test"}, rule=("org/*",))
    assert told.answer.status_code == 200


def test_a_page_cannot_have_the_weights_of_a_model_that_someone_else_looked_up() -> None:
    """A model that another caller looked up is not fetched for a page, but answers once loaded."""

    async def scenario() -> None:
        loader = FakeLoader.open()
        models = on_the_hub(_hub(), loader, policy(unset=True))
        page = _HERE | {"origin": "https://evil.test"}
        async with asking(models=models) as client:

            async def post(headers: Mapping[str, str]) -> int:
                answer = await client.post(_HF, content=_BODIES[_HF], headers=headers)
                return answer.status_code

            assert (await client.get(_HF, headers=_HERE)).status_code == 200
            assert await post(page | _WAIT) == 404
            assert loader.fetched == []
            assert await post(_HERE | _WAIT) == 200
            assert await post(page) == 200

    asyncio.run(scenario())


def test_a_batch_of_workers_ai_is_answered_by_a_model_of_the_hub() -> None:
    """A batch for a model of the Hub is taken at once, and answered after the load."""

    async def scenario() -> None:
        models: Registry = on_the_hub(_hub())
        async with asking(models=models, alive=True) as client:
            body = {"requests": [{"text": "I like you"}]}
            queued = await client.post(f"{_WORKERS_AI}?queueRequest=true", json=body)
            asked = {"request_id": queued.json()["result"]["request_id"]}
            async with asyncio.timeout(10.0):
                while True:
                    told = (await client.post(_WORKERS_AI, json=asked)).json()["result"]
                    if "responses" in told:
                        break
                    await asyncio.sleep(0.01)
            assert told["responses"][0]["success"]

    asyncio.run(scenario())


def test_strangers_do_not_learn_what_others_asked_the_hub_for() -> None:
    """Without a key the health of a model that was only looked up is not answered."""

    async def scenario() -> None:
        keys = KeysInMemory()
        made = new_key("first", now_s=1.0)
        keys.add(made.kept)
        hub = _hub()
        async with asking(models=on_the_hub(hub), gate=AccessGate(keys)) as client:

            async def statuses(**headers: str) -> list[int]:
                ids = ("at/hand", "org/name", "org/none")
                asked = [client.get(f"/models/{one}/health", headers=headers) for one in ids]
                return [(await one).status_code for one in asked]

            assert await statuses() == [200, 401, 401]
            assert hub.asked == []
            assert await statuses(authorization=f"Bearer {made.secret}") == [200, 200, 404]
            assert await statuses() == [200, 401, 401]

    asyncio.run(scenario())
