"""Every address that clients of any version post to finds its model and its task."""

import json

import httpx
import pytest
from support.fake_engine import FakeEngine, token_labeller, zero_shot_model
from support.http_app import ask

from earmark.web.dialects.cloudflare.operations import OPERATIONS as CLOUDFLARE
from earmark.web.dialects.huggingface.operations import OPERATIONS
from earmark.web.dialects.rerank.operations import OPERATIONS as RERANK

DESCRIBED = (*OPERATIONS, *CLOUDFLARE, *RERANK)

_TEXT_BODY = {"inputs": "I like you"}
_LABELS_BODY = {"inputs": "I like you", "parameters": {"candidate_labels": ["x", "y"]}}

_PREFIXES = ("/models/", "/hf-inference/models/", "/api/inference-proxy/hf-inference/models/")
_TASK_PREFIXES = ("/pipeline/", "/hf-inference/pipeline/")


def _post(path: str, body: object, *engines: FakeEngine) -> httpx.Response:
    return ask("POST", path, json.dumps(body), engines=engines)


def _three() -> tuple[FakeEngine, FakeEngine, FakeEngine]:
    return FakeEngine("org/text"), zero_shot_model("org/zero-shot"), token_labeller("ner-model")


def _asked(*engines: FakeEngine) -> list[tuple[str, str]]:
    """List which model was asked for which task."""
    return [(engine.model_id, request.task) for engine in engines for request in engine.requests]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        *(prefix + "org/text" for prefix in _PREFIXES),
        "/models/org%2Ftext",
        "/models/org/text/",
    ],
)
def test_the_only_model_is_found_at_each_of_its_addresses(path: str) -> None:
    """The only model answers at each address, also with an escaped or a trailing slash."""
    engine = FakeEngine("org/text")
    assert _post(path, _TEXT_BODY, engine).status_code == 200
    assert _asked(engine) == [("org/text", "text-classification")]


@pytest.mark.parametrize(
    ("model_id", "body", "task"),
    [
        ("org/text", _TEXT_BODY, "text-classification"),
        ("org/zero-shot", _LABELS_BODY, "zero-shot-classification"),
        ("ner-model", _TEXT_BODY, "token-classification"),
    ],
)
@pytest.mark.parametrize("prefix", _PREFIXES)
def test_a_model_named_alone_does_what_it_is_for(
    prefix: str, model_id: str, body: object, task: str
) -> None:
    """An address with a model alone, of one segment or two, asks for the model's own task."""
    engines = _three()
    assert _post(prefix + model_id, body, *engines).status_code == 200
    assert _asked(*engines) == [(model_id, task)]


@pytest.mark.parametrize(
    ("model_id", "name", "body", "task"),
    [
        ("org/text", "text-classification", _TEXT_BODY, "text-classification"),
        ("org/text", "sentiment-analysis", _TEXT_BODY, "text-classification"),
        ("org/text", "text-classification", _LABELS_BODY, "text-classification"),
        ("org/text", "zero-shot-classification", _LABELS_BODY, "zero-shot-classification"),
        ("org/zero-shot", "zero-shot-classification", _LABELS_BODY, "zero-shot-classification"),
        ("org/zero-shot", "text-classification", _TEXT_BODY, "text-classification"),
        ("ner-model", "token-classification", _TEXT_BODY, "token-classification"),
        ("ner-model", "ner", _TEXT_BODY, "token-classification"),
    ],
)
@pytest.mark.parametrize(
    "address",
    [
        *(prefix + "{task}/{id}" for prefix in _TASK_PREFIXES),
        *(prefix + "{id}/pipeline/{task}" for prefix in _PREFIXES),
        "/models/{id}/pipeline/{task}/",
    ],
)
def test_a_task_in_the_address_wins_over_the_models_own(
    address: str, model_id: str, name: str, body: object, task: str
) -> None:
    """A task in the address wins over the model's own and over the body's form."""
    engines = _three()
    answer = _post(address.format(id=model_id, task=name), body, *engines)
    assert answer.status_code == 200, answer.text
    assert _asked(*engines) == [(model_id, task)]


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("org/text", "token-classification"),
        ("ner-model", "text-classification"),
        ("ner-model", "zero-shot-classification"),
    ],
)
@pytest.mark.parametrize("address", ["/pipeline/{task}/{id}", "/models/{id}/pipeline/{task}"])
def test_a_task_that_the_model_cannot_do_is_a_400(address: str, model_id: str, name: str) -> None:
    """A task that the model cannot do is a 400 that names the model's task."""
    engines = _three()
    answer = _post(address.format(id=model_id, task=name), _LABELS_BODY, *engines)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"model {model_id} is for ")
    assert _asked(*engines) == []


@pytest.mark.parametrize(
    "path",
    ["/pipeline/sentence-similarity/org/text", "/models/org/text/pipeline/feature-extraction"],
)
def test_a_task_that_earmark_does_not_know_is_a_400(path: str) -> None:
    """An unknown task is a 400 that lists the known ones."""
    answer = _post(path, _TEXT_BODY, FakeEngine("org/text"))
    assert answer.status_code == 400
    assert "expected text-classification, sentiment-analysis, " in answer.json()["error"]


@pytest.mark.parametrize(
    ("model_id", "address"),
    [
        ("a/pipeline/ner", "/models/a/pipeline/ner"),
        ("a/pipeline/b", "/models/a/pipeline/b/pipeline/ner"),
        ("a/pipeline/b", "/pipeline/ner/a/pipeline/b"),
    ],
)
def test_a_model_may_have_pipeline_in_its_name(model_id: str, address: str) -> None:
    """A model with `pipeline` in its id is found: the longest served id wins."""
    engines = (token_labeller("a"), token_labeller(model_id))
    assert _post(address, _TEXT_BODY, *engines).status_code == 200
    assert _asked(*engines) == [(model_id, "token-classification")]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/models/org/nope", "/models/org", "/models/text"])
def test_an_unknown_model_is_a_404_that_lists_the_known(method: str, path: str) -> None:
    """An unknown model, or a part of an id, is a 404 that lists the served models."""
    answer = ask(method, path, '{"inputs": "x"}', engines=(FakeEngine("org/text"),))
    assert answer.status_code == 404
    slip = "did you mean org/text? " if path.endswith("/text") else ""
    assert f"does not exist; {slip}served here: org/text" in answer.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/models/org/nope/pipeline/ner",
        "/pipeline/ner/org/nope",
        "/hf-inference/models/org/nope",
        "/status/org/nope",
        "/api/models/org/nope",
    ],
)
def test_an_unknown_model_is_named_without_the_rest_of_the_address(path: str) -> None:
    """The 404 names the model alone, whatever else is in the address."""
    method = "GET" if path.startswith(("/status", "/api/models")) else "POST"
    answer = ask(method, path, '{"inputs": "x"}', engines=(FakeEngine("org/text"),))
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("Model org/nope does not exist; ")


def test_the_root_is_nobody_where_several_models_are_served() -> None:
    """At the root, with several models served, the error names them."""
    answer = _post("/", _TEXT_BODY, FakeEngine("org/a"), FakeEngine("org/b"))
    assert answer.status_code == 404
    assert "org/a, org/b" in answer.json()["error"]


@pytest.mark.parametrize("address", [each.address for each in OPERATIONS])
def test_every_address_that_is_told_of_is_served(address: str) -> None:
    """Every address in the root's list is served."""
    method, _, path = address.partition(" ")
    path = path.format(id="org/text", task="text-classification", name="transformers")
    answer = ask(method, path, json.dumps(_TEXT_BODY), engines=(FakeEngine("org/text"),))
    assert answer.status_code == 200


@pytest.mark.parametrize("address", [each.address for each in DESCRIBED])
def test_every_address_of_every_dialect_may_end_in_a_slash(address: str) -> None:
    """Every address answers the same with slashes at its end, errors included."""
    method, _, path = address.partition(" ")
    names = {"id": "org/text", "task": "text-classification", "name": "transformers"}
    names |= {"account": "mine", "gateway": "mine", "model": "org/text"}
    path = path.format_map(names)
    headers = {"x-request-id": "the-same", "cf-consn-model-id": "org/text"}

    def answered(slashes: str) -> tuple[int, bytes]:
        engines = (FakeEngine("org/text"),)
        body = json.dumps(_TEXT_BODY)
        answer = ask(method, path + slashes, body, engines=engines, headers=headers)
        return answer.status_code, answer.content

    assert answered("/") == answered("//") == answered("")
