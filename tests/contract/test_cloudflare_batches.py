"""Asynchronous batches over the wire: submit, poll, and an answer to every input."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import httpx
import msgspec
import pytest
from support.fake_engine import FakeEngine
from support.http_app import ask, asking
from support.workers_ai import AI, CLASSIFIER, classifier, workers_ai

from earmark.errors import NonFiniteScore

RUN = f"{AI}/run/{CLASSIFIER}"
QUEUE = f"{RUN}?queueRequest=true"


def with_client(
    scenario: Callable[[httpx.AsyncClient], Awaitable[None]], *engines: FakeEngine
) -> None:
    """Run a scenario against an app; a hang has to fail."""

    async def run() -> None:
        async with asking(*(engines or workers_ai()), alive=True) as client:
            await asyncio.wait_for(scenario(client), 20)

    asyncio.run(run())


class Response(msgspec.Struct, forbid_unknown_fields=True):
    """One answer of a batch, as clients read it."""

    id: int
    result: object
    success: bool
    external_reference: str | None
    errors: list[dict[str, object]] = []


class Answered(msgspec.Struct, forbid_unknown_fields=True):
    """A batch that is done, as clients read it."""

    responses: list[Response]
    usage: dict[str, int]


async def poll(client: httpx.AsyncClient, job_id: str) -> Answered:
    """Poll until the batch is answered."""
    while True:
        answer = await client.post(RUN, json={"request_id": job_id})
        assert answer.status_code == 200, answer.text
        result = answer.json()["result"]
        if "status" not in result:
            return msgspec.convert(result, Answered)
        await asyncio.sleep(0)


def test_every_input_of_a_batch_has_an_answer_of_its_own() -> None:
    """Each input has its own answer, also where others are malformed or fail."""

    async def scenario(client: httpx.AsyncClient) -> None:
        requests = [
            {"text": "one", "external_reference": "mine"},
            {"text": ""},
            {"text": "poison"},
            {"text": "two words"},
        ]
        submitted = (await client.post(QUEUE, json={"requests": requests})).json()["result"]
        assert submitted["status"] == "queued"
        assert submitted["model"] == CLASSIFIER
        found = await poll(client, submitted["request_id"])
        alone = (await client.post(RUN, json={"text": "one"})).json()["result"]
        first, empty, poisoned, last = found.responses
        assert first == Response(0, alone, success=True, external_reference="mine")
        assert (empty.success, empty.errors[0]["code"]) == (False, 5006)
        assert (poisoned.success, poisoned.errors[0]["code"]) == (False, 5000)
        assert (last.id, last.success, last.external_reference) == (3, True, None)
        assert found.usage == {"prompt_tokens": 7, "completion_tokens": 0, "total_tokens": 7}

    engine = classifier()
    engine.text_failures = {"poison": NonFiniteScore("nan")}
    with_client(scenario, engine)


def test_a_batch_that_waits_is_told_of() -> None:
    """A batch that waits for the model is answered as running."""

    async def scenario(client: httpx.AsyncClient) -> None:
        submitted = (await client.post(QUEUE, json={"requests": [{"text": "a"}]})).json()
        await engine.entered.wait()
        job_id = submitted["result"]["request_id"]
        waiting = (await client.post(RUN, json={"request_id": job_id})).json()["result"]
        assert waiting == {"status": "running", "request_id": job_id, "model": CLASSIFIER}
        assert engine.gate is not None
        engine.gate.set()
        assert len((await poll(client, job_id)).responses) == 1

    engine = classifier()
    engine.gate = asyncio.Event()
    with_client(scenario, engine)


def test_a_binding_queues_and_polls_without_an_envelope() -> None:
    """A binding with `queueRequest` in its options queues and polls without an envelope."""

    async def scenario(client: httpx.AsyncClient) -> None:
        headers = {"cf-consn-model-id": CLASSIFIER}
        body = {"inputs": {"requests": [{"text": "a"}]}, "options": {"queueRequest": True}}
        queued = (await client.post(f"{AI}/run/proxy", json=body, headers=headers)).json()
        assert queued["status"] == "queued"
        await poll(client, queued["request_id"])
        asked = {"inputs": {"request_id": queued["request_id"]}, "options": {}}
        found = (await client.post(f"{AI}/run/proxy", json=asked, headers=headers)).json()
        assert [each["success"] for each in found["responses"]] == [True]

    with_client(scenario)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("{}", "required properties at '/' are 'requests'"),
        ('{"requests": []}', "Length of '/requests' must be >= 1"),
        ('{"requests": ["a"]}', "Type mismatch of '/', 'string' not in 'object'"),
        ('{"request_id": 3}', "Type mismatch of '/request_id', 'integer' not in 'string,null'"),
        ('{"request_id": "nobody"}', "no batch 'nobody' of @cf/huggingface/"),
    ],
)
def test_a_malformed_batch_is_refused(body: str, complaint: str) -> None:
    """A malformed batch is refused before it is kept."""
    answer = ask("POST", QUEUE, body, engines=workers_ai())
    assert answer.status_code == 400
    assert complaint in answer.json()["errors"][0]["message"]


def test_a_batch_of_an_unknown_model_is_refused() -> None:
    """A batch for an unknown model is refused."""
    path = f"{AI}/run/@cf/nobody/nothing?queueRequest=true"
    answer = ask("POST", path, '{"requests": [{"text": "a"}]}', engines=workers_ai())
    assert answer.json()["errors"][0]["code"] == 5007


def test_a_batch_is_read_only_under_its_own_model() -> None:
    """Polling a batch's id under another model finds nothing."""

    async def scenario(client: httpx.AsyncClient) -> None:
        submitted = (await client.post(QUEUE, json={"requests": [{"text": "a"}]})).json()
        job_id = submitted["result"]["request_id"]
        other = f"{AI}/run/@cf/baai/bge-reranker-base"
        answer = await client.post(other, json={"request_id": job_id})
        assert answer.status_code == 400
        assert json.loads(answer.content)["errors"][0]["code"] == 5006

    with_client(scenario)


def test_a_batch_may_be_larger_than_a_request() -> None:
    """A batch may have 10 MB, more than a request."""
    body = json.dumps({"requests": [{"text": "word " * 1000}] * 600})
    assert len(body) > 2 * 1024 * 1024
    assert ask("POST", QUEUE, body, engines=workers_ai()).status_code == 200
    assert ask("POST", QUEUE, f"{body:>10000001}", engines=workers_ai()).status_code == 413
