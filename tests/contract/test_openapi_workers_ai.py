"""What the document shows of Workers AI is what the server does."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
import pytest
from support.fake_engine import FakeEngine, odds, probabilities, reranker
from support.fake_hub import FakeHub, on_the_hub
from support.http_app import ask, asking
from support.openapi_reading import (
    answer_examples,
    mapping,
    names_of,
    request_examples,
    rounded,
)
from support.workers_ai import ACCOUNT, AI, CLASSIFIER

from earmark.batching.queue import too_late
from earmark.domain.texts import TextInput
from earmark.errors import EngineError, QueueFull
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.keys import new_key
from earmark.serving.access.store import KeysInMemory
from earmark.web.dialects.cloudflare.operations import RUNS
from earmark.web.openapi.parts import Json

_RERANKER = "@cf/baai/bge-reranker-base"
_REQUEST_ID = "bf64e829-76a6-48e0-a0fb-2be1739e5698"
_RUN = f"{AI}/run/{CLASSIFIER}"
_TEXT = b'{"text": "a"}'


@dataclass(frozen=True)
class _Examples:
    """Those of the document, by where they stand."""

    requests: Mapping[str, Json]
    answers: Mapping[str, Json]


@pytest.fixture(scope="module")
def examples() -> _Examples:
    """Fetch the document as a client does."""
    document = ask("GET", "/openapi.json", engines=(FakeEngine(),)).json()
    return _Examples(
        {each.place: each.value for each in request_examples(document)},
        {each.place: each.value for each in answer_examples(document)},
    )


def _engines() -> tuple[FakeEngine, FakeEngine]:
    """Make models that are exactly as sure as those of the examples."""
    question = "What is the capital of France?"
    return (
        FakeEngine(CLASSIFIER, logits={TextInput("This pizza is great!"): probabilities(0.9734)}),
        reranker(
            _RERANKER,
            logits={
                TextInput(question, "Bananas are yellow."): (odds(0.0625),),
                TextInput(question, "Paris is the capital of France."): (odds(0.9375),),
            },
        ),
    )


def _post(path: str, body: Json, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return ask("POST", path, json.dumps(body), engines=_engines(), headers=headers)


_PREFIX = "/client/v4/accounts/{account}/ai"


_QUEUED = {"batch", "poll", "pollFailed"}
"""Examples of batches, which another test carries out."""


@pytest.mark.parametrize("name", [name for name in RUNS if name not in _QUEUED])
@pytest.mark.parametrize(
    "path",
    [
        f"{_PREFIX}/run/{{model}}",
        f"{_PREFIX}/run",
        f"{_PREFIX}/run/proxy",
        "/v1/{account}/{gateway}/workers-ai/{model}",
        "/v1/{account}/{gateway}/workers-ai/run/{model}",
    ],
)
def test_the_answer_shown_is_what_the_server_answers(
    examples: _Examples, path: str, name: str
) -> None:
    """To the request shown beside it, at each kind of address."""
    request = examples.requests[f"POST {path} {name}"]
    shown = examples.answers[f"POST {path} 200 {name}"]
    model = RUNS[name].headers.get("cf-consn-model-id", CLASSIFIER)
    filled = path.format(account="mine", gateway="default", model=model)
    answer = _post(filled, request, {"cf-consn-model-id": model})
    assert answer.status_code == 200
    assert rounded(answer.json()) == rounded(shown)


def test_the_batch_shown_is_what_the_server_answers() -> None:
    """Submitted, then asked for until it is answered; ids are new each time."""

    async def scenario() -> None:
        async with asking(*_engines(), alive=True) as client:
            answer = await client.post(f"{_RUN}?queueRequest=true", json=RUNS["batch"].request)
            queued = answer.json()["result"]
            shown = RUNS["batch"].answer
            assert isinstance(shown, dict)
            assert queued == {**shown, "request_id": queued["request_id"]}
            found = await _answered(client, queued["request_id"])
            assert rounded(found) == rounded(RUNS["poll"].answer)
            failing: Json = {"requests": [{"text": ""}]}
            again = await client.post(f"{_RUN}?queueRequest=true", json=failing)
            found = await _answered(client, again.json()["result"]["request_id"])
            assert found == RUNS["pollFailed"].answer

    asyncio.run(asyncio.wait_for(scenario(), 20))


async def _answered(client: httpx.AsyncClient, job_id: str) -> Json:
    while True:
        result: Json = (await client.post(_RUN, json={"request_id": job_id})).json()["result"]
        if "status" not in mapping(result):
            return result
        await asyncio.sleep(0)


@dataclass(frozen=True)
class _Refused:
    """A request of a run that is refused."""

    name: str
    status: int
    body: bytes = _TEXT
    model: str = CLASSIFIER
    failure: Exception | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


_BUSY = "the server is busy: 256 requests are in flight, of 256 at most; try again in 2 s"

_REFUSED = [
    _Refused("badInput", 400, b"{}"),
    _Refused("unknownModel", 400, model="@cf/acme/unknown"),
    _Refused("noAnswerInTime", 408, failure=too_late(55.0)),
    _Refused("tooLarge", 413, b" " * (2 * 1024 * 1024 + 1)),
    _Refused("unsupportedCoding", 415, headers={"content-encoding": "br"}),
    _Refused("tooMuchToDo", 429, failure=QueueFull(_BUSY, retry_after_s=2.0)),
    _Refused("fault", 500, failure=EngineError("nobody's business")),
]


@pytest.mark.parametrize("each", _REFUSED, ids=lambda each: each.name)
def test_the_error_of_a_run_shown_is_what_the_server_says(
    examples: _Examples, each: _Refused
) -> None:
    """Word for word, over REST."""
    answer = ask(
        "POST",
        f"{AI}/run/{each.model}",
        each.body,
        engines=(FakeEngine(CLASSIFIER, failure=each.failure), reranker(_RERANKER)),
        headers={"x-request-id": _REQUEST_ID, **each.headers},
    )
    assert answer.status_code == each.status
    assert (
        answer.json() == examples.answers[f"POST {_PREFIX}/run/{{model}} {each.status} {each.name}"]
    )


@pytest.mark.parametrize(
    "each", [each for each in _REFUSED if each.status != 413], ids=lambda each: each.name
)
def test_the_error_of_a_binding_shown_is_what_the_server_says(
    examples: _Examples, each: _Refused
) -> None:
    """Word for word; of what is too large the number of bytes is another."""
    answer = ask(
        "POST",
        f"{AI}/run/proxy",
        b'{"inputs": %s}' % each.body,
        engines=(FakeEngine(CLASSIFIER, failure=each.failure), reranker(_RERANKER)),
        headers={"x-request-id": _REQUEST_ID, "cf-consn-model-id": each.model, **each.headers},
    )
    assert answer.status_code == each.status
    assert answer.json() == examples.answers[f"POST {_PREFIX}/run/proxy {each.status} {each.name}"]


@pytest.mark.parametrize(
    ("place", "method", "path"),
    [
        ("search 400 badPage", "GET", f"{AI}/models/search?page=0"),
        ("schema 400 noSuchSchema", "GET", f"{AI}/models/schema?model=@cf/acme/unknown"),
        ("search 400 noRoute", "GET", "/client/v4/zones"),
        ("search 405 wrongMethod", "DELETE", _RUN),
    ],
)
def test_the_error_of_an_address_shown_is_what_the_server_says(
    examples: _Examples, place: str, method: str, path: str
) -> None:
    """Word for word."""
    answer = ask(method, path, engines=_engines())
    assert f" {answer.status_code} " in place
    assert answer.json() == examples.answers[f"GET {_PREFIX}/models/{place}"]


@pytest.mark.parametrize(
    ("name", "status", "headers"),
    [
        ("noKey", 400, {}),
        ("halfAPair", 400, {"x-auth-email": "a@example.org"}),
        ("malformedKey", 400, {"authorization": "Basic a2V5"}),
        ("wrongKey", 401, {"authorization": "Bearer ek_nobody"}),
        ("wrongKey", 401, {"x-auth-email": "a@example.org", "x-auth-key": "ek_nobody"}),
    ],
)
def test_the_error_of_access_shown_is_what_the_server_says(
    examples: _Examples, name: str, status: int, headers: Mapping[str, str]
) -> None:
    """Word for word."""
    keys = KeysInMemory()
    keys.add(new_key("someone", now_s=0.0).kept)
    answer = ask(
        "GET", f"{AI}/tasks/search", engines=_engines(), gate=AccessGate(keys), headers=headers
    )
    assert (answer.status_code, answer.json()) == (
        status,
        examples.answers[f"GET {_PREFIX}/tasks/search {status} {name}"],
    )


def test_what_a_look_up_shows_has_the_members_of_a_real_one(examples: _Examples) -> None:
    """The same names in the same order, for each look-up."""
    looked_up = 0
    for place, value in examples.answers.items():
        method, path, status, name = place.split()
        if method == "GET" and status == "200" and path.startswith("/client/v4/"):
            asked = path.replace("/client/v4/accounts/{account}", ACCOUNT)
            query = {"model": CLASSIFIER} if path.endswith("/schema") else {}
            answer = ask("GET", str(httpx.URL(asked, params=query)), engines=_engines())
            assert answer.status_code == 200
            assert names_of(answer.json()) == names_of(value), name
            looked_up += 1
    assert looked_up == 9


def test_the_schema_shown_is_the_classifiers(examples: _Examples) -> None:
    """All of it: it holds no text of a model's."""
    answer = ask("GET", f"{AI}/models/schema?model={CLASSIFIER}", engines=_engines())
    assert answer.json() == examples.answers[f"GET {_PREFIX}/models/schema 200 modelSchema"]


def test_a_hub_out_of_reach_answers_a_schema_as_shown(examples: _Examples) -> None:
    """No such model, in words that name the Hub and what is served; nobody is told to wait."""

    async def scenario() -> None:
        async with asking(models=on_the_hub(FakeHub(reachable=False))) as client:
            answer = await client.get("/client/v4/accounts/any/ai/models/schema?model=acme/unknown")
            shown = examples.answers[f"GET {_PREFIX}/models/schema 400 outOfReach"]
            assert (answer.status_code, answer.json()) == (400, shown)
            assert "retry-after" not in answer.headers

    asyncio.run(scenario())
