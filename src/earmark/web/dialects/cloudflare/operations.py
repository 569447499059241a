"""The operations of this dialect, in the order in which a reader should meet them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.responses import Response

from earmark.batching.queue import too_late
from earmark.errors import AccessDenied, InvalidInput, UnknownModel
from earmark.web.dialects.cloudflare import bodies
from earmark.web.dialects.cloudflare.access import access_form
from earmark.web.dialects.cloudflare.errors import (
    BindingError,
    binding_answer,
    edge_answer,
    no_such_method,
    no_such_route,
    rest_answer,
)
from earmark.web.endpoints import Refusal
from earmark.web.openapi.json_files import (
    Exchange,
    answers,
    read_components,
    read_exchanges,
    requests,
)
from earmark.web.openapi.parts import Answer, Content, Example, Group, Json, Operation
from earmark.web.openapi.shared_answers import (
    APP_HEADERS,
    COST_HEADERS,
    SAMPLES,
    Refused,
    Sample,
    error_answers,
    refused,
)

_PACKAGE: Final = "earmark.web.dialects.cloudflare"

RUNS: Final = read_exchanges(_PACKAGE, "runs")
_LOOKUPS: Final = read_exchanges(_PACKAGE, "lookups")

COMPONENTS: Final = read_components(_PACKAGE)

_RUN: Final = "Workers AI"
_BINDING: Final = "Workers AI binding"
_CATALOGUE: Final = "Workers AI catalogue"
_MARKS: Final = ("cf-ray", "cache-control")
"""Headers of every answer."""


_CLASSIFIER: Final = "@cf/huggingface/distilbert-sst-2-int8"
_RERANKER: Final = "@cf/baai/bge-reranker-base"


def _edge(when: str, response: Response) -> Refused:
    return Refused(when, response, bodies.EDGE_FAILURE, "WorkersAi")


def _not_let_in(when: str, **headers: str) -> Refused:
    """Refuse a request with these headers, where the server has access keys."""
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    response = access_form("").refuse(AccessDenied("no key"), {"headers": sent})
    return _edge(f"the server has access keys, and {when}", response)


_ON_THE_WAY: Final = {
    "noRoute": _edge(
        "nothing is served at this address",
        no_such_route("GET /docs shows every address, GET /openapi.json lists them for programs"),
    ),
    "wrongMethod": _edge(
        "the address has other methods", no_such_method("DELETE", ("GET", "POST"))
    ),
    "noKey": _not_let_in("none was sent"),
    "halfAPair": _not_let_in("of the two headers one is missing", x_auth_email="me@example.org"),
    "malformedKey": _not_let_in("what was sent is no bearer's", authorization="Basic a2V5"),
    "wrongKey": _not_let_in(
        "what was sent is none of them; or it knows no such account",
        authorization="Bearer ek_nobody",
    ),
}
_OF_RUNS: Final = {
    "badInput": Sample(
        "the input fits no schema, or the model's is another",
        InvalidInput("required properties at '/' are 'text'"),
    ),
    "unknownModel": Sample(
        "no such model is served, nor may it be fetched from the Hub, if it is there",
        UnknownModel(
            f"Model @cf/acme/unknown does not exist; served here: {_CLASSIFIER}, {_RERANKER}"
        ),
    ),
    **{name: each for name, each in SAMPLES.items() if name != "noAccessKey"},
    "noAnswerInTime": Sample("no answer within 55 s", too_late(55.0)),
}
_OF_LOOKUPS: Final = {
    "badPage": Sample(
        "a parameter is malformed",
        InvalidInput("page is '0'; expected a number from 1 to 2,147,483,648"),
    ),
    "fault": SAMPLES["fault"],
}
_OF_SCHEMAS: Final = {
    "noSuchSchema": Sample("no such model", UnknownModel("No such model @cf/acme/unknown or task")),
    **{name: SAMPLES[name] for name in ("unusableModel", "outOfReach", "fault")},
    "tooMuchToDo": Sample(
        "too many models of the Hub wait to be looked up already", SAMPLES["tooMuchToDo"].error
    ),
}


def _errors(
    owner: str,
    samples: Mapping[str, Sample],
    answer: Refusal = edge_answer,
    of: object = bodies.EDGE_FAILURE,
) -> dict[int, Answer]:
    shown = {**refused(samples, answer, of, f"WorkersAi{owner}"), **_ON_THE_WAY}
    return error_answers(shown, COMPONENTS["headers"], _code)


def _code(body: Mapping[str, Any]) -> str:  # of an error in any form
    """Begin a summary with Cloudflare's number for an error."""
    code = body["errors"][0]["code"] if "errors" in body else body.get("internalCode")
    return f"{code}: " if code else ""


def _group(tag: str, errors: Mapping[int, Answer]) -> Group:
    headers = (*APP_HEADERS, *_MARKS)
    return Group(tag=tag, errors=errors, headers=headers, key_headers=("authEmail", "authKey"))


_RUNS: Final = _group(_RUN, _errors("Run", _OF_RUNS, rest_answer, bodies.MODEL_FAILURE))
_BOUND_RUNS: Final = _group(_BINDING, _errors("Binding", _OF_RUNS, binding_answer, BindingError))
_LISTS: Final = _group(_CATALOGUE, _errors("", _OF_LOOKUPS))
_SCHEMAS: Final = _group(_CATALOGUE, _errors("Schema", _OF_SCHEMAS))


def _wrapped(wrap: Callable[[Exchange], Json]) -> dict[str, Example]:
    return {name: Example(run.summary, wrap(run)) for name, run in RUNS.items()}


def _enveloped(run: Exchange) -> Json:
    return {"result": run.answer, "success": True, "errors": [], "messages": []}


def _universal(run: Exchange) -> Json:
    return {"model": run.headers.get("cf-consn-model-id", _CLASSIFIER), "input": run.request}


def _bound(run: Exchange) -> Json:
    queued = isinstance(run.request, dict) and "requests" in run.request
    return {"inputs": run.request, "options": {"queueRequest": True} if queued else {}}


_BODY: Final = Content(bodies.INPUTS, requests(RUNS))
_ANSWER: Final = Answer(
    name="WorkersAiRun",
    description="The model's answer, or how far a batch is, in an envelope.",
    contents=(Content(bodies.RUN_ANSWERS, _wrapped(_enveloped)),),
    headers=(*COST_HEADERS, "cf-ai-req-id", *_MARKS),
)
_BOUND_ANSWER: Final = Answer(
    description="The model's answer, or how far a batch is, without an envelope.",
    contents=(Content(bodies.BOUND_ANSWERS, answers(RUNS)),),
    headers=_ANSWER.headers,
)


def _run(
    path: str, name: str, summary: str, description: str = "", body: Content = _BODY
) -> Operation:
    return _RUNS.operation(
        path, name, summary, _ANSWER, "query.queueRequest", description=description, body=body
    )


def _look(  # noqa: PLR0913 - every part of a look-up
    path: str,
    name: str,
    summary: str,
    of: type,
    *asked: str,
    description: str = "",
    shown: str = "",
    group: Group = _LISTS,
) -> Operation:
    """Describe a look-up; its example is that of its name unless another's is shown."""
    content = Content((of,), answers({name: _LOOKUPS[shown or name]}))
    return group.operation(path, name, summary, content, *asked, description=description)


_RUNNING: Final = (
    "`text` is for a text classifier, `query` and `contexts` are for a reranker. A model that is"
    " not in memory is loaded first, and the caller waits for at most 55 s.\n\n"
    "With `queueRequest=true`, `requests` is a batch of such inputs: it is answered when there is"
    " time, and `request_id` asks how far it is. A batch may have 10 MB; it and its answers are"
    " kept for a day after it is answered, unless the server is set otherwise."
)
_ACCOUNT: Final = "/client/v4/accounts/{account}"
_AI: Final = f"{_ACCOUNT}/ai"
_GATEWAY: Final = "/v1/{account}/{gateway}/workers-ai"
_NO_FINETUNES: Final = "They are for models that write text, so that there are none."

OPERATIONS: Final = (
    _run(f"{_AI}/run/{{model}}", "run", "Run a model", _RUNNING),
    _run(
        f"{_AI}/run",
        "runNamed",
        "Run a model that the body names",
        body=Content(bodies.UNIVERSAL_INPUTS, _wrapped(_universal)),
    ),
    _run(f"{_GATEWAY}/{{model}}", "runThroughGateway", "The same, as through a gateway"),
    _run(
        f"{_GATEWAY}/run/{{model}}",
        "runThroughGatewayToo",
        "The same, as workers-ai-provider asks through a gateway",
    ),
    _BOUND_RUNS.operation(
        f"{_AI}/run/proxy",
        "runBound",
        "Run a model for a binding",
        _BOUND_ANSWER,
        "header.cf-consn-model-id",
        "header.cf-consn-sdk-version",
        description="`env.AI.run(model, inputs, options)`.",
        body=Content(bodies.BOUND_INPUTS, _wrapped(_bound)),
    ),
    _look(
        f"{_AI}/run/proxy",
        "boundModels",
        "The models, for a binding",
        bodies.MODELS,
        "header.x-forwarded",
        description="`env.AI.models()`.",
        shown="searchModels",
        group=_BOUND_RUNS,
    ),
    _look(
        f"{_AI}/models/search",
        "searchModels",
        "The models",
        bodies.MODELS,
        *(f"query.{each}" for each in ("search", "author", "task", "page", "per_page")),
        description="For text classification and reranking, each under every name it has. A page"
        " past the last is empty.",
    ),
    _look(
        f"{_AI}/models/schema",
        "modelSchema",
        "What a model takes and gives",
        bodies.SCHEMA,
        "query.model",
        group=_SCHEMAS,
    ),
    _look(f"{_AI}/tasks/search", "tasks", "The tasks", bodies.TASKS),
    _look(f"{_AI}/authors/search", "authors", "The authors of models", bodies.AUTHORS),
    _look(
        f"{_AI}/finetunes",
        "finetunes",
        "An account's fine-tunes",
        bodies.FINETUNES,
        description=_NO_FINETUNES,
    ),
    _look(
        f"{_AI}/finetunes/public",
        "publicFinetunes",
        "Everyone's fine-tunes",
        bodies.FINETUNES,
        description=_NO_FINETUNES,
        shown="finetunes",
    ),
    _look(
        "/client/v4/user/tokens/verify",
        "verifyKey",
        "Whether a key holds",
        bodies.VERIFIED,
        description="One that does not is answered with 401.",
    ),
    _look(
        f"{_ACCOUNT}/tokens/verify",
        "verifyAccountKey",
        "The same, for an account",
        bodies.VERIFIED,
        shown="verifyKey",
    ),
)
"""Every operation of the dialect."""
