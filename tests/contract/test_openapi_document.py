"""The document is valid, complete, and true: what it shows is what the server does."""

import json
import math
import re
from collections.abc import Mapping
from typing import Protocol

import jsonschema_rs
import openapi_spec_validator
import pytest
from starlette.routing import Match, Route
from support.fake_engine import (
    FakeEngine,
    odds,
    probabilities,
    reranker,
    token_labeller,
    zero_shot_model,
)
from support.http_app import ask
from support.openapi_reading import (
    Node,
    answer_examples,
    mapping,
    names_of,
    operations_of,
    request_examples,
    resolve,
    rounded,
    sequence,
)
from support.workers_ai import CLASSIFIER, workers_ai

from earmark import __version__
from earmark.domain.texts import TextInput
from earmark.models.registry import Registry
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.keys import new_key
from earmark.serving.access.store import KeysInMemory
from earmark.serving.service import Service
from earmark.web.answer_headers import EXPOSED_HEADERS
from earmark.web.app import create_app
from earmark.web.dialects.cloudflare.errors import FORMS as WORKERS_AI_FORMS
from earmark.web.dialects.huggingface.operations import EXCHANGES
from earmark.web.dialects.rerank.errors import FORMS as RERANK_FORMS
from earmark.web.openapi.parts import Json
from earmark.web.options import WebOptions
from earmark.web.plain_errors import FORMS as HUGGING_FACE_FORMS

_SENTIMENT = "earmark/sentiment"


@pytest.fixture(scope="module")
def document() -> Node:
    """Fetch the document as a client does."""
    answer = ask("GET", "/openapi.json", engines=(FakeEngine(),))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found: Node = answer.json()
    return found


def test_the_document_is_valid(document: Node) -> None:
    """By the rules of OpenAPI 3.1, and for this version of earmark."""
    openapi_spec_validator.validate(dict(document))
    assert str(document["openapi"]).startswith("3.1.")
    assert mapping(document["info"])["version"] == __version__


def _shown(document: Node) -> Node:
    """List the answers of the document, by where they stand."""
    return {each.place: each.value for each in answer_examples(document)}


def _app_routes() -> list[Route]:
    app = create_app(Service(Registry([FakeEngine()])))
    return [route for route in app.routes if isinstance(route, Route)]


_FILLED = {
    "{id}": "acme/tc",
    "{task}": "ner",
    "{name}": "x",
    "{account}": "mine",
    "{gateway}": "default",
    "{model}": "@cf/acme/tc",
}


def _scope(method: str, path: str) -> dict[str, object]:
    for parameter, value in _FILLED.items():
        path = path.replace(parameter, value)
    return {"type": "http", "method": method, "path": path}


def test_every_route_of_the_app_is_described(document: Node) -> None:
    """A route that nobody described is found here."""
    described = [_scope(method, path) for method, path, _ in operations_of(document)]
    for route in _app_routes():
        if route.include_in_schema:
            matched = [scope for scope in described if route.matches(scope)[0] is Match.FULL]
            assert matched, f"{route.methods} {route.path} is not described"


def test_everything_described_is_a_route_of_the_app(document: Node) -> None:
    """And is listed by the index, to which each 404 leads."""
    routes = _app_routes()
    for method, path, _ in operations_of(document):
        scope = _scope(method, path)
        assert any(route.matches(scope)[0] is Match.FULL for route in routes), path
    addresses = ask("GET", "/", engines=(FakeEngine(),)).json()["addresses"]
    assert set(addresses) == {f"{method} {path}" for method, path, _ in operations_of(document)}
    assert len(addresses) == len(set(addresses))
    refused = ask("GET", "/nowhere", engines=(FakeEngine(),))
    assert refused.status_code == 404
    assert "GET /openapi.json lists them" in refused.json()["error"]


def test_every_group_says_what_it_is(document: Node) -> None:
    """In one line; and each operation stands in one of them."""
    tags = [mapping(each) for each in sequence(document["tags"])]
    assert all(each["description"] and "\n" not in str(each["description"]) for each in tags)
    used = {str(sequence(each["tags"])[0]) for _, _, each in operations_of(document)}
    assert used == {str(each["name"]) for each in tags}


def test_every_schema_has_a_name_to_read(document: Node) -> None:
    """Of a type: no two have the same, and no wrapper is left without one."""
    schemas = mapping(mapping(document["components"])["schemas"])
    assert [name for name in schemas if not name.isalnum()] == []
    assert [name for name, each in schemas.items() if not mapping(each).get("description")] == []


_BEFORE_A_DIALECT = {400, 401, 405, 408, 431, 503}
"""Statuses of the layers around the dialects."""


class _Form(Protocol):
    @property
    def status(self) -> int: ...


_FORMS: Mapping[str, Mapping[type[BaseException], _Form]] = {
    "Hugging Face": HUGGING_FACE_FORMS,
    "Workers AI": WORKERS_AI_FORMS,
    "Workers AI binding": WORKERS_AI_FORMS,
    "Rerank": RERANK_FORMS,
}


def test_every_status_of_an_error_is_described(document: Node) -> None:
    """Those of the dialect's table, and those of the layers around it."""
    for method, path, operation in operations_of(document):
        statuses = {int(status) for status in mapping(operation["responses"])}
        (tag,) = sequence(operation["tags"])
        if method == "POST":
            told = {form.status for form in _FORMS[str(tag)].values()}
            assert statuses == {200} | told | _BEFORE_A_DIALECT, path
        else:
            open_to_all = path.endswith(("/health", "/ping", "z")) or path == "/docs"
            assert statuses >= {200, 500} | _BEFORE_A_DIALECT - ({401} if open_to_all else set()), (
                path
            )


def test_every_number_of_workers_ai_is_described(document: Node) -> None:
    """Those of the dialect's table, of access, and of addresses."""
    shown: dict[str, set[object]] = {}
    for each in answer_examples(document):
        _, _, status, _ = each.place.split()
        value = each.value if isinstance(each.value, dict) else {}
        for error in sequence(value.get("errors", [])):
            shown.setdefault(status, set()).add(mapping(error)["code"])
        if "internalCode" in value:
            shown.setdefault(status, set()).add(value["internalCode"])
    for form in WORKERS_AI_FORMS.values():
        assert form.code in shown[str(form.status)]
    assert {9106, 6003, 7000} <= shown["400"]
    assert shown["401"] == {10000}
    assert shown["405"] == {7001}


def test_every_header_of_an_answer_is_described(document: Node) -> None:
    """Also of errors."""
    described: set[str] = set()
    for _, _, operation in operations_of(document):
        for answer in mapping(operation["responses"]).values():
            described |= set(mapping(resolve(document, answer).get("headers", {})))
    beside = {"x-request-id", "retry-after", "allow", "vary", "www-authenticate"}
    of_workers_ai = {"cf-ai-req-id", "cf-ray", "cache-control", "x-should-retry"}
    assert described >= {*EXPOSED_HEADERS, *beside, *of_workers_ai}


def test_every_header_that_comes_is_described(document: Node) -> None:
    """With the answer that it comes with, in each dialect."""
    engines = workers_ai()
    asked: dict[str, Json] = {
        "/models/{id}": {
            "inputs": "a text that is longer than a model of sixteen tokens reads " * 2
        },
        "/client/v4/accounts/{account}/ai/run/{model}": {"text": "a"},
        "/rerank": {"query": "q", "texts": ["a"]},
    }
    for path, body in asked.items():
        filled = path.replace("{id}", CLASSIFIER).replace("{model}", CLASSIFIER)
        answer = ask("POST", filled, json.dumps(body), engines=engines)
        assert answer.status_code == 200
        operation = mapping(mapping(mapping(document["paths"])[path])["post"])
        described = resolve(document, mapping(operation["responses"])["200"])["headers"]
        assert set(answer.headers) - {"content-type", "content-length"} <= set(mapping(described))


def test_every_header_that_changes_an_answer_is_described(document: Node) -> None:
    """On each address that asks a model, by its dialect; and every part of the address."""
    wishes: dict[str, set[str]] = {
        "Hugging Face": {"x-use-cache", "x-wait-for-model", "x-load-model"},
        "Workers AI": {"queueRequest"},
        "Workers AI binding": {"cf-consn-model-id"},
    }
    for method, path, operation in operations_of(document):
        parameters = sequence(operation.get("parameters", []))
        names = {str(resolve(document, each)["name"]) for each in parameters}
        assert {f"{{{name}}}" for name in names if f"{{{name}}}" in path} == set(
            re.findall(r"\{\w+\}", path)
        )
        if method == "POST":
            assert names >= wishes.get(str(sequence(operation["tags"])[0]), set()), path


def test_an_access_key_is_described_as_optional_and_not_needed_for_health_and_the_page(
    document: Node,
) -> None:
    """Without keys in the server nobody needs one."""
    assert document["security"] == [{}, {"accessKey": []}]
    open_paths = {path for _, path, each in operations_of(document) if each.get("security") == []}
    assert open_paths == {
        "/health",
        "/ping",
        "/readyz",
        "/livez",
        "/models/{id}/health",
        "/docs",
    }


def test_a_key_may_come_in_the_headers_of_workers_ai(document: Node) -> None:
    """Both together, and only where that dialect reads them."""
    schemes = mapping(mapping(document["components"])["securitySchemes"])
    pair: Node = {"authEmail": [], "authKey": []}
    assert [mapping(schemes[name])["name"] for name in pair] == ["X-Auth-Email", "X-Auth-Key"]
    for _, path, each in operations_of(document):
        of_workers_ai = path.startswith("/client/v4/") or "/workers-ai/" in path
        assert (pair in sequence(each.get("security", []))) == of_workers_ai, path


def test_every_example_fits_its_schema(document: Node) -> None:
    """Of requests and of answers, and there are many."""
    shown = [*request_examples(document), *answer_examples(document)]
    assert len(shown) > 100
    assert [each.place for each in shown if not each.valid] == []


def test_a_schema_refuses_what_is_no_answer(document: Node) -> None:
    """Else the test before this one could not fail."""
    for _, _, operation in operations_of(document):
        answer = resolve(document, mapping(operation["responses"])["200"])
        content = mapping(mapping(answer["content"]).get("application/json", {}))
        if not content or content["schema"] == {"type": "object"}:
            continue
        schema = {**mapping(content["schema"]), "components": document["components"]}
        assert not jsonschema_rs.is_valid(schema, [[{"label": "A", "score": "high"}]])


_PERSON = (math.log(0.03125), math.log(0.03125), math.log(0.9375))
_BEGINS = (math.log(0.03125), math.log(0.9375), math.log(0.03125))
_NOBODY = (4.0, 0.0, 0.0)


def _zero_shot(*, alone: bool) -> FakeEngine:
    scores = {"refund": 0.8125, "faq": 0.125, "legal": 0.0625}
    return zero_shot_model(
        logits={
            TextInput("I want my money back", f"This example is {label}."): (
                0.0,
                0.0,
                odds(score) if alone else math.log(score),
            )
            for label, score in scores.items()
        }
    )


def _text() -> FakeEngine:
    return FakeEngine(
        logits={
            TextInput("I like you. I love you"): probabilities(0.9734),
            TextInput("I like it"): probabilities(0.9685),
            TextInput("I do not"): probabilities(1 - 0.9548),
        }
    )


def _reranker() -> FakeEngine:
    question = "What is the capital of France?"
    return reranker(
        logits={
            TextInput(question, "Paris is in France."): (odds(0.9375),),
            TextInput(question, "Bananas are yellow."): (odds(0.0625),),
        },
    )


def _tagger() -> FakeEngine:
    others = re.findall(r"\S+", "[CLS] My name is but you can call me Nobody was there I am [SEP]")
    logits: dict[TextInput, tuple[float, ...]] = {TextInput(word): _NOBODY for word in others}
    logits |= {TextInput(word): _PERSON for word in ("Jessica", "Parker")}
    return token_labeller(logits={**logits, TextInput("Sarah"): _BEGINS})


def _engine(name: str) -> FakeEngine:
    if name.startswith("zeroShot"):
        return _zero_shot(alone=name == "zeroShotList")
    if name.startswith("entities") or name == "tokens":
        return _tagger()
    return _reranker() if name in {"reranker", "ranking"} else _text()


@pytest.mark.parametrize("name", [name for name in EXCHANGES if name != "stream"])
def test_the_answer_shown_is_what_the_server_answers(document: Node, name: str) -> None:
    """To the request shown beside it, by a model that is exactly so sure."""
    exchange = EXCHANGES[name]
    body = json.dumps(exchange.request)
    answer = ask("POST", "/", body, engines=(_engine(name),), headers=exchange.headers)
    assert answer.status_code == 200
    assert rounded(answer.json()) == rounded(exchange.answer)
    assert exchange.answer == _shown(document)[f"POST / 200 {name}"]
    assert (
        exchange.request
        == {each.place: each.value for each in request_examples(document)}[f"POST / {name}"]
    )


def test_the_events_shown_are_those_that_the_server_sends() -> None:
    """To the request shown for entities, with a wish for events."""
    shown_stream = EXCHANGES["stream"]
    answer = ask("POST", "/", json.dumps(shown_stream.request), engines=(_tagger(),))
    assert answer.headers["content-type"] == "text/event-stream"
    assert isinstance(shown_stream.answer, str)
    sent, shown = answer.text.split("\n\n"), shown_stream.answer.split("\n\n")
    assert sent[-2:] == shown[-2:] == ["data: [DONE]", ""]
    assert [rounded(_event(each)) for each in sent[:-2]] == [
        rounded(_event(each)) for each in shown[:-2]
    ]


def _event(line: str) -> Json:
    found: Json = json.loads(line.removeprefix("data:"))
    return found


@pytest.mark.parametrize(
    ("status", "name", "path", "body"),
    [
        (400, "badRequest", "/", '{"inputs": "a", "parameters": {"top_k": 0}}'),
        (404, "notFound", "/models/acme/unknown", '{"inputs": "a"}'),
        (413, "tooLarge", "/", "x" * (2 * 1024 * 1024 + 1)),
    ],
)
def test_the_error_shown_is_what_the_server_says(
    document: Node, status: int, name: str, path: str, body: str | None
) -> None:
    """Word for word."""
    engines = (FakeEngine(_SENTIMENT, tasks=("text-classification",)),)
    answer = ask("POST", path, body, engines=engines, web=WebOptions())
    assert answer.status_code == status
    assert answer.json() == _shown(document)[f"POST / {status} {name}"]


def test_the_error_shown_for_a_wrong_method_is_what_the_server_says(document: Node) -> None:
    """Word for word."""
    answer = ask("DELETE", "/", engines=(FakeEngine(),))
    assert (answer.status_code, answer.json()) == (
        405,
        _shown(document)["POST / 405 wrongMethod"],
    )


def test_the_error_shown_without_a_key_is_what_the_server_says(document: Node) -> None:
    """At the document too: only its page is shown to everyone."""
    keys = KeysInMemory()
    keys.add(new_key("someone", now_s=0.0).kept)
    for path in ("/models", "/openapi.json"):
        answer = ask("GET", path, engines=(FakeEngine(),), gate=AccessGate(keys))
        assert (answer.status_code, answer.json()) == (
            401,
            _shown(document)[f"GET {path} 401 noAccessKey"],
        )


def test_what_a_look_up_shows_has_the_fields_of_a_real_one(document: Node) -> None:
    """The same names in the same order, for each look-up."""
    engines = (FakeEngine(_SENTIMENT, tasks=("text-classification",)),)
    for each in answer_examples(document):
        method, path, status, name = each.place.split()
        beside = path.startswith("/client/v4/") or path in ("/openapi.json", "/docs")
        if method == "POST" or status != "200" or beside or name in ("notInMemory", "page"):
            continue
        asked = path.replace("{id}", _SENTIMENT).replace("{name}", "transformers")
        answer = ask("GET", asked, engines=engines).json()
        assert names_of(answer) == names_of(each.value), name


@pytest.mark.parametrize("path", ["/models/org/text", "/models/org%2Ftext", "/models/org%2ftext"])
def test_a_slash_in_an_id_may_be_escaped(path: str) -> None:
    """As clients do that are made from the document: they know no parameter of two segments."""
    engines = (FakeEngine("org/text"),)
    assert ask("GET", path, engines=engines).json()["model_id"] == "org/text"
    assert ask("POST", path, '{"inputs": "a"}', engines=engines).status_code == 200
