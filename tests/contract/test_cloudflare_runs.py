"""Runs of a model in the form of Workers AI: requests, answers and errors."""

import asyncio
import gzip
import json
import time

import httpx
import pytest
from support.fake_engine import FakeEngine, pseudo_logits, reranker, token_labeller
from support.http_app import ask, asking
from support.workers_ai import ACCOUNT, AI, CLASSIFIER, RERANKER, classifier, workers_ai

from earmark.domain.texts import TextInput
from earmark.errors import (
    DeadlineExceeded,
    EngineError,
    NonFiniteScore,
    QueueFull,
    ShuttingDown,
)

RERANK = json.dumps({"query": "q", "contexts": [{"text": "a"}, {"text": "b"}, {"text": "c"}]})
TEXT = json.dumps({"text": "hello"})


def run(body: str, *engines: FakeEngine, model: str = CLASSIFIER) -> tuple[int, dict[str, object]]:
    """Run a model; return status and body."""
    answer = ask("POST", f"{AI}/run/{model}", body, engines=engines or workers_ai())
    found: dict[str, object] = answer.json()
    return answer.status_code, found


def test_a_reranker_answers_the_best_context_first() -> None:
    """Contexts are ranked best first, by their places, with scores between 0 and 1."""
    logits = {TextInput("q", text): [score] for text, score in (("a", -1), ("b", 3), ("c", 0))}
    status, answer = run(RERANK, reranker(RERANKER, logits=logits), model=RERANKER)
    assert status == 200
    assert answer["result"] == {
        "response": [
            {"id": 1, "score": pytest.approx(0.9525741)},
            {"id": 2, "score": pytest.approx(0.5)},
            {"id": 0, "score": pytest.approx(0.26894143)},
        ]
    }


@pytest.mark.parametrize(("top_k", "kept"), [(1, 1), (2, 2), (9, 3), (None, 3)])
def test_top_k_keeps_the_best(top_k: int | None, kept: int) -> None:
    """`top_k` keeps the best contexts; null keeps all."""
    body = json.dumps(json.loads(RERANK) | {"top_k": top_k})
    status, answer = run(body, model=RERANKER)
    assert status == 200
    assert isinstance(answer["result"], dict)
    assert len(answer["result"]["response"]) == kept


def test_members_that_mean_nothing_are_ignored() -> None:
    """Run options and a caller's own references are ignored."""
    context = {"text": "a", "external_reference": "x"}
    body = {"query": "q", "contexts": [context], "options": {"rejectIfBusy": True}}
    assert run(json.dumps(body), model=RERANKER)[0] == 200
    assert run('{"text": "a", "options": {"rejectIfBusy": true}, "lora": 1}')[0] == 200


@pytest.mark.parametrize(
    ("model", "body", "complaint"),
    [
        (CLASSIFIER, "{}", "required properties at '/' are 'text'"),
        (CLASSIFIER, '{"text": ["a", "b"]}', "Type mismatch of '/text', 'array' not in 'string'"),
        (CLASSIFIER, '{"text": 3}', "Type mismatch of '/text', 'integer' not in 'string'"),
        (CLASSIFIER, '{"text": ""}', "Length of '/text' must be >= 1"),
        (CLASSIFIER, '["text"]', "Type mismatch of '/', 'array' not in 'object'"),
        (CLASSIFIER, "", "the body is empty; expected a JSON object"),
        (CLASSIFIER, "text=a", "the body is not valid JSON: "),
        (RERANKER, "{}", "required properties at '/' are 'query'"),
        (RERANKER, '{"query": "q"}', "required properties at '/' are 'contexts'"),
        (RERANKER, '{"query": "q", "contexts": []}', "Length of '/contexts' must be >= 1"),
        (
            RERANKER,
            '{"query": "q", "contexts": ["a"]}',
            "Type mismatch of '/contexts/0', 'string' not in 'object'",
        ),
        (
            RERANKER,
            '{"query": "q", "contexts": [{"text": "a"}], "top_k": 0}',
            "Value of '/top_k' must be >= 1",
        ),
    ],
)
def test_bad_input_is_told_in_the_words_of_the_validator(
    model: str, body: str, complaint: str
) -> None:
    """Bad input is error 5006 in the validator's words, with the request's id at the end."""
    answer = ask("POST", f"{AI}/run/{model}", body, engines=workers_ai())
    assert answer.status_code == 400
    ai_id = answer.headers["cf-ai-req-id"]
    (error,) = answer.json()["errors"]
    assert error["code"] == 5006
    assert error["message"].startswith(f"AiError: Bad input: Error: {complaint}")
    assert error["message"].endswith(f" ({ai_id})")
    assert answer.json()["result"] == {}


def test_a_reranker_takes_a_text_as_well() -> None:
    """A reranker that is given a text answers its one label."""
    status, answer = run(TEXT, model=RERANKER)
    assert status == 200
    assert isinstance(answer["result"], list)
    assert [each["label"] for each in answer["result"]] == ["LABEL_0"]


@pytest.mark.parametrize(
    ("engine", "body", "task"),
    [
        (FakeEngine("m"), RERANK, "text-ranking"),
        (token_labeller("m"), TEXT, "text-classification"),
    ],
)
def test_a_model_that_cannot_do_it_says_what_it_can(
    engine: FakeEngine, body: str, task: str
) -> None:
    """Input of another kind of model is error 5006, which names the model's kind."""
    status, answer = run(body, engine, model="m")
    assert status == 400
    assert isinstance(answer["errors"], list)
    assert answer["errors"][0]["code"] == 5006
    assert f"not for {task}" in answer["errors"][0]["message"]


def test_an_unknown_model_is_5007() -> None:
    """An unknown model is 400 with error 5007, as from the service, and not 404."""
    status, answer = run(TEXT, model="@cf/nobody/nothing")
    assert status == 400
    assert isinstance(answer["errors"], list)
    assert answer["errors"][0]["code"] == 5007
    assert answer["errors"][0]["message"].startswith("AiError: No such model: ")


@pytest.mark.parametrize(
    ("failure", "status", "code", "retry_after", "should_retry"),
    [
        (QueueFull("busy", retry_after_s=2.5), 429, 3040, "3", None),
        (QueueFull("busy", retry_after_s=500), 429, 3040, "60", None),
        (DeadlineExceeded("late"), 408, 3007, "1", None),
        (ShuttingDown("down"), 429, 3040, "1", None),
        (NonFiniteScore("nan"), 500, 5000, None, "false"),
        (EngineError("bug"), 500, 5000, None, "false"),
        (RuntimeError("secret"), 500, 5000, None, "false"),
    ],
)
def test_what_goes_wrong_tells_the_sdks_whether_to_try_again(
    failure: Exception, status: int, code: int, retry_after: str | None, should_retry: str | None
) -> None:
    """Errors that pass have a wait of at most a minute; others forbid trying again."""
    engine = classifier()
    engine.failure = failure
    answer = ask("POST", f"{AI}/run/{CLASSIFIER}", TEXT, engines=(engine,))
    assert answer.status_code == status
    assert answer.json()["errors"][0]["code"] == code
    assert answer.headers.get("retry-after") == retry_after
    assert answer.headers.get("x-should-retry") == should_retry
    assert "secret" not in answer.text


def test_the_deadline_is_before_the_sdks_give_up() -> None:
    """The deadline is below the 60 s after which the SDKs send the request again."""
    engine = classifier()
    before_s = time.monotonic()
    run(TEXT, engine)
    (deadline_s,) = engine.deadlines_s
    assert deadline_s is not None
    assert deadline_s < before_s + 58


def test_headers_say_what_ran_and_what_it_cost() -> None:
    """The headers have model, cost and the request's id as a UUID, and forbid caching."""
    answer = ask(
        "POST",
        f"{AI}/run/{CLASSIFIER}",
        json.dumps({"text": "word " * 30}),
        engines=(classifier(),),
        headers={"x-request-id": "mine"},
    )
    assert answer.headers["x-compute-model"] == CLASSIFIER
    assert answer.headers["x-compute-precision"] == "float32"
    assert answer.headers["x-truncated-tokens"] == "16"
    assert answer.headers["cf-ai-req-id"].count("-") == 4
    assert answer.headers["cf-ray"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_model_may_be_named_in_the_body() -> None:
    """The universal address runs the model that the body names."""
    body = json.dumps({"model": CLASSIFIER, "input": {"text": "hello"}})
    answer = ask("POST", f"{AI}/run", body, engines=workers_ai())
    assert answer.status_code == 200
    assert len(answer.json()["result"]) == 2
    missing = ask("POST", f"{AI}/run", '{"input": {}}', engines=workers_ai())
    assert "required properties at '/' are 'model'" in missing.json()["errors"][0]["message"]


@pytest.mark.parametrize("run_segment", ["", "run/"])
def test_a_gateways_address_is_another_name_for_a_run(run_segment: str) -> None:
    """A gateway's address runs a model, with and without the segment `run`."""
    path = f"/v1/account/gateway/workers-ai/{run_segment}{CLASSIFIER}"
    answer = ask("POST", path, TEXT, engines=workers_ai(), headers={"cf-aig-skip-cache": "true"})
    assert answer.status_code == 200
    assert answer.json()["success"] is True


BOUND = json.dumps({"inputs": {"text": "hello"}, "options": {"tags": ["a"]}})


def test_a_binding_gets_the_bare_output() -> None:
    """A binding gets the output without an envelope, whatever stands before the model's name."""
    for name in (CLASSIFIER, f"p:{CLASSIFIER}"):
        headers = {"cf-consn-model-id": name}
        answer = ask("POST", f"{AI}/run/proxy", BOUND, engines=workers_ai(), headers=headers)
        assert answer.status_code == 200
        negative, positive = answer.json()
        logits = pseudo_logits(TextInput("hello"), 2)
        assert (negative["score"] > positive["score"]) == bool(logits[0] > logits[1])


def _bound(version: str, body: bytes, **headers: str) -> httpx.Response:
    told = {"cf-consn-model-id": CLASSIFIER, "cf-consn-sdk-version": version}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    return ask("POST", f"{AI}/run/proxy", body, engines=workers_ai(), headers=told)


def _tensors(*texts: str) -> bytes:
    text = {"type": "str", "shape": [len(texts)], "name": "input_text", "value": texts}
    return gzip.compress(json.dumps({"input": [text], "stream": False}).encode(), mtime=0)


def test_the_first_generation_of_the_package_sends_tensors_and_reads_them() -> None:
    """A binding of 1.0.53 sends gzipped tensors, and reads scores under the name of logits."""
    answer = _bound("1.0.53", _tensors("hello"), content_encoding="gzip")
    assert answer.status_code == 200, answer.text
    (logits,) = answer.json()["result"]
    plain = _bound("", BOUND.encode()).json()
    assert logits == {
        "name": "logits",
        "type": "float32",
        "shape": [1, 2],
        "value": [[each["score"] for each in plain]],
    }


def test_the_second_generation_of_the_package_gunzips_whatever_it_gets() -> None:
    """A binding of 1.1.0 gets a gzipped answer; its media type in the coding header is accepted."""
    answer = _bound("1.1.0", BOUND.encode(), content_encoding="application/json")
    assert answer.status_code == 200, answer.text
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert json.loads(gzip.decompress(answer.content)) == _bound("", BOUND.encode()).json()


@pytest.mark.parametrize("version", ["1.2.2", "1.10.0", "2.0.0", "", "main"])
def test_every_other_binding_reads_the_bare_output(version: str) -> None:
    """A binding from 1.2 on, and any other, gets plain JSON."""
    negative, positive = _bound(version, BOUND.encode()).json()
    assert [negative["label"], positive["label"]] == ["NEGATIVE", "POSITIVE"]


@pytest.mark.parametrize(
    ("version", "body"),
    [
        ("1.0.53", _tensors()),
        ("1.0.53", _tensors("a", "b")),
        ("1.0.53", _tensors("")),
        ("1.0.53", gzip.compress(BOUND.encode(), mtime=0)),
        ("1.1.0", gzip.compress(b"{}", mtime=0)),
    ],
)
def test_an_error_is_plain_to_every_generation(version: str, body: bytes) -> None:
    """Every generation of the package gets errors as plain JSON."""
    answer = _bound(version, body, content_encoding="gzip")
    assert answer.status_code == 400
    assert answer.json()["internalCode"] == 5006


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({}, BOUND, 5006),
        ({"cf-consn-model-id": "@cf/nobody/nothing"}, BOUND, 5007),
        ({"cf-consn-model-id": CLASSIFIER}, '{"inputs": {}}', 5006),
    ],
)
def test_a_bindings_error_is_one_it_can_raise(
    headers: dict[str, str], body: str, code: int
) -> None:
    """A binding's error has name, code, status, message, description and id."""
    answer = ask("POST", f"{AI}/run/proxy", body, engines=workers_ai(), headers=headers)
    assert answer.status_code == 400
    found = answer.json()
    assert (found["name"], found["internalCode"], found["httpCode"]) == ("AiError", code, 400)
    assert found["requestId"] == answer.headers["cf-ai-req-id"]
    assert found["message"] == f"AiError: {found['description']} ({found['requestId']})"


def test_a_bindings_catalogue_is_searched_by_the_address_it_meant() -> None:
    """`models()` of a binding is filtered by the query in `x-forwarded`."""
    meant = "https://workers-binding.ai/ai-api/models/search?search=reranker"
    answer = ask("GET", f"{AI}/run/proxy", engines=workers_ai(), headers={"x-forwarded": meant})
    assert [each["name"] for each in answer.json()["result"]] == [RERANKER]


@pytest.mark.parametrize("meant", ["http://[", "//a]", "http://[x]/"])
def test_a_binding_that_means_no_address_is_told_so(meant: str) -> None:
    """A header `x-forwarded` that holds no address is bad input, and is not repeated."""
    answer = ask("GET", f"{AI}/run/proxy", engines=workers_ai(), headers={"x-forwarded": meant})
    assert answer.status_code == 400
    assert "the header x-forwarded holds no address" in answer.json()["message"]
    assert meant not in answer.text


def test_an_unknown_address_and_a_wrong_method_have_codes_of_their_own() -> None:
    """An unknown address and a wrong method have their own codes, and no request id."""
    unknown = ask("GET", f"{ACCOUNT}/zones", engines=workers_ai())
    assert unknown.status_code == 400
    assert unknown.json()["errors"] == [{"code": 7000, "message": "No route for that URI"}]
    assert unknown.json()["result"] is None
    wrong = ask("GET", f"{AI}/run/{CLASSIFIER}", engines=workers_ai())
    assert wrong.status_code == 405
    assert wrong.headers["allow"] == "POST"
    assert wrong.json()["errors"][0]["code"] == 7001


def test_a_caller_who_leaves_takes_the_run_along() -> None:
    """When a caller leaves, the engine's run is cancelled."""

    async def scenario() -> int:
        engine = classifier()
        engine.gate = asyncio.Event()
        async with asking(engine) as client:
            asked = asyncio.create_task(client.post(f"{AI}/run/{CLASSIFIER}", content=TEXT))
            await engine.entered.wait()
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
        return engine.cancelled

    assert asyncio.run(scenario()) == 1
