"""The operations of this dialect, in the order in which a reader should meet them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from earmark.domain.results import LabelScore
from earmark.errors import InvalidInput, ModelNotLoaded, UnknownModel
from earmark.tasks.task import TaskName
from earmark.web.dialects.huggingface import lookups, token_classification, zero_shot
from earmark.web.dialects.huggingface.text_classification import TextClassificationBody
from earmark.web.dialects.huggingface.text_ranking import TextRankingBody
from earmark.web.openapi.json_files import (
    answers,
    read_components,
    read_exchanges,
    read_lookups,
    requests,
)
from earmark.web.openapi.parts import Answer, Content, Example, Group, Operation
from earmark.web.openapi.shared_answers import (
    APP_HEADERS,
    COST_HEADERS,
    RECORD,
    SAMPLES,
    Sample,
    error_answers,
    refused,
)
from earmark.web.pages import describe
from earmark.web.plain_errors import error_answer
from earmark.web.ranked_texts import RankedText, TextsBody
from earmark.web.responses import ErrorBody

_PACKAGE: Final = "earmark.web.dialects.huggingface"

EXCHANGES: Final = read_exchanges(_PACKAGE, "ask")
"""Requests and answers, by the names they have in the document."""
_LOOKUPS: Final = read_lookups(_PACKAGE)

COMPONENTS: Final = read_components(_PACKAGE)

_MODELS: Final = "Models"
_HUB: Final = "Hugging Face Hub"
_WISHES: Final = ("header.x-use-cache", "header.x-wait-for-model", "header.x-load-model")
"""How a caller wants a request carried out."""

_SAMPLES: Final = {
    "badRequest": Sample(
        "the request is malformed; the text says where and how",
        InvalidInput("`parameters.top_k`: expected `int` >= 1"),
    ),
    "notFound": Sample(
        "no such model is served, nor may it be fetched from the Hub, if it is there; or nothing at"
        " this address",
        UnknownModel("Model acme/unknown does not exist; served here: earmark/sentiment"),
    ),
    **SAMPLES,
}


def _errors(owner: str, *left_out: str) -> dict[int, Answer]:
    samples = {name: each for name, each in _SAMPLES.items() if name not in left_out}
    shown = refused(samples, error_answer, ErrorBody, owner)
    return error_answers(shown, COMPONENTS["headers"])


_ERRORS: Final = _errors("HuggingFace")
LOOKUP_ERRORS: Final[Mapping[int, Answer]] = {
    **{status: each for status, each in _ERRORS.items() if status not in {413, 415, 429, 504}},
    503: _errors("HuggingFaceLookup", "loading", "noRoom")[503],
}
"""What may come in place of a look-up's answer: it sends no body, and loads nothing."""
_NAMED_ERRORS: Final = {**LOOKUP_ERRORS, 429: _ERRORS[429]}
"""The same where a model is named, for which the Hub may have to be asked."""

_NOT_LOADED: Final = Example(
    "With x-load-model: 0, of a model that is not in memory",
    json.loads(bytes(error_answer(ModelNotLoaded("not in memory"), RECORD).body)),
)
_TEXT: Final = {name: each for name, each in EXCHANGES.items() if isinstance(each.answer, str)}
_JSON: Final = {name: each for name, each in EXCHANGES.items() if name not in _TEXT}

_QUESTION: Final = Content(
    (
        TextClassificationBody,
        zero_shot.ZeroShotBody,
        token_classification.TokenClassificationBody,
        TextRankingBody,
        TextsBody,
    ),
    requests(EXCHANGES),
)
_ANSWER: Final = Answer(
    name="Answer",
    description="Text classification answers a list of labels for each text, also for a single one."
    " Zero-shot classification answers in the form that the client (`User-Agent`) reads."
    " Token classification answers a list of entities, or a list of lists."
    " Text ranking answers the places of the texts, best first."
    " A single text is answered by itself, a list of texts by a list.",
    contents=(
        Content(
            (
                list[list[LabelScore]],
                list[LabelScore],
                zero_shot.LabelledSequence,
                list[zero_shot.LabelledSequence],
                list[zero_shot.LabelAndSequence],
                list[token_classification.EntityGroup],
                list[token_classification.EntityToken],
                list[list[token_classification.EntityGroup]],
                list[list[token_classification.EntityToken]],
                list[RankedText],
                ErrorBody,
            ),
            {**answers(_JSON), "notLoaded": _NOT_LOADED},
        ),
        Content((str,), answers(_TEXT), "text/event-stream"),
    ),
    headers=COST_HEADERS,
)
_ASKING: Final = (
    "The model does what it is for. Of several tasks the body decides: `candidate_labels` are"
    " for zero-shot classification.\n\n"
    'With `"stream": true`, token classification answers in Server-Sent Events: one `data:` line'
    " for each entity, then `data: [DONE]`."
)
_SICK: Final = Answer(
    name="Unhealthy",
    description="A model cannot answer, or the server is shutting down.",
    contents=(Content((describe.Health, ErrorBody), answers(_LOOKUPS["unhealthy"])),),
    headers=APP_HEADERS,
)


def _ask(path: str, name: str, summary: str, description: str = "") -> Operation:
    group = Group(tag="Hugging Face", errors=_ERRORS)
    return group.operation(
        path, name, summary, _ANSWER, *_WISHES, description=description, body=_QUESTION
    )


def _look(  # noqa: PLR0913 - every part of a look-up
    tag: str,
    path: str,
    name: str,
    summary: str,
    *types: object,
    shown: str = "",
    asked: tuple[str, ...] = (),
    description: str = "",
) -> Operation:
    """Describe a look-up; its examples are those of its name unless another's are shown."""
    errors = _NAMED_ERRORS if "{id}" in path else LOOKUP_ERRORS
    group = Group(tag=tag, errors=errors, headers=APP_HEADERS)
    content = Content(types, answers(_LOOKUPS[shown or name]))
    return group.operation(path, name, summary, content, *asked, description=description)


def _index() -> Operation:
    look = _look(
        _MODELS,
        "/",
        "index",
        "What is served here, and how to ask",
        describe.ServerIndex,
        description="A browser, whose `Accept` names `text/html`, gets a short page instead.",
    )
    page = Content((str,), {"page": Example("Its beginning", "<!doctype html>")}, "text/html")
    found = look.answers[200]
    answers = {**look.answers, 200: replace(found, contents=(*found.contents, page))}
    return replace(look, answers=answers)


def _info(path: str, name: str, summary: str) -> Operation:
    return _look(
        _MODELS,
        path,
        name,
        summary,
        describe.ModelInfo,
        describe.LoadableInfo,
        shown="info",
        description="Loads nothing: of a model that is not in memory, what its small files say.",
    )


def _health(path: str, name: str, summary: str, description: str) -> Operation:
    look = _look(
        _MODELS, path, name, summary, describe.Health, shown="health", description=description
    )
    answers = {status: each for status, each in look.answers.items() if status not in {401, 503}}
    return replace(look, answers={**answers, 503: _SICK}, open=True)


_ROUTED: Final = "/hf-inference"
OPERATIONS: Final = (
    _ask("/models/{id}", "ask", "Ask a model", _ASKING),
    _ask("/models/{id}/pipeline/{task}", "askTask", "Ask a model for a task by name"),
    _ask(
        "/",
        "askOnly",
        "Ask the only model named",
        "A query and texts go to the only reranker among the models named.",
    ),
    _ask("/pipeline/{task}/{id}", "askPipeline", "The same, as the old InferenceApi class asks"),
    _ask(f"{_ROUTED}/models/{{id}}", "askRouted", "The same, as clients in id mode ask"),
    _ask(
        f"{_ROUTED}/models/{{id}}/pipeline/{{task}}",
        "askRoutedTask",
        "The same, as clients in id mode ask for a task",
    ),
    _ask(
        f"{_ROUTED}/pipeline/{{task}}/{{id}}",
        "askRoutedPipeline",
        "The same, as clients in id mode asked for a task in early 2025",
    ),
    _ask(
        f"/api/inference-proxy{_ROUTED}/models/{{id}}",
        "askProxied",
        "The same, as JavaScript clients in id mode asked in 2025",
    ),
    _index(),
    _look(
        _MODELS,
        "/models",
        "models",
        "What is served here",
        list[describe.ModelCard],
        description="Also what has to be loaded first; `status` says which.",
    ),
    _look(_MODELS, "/models/{id}", "model", "What a model is for", describe.ModelCard),
    _info("/models/{id}/info", "modelInfo", "The facts of a model"),
    _info(
        "/info",
        "info",
        "The facts of the only model named, else of the only reranker, classifier, or the first",
    ),
    _health(
        "/models/{id}/health",
        "modelHealth",
        "Whether a model can answer",
        "One that only has to be loaded first can; one that is being loaded, or whose last load"
        " failed, cannot.",
    ),
    _health(
        "/health",
        "health",
        "Whether every model in memory can answer",
        "A model that is not in memory is nothing that ails the server. 503 after SIGTERM as well,"
        " though requests are still answered (`--drain-s`).",
    ),
    _health("/ping", "ping", "The same as `/health`", "Where load balancers look."),
    _health("/readyz", "readyz", "The same as `/health`", "Where Kubernetes looks."),
    replace(
        _look(_MODELS, "/livez", "livez", "Whether the process answers", describe.Alive), open=True
    ),
    _look(
        _HUB,
        "/status/{id}",
        "status",
        "The state of a model",
        lookups.LegacyStatus,
        description="`get_model_status` of `huggingface_hub` to 0.34. `state` is `Loaded`,"
        " `Loadable` (also while it loads) or `error`.",
    ),
    _look(
        _HUB,
        "/framework/{name}",
        "framework",
        "The models of a library",
        list[lookups.DeployedModel],
        description="`list_deployed_models` of `huggingface_hub` to 0.34.",
    ),
    _look(
        _HUB,
        "/api/models/{id}",
        "hubModel",
        "The Hub's page of a model",
        lookups.HubModel,
        description="Clients given a model's id read it before they ask.",
        asked=("query.expand",),
    ),
    _look(
        _HUB,
        "/api/tasks",
        "hubTasks",
        "The Hub's page of tasks",
        dict[TaskName, lookups.HubTask],
        description="Clients given no model read here which one to ask.",
    ),
)
"""Every operation of the dialect."""
