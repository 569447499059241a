"""The operations of this dialect, in the order in which a reader should meet them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Final

import msgspec

from earmark.domain.results import LabelScore
from earmark.tasks.task import TaskName
from earmark.web.dialects.huggingface.exchanges import TASK_NAMES
from earmark.web.dialects.huggingface.lookups import (
    DeployedModel,
    HubModel,
    HubTask,
    LegacyStatus,
)
from earmark.web.dialects.huggingface.openapi.answers import (
    ASK_HEADERS,
    ASKING_ERRORS,
    LOOKUP_ERRORS,
    MODEL_ERRORS,
)
from earmark.web.dialects.huggingface.openapi.examples import EXCHANGES, NOT_LOADED, STREAM
from earmark.web.dialects.huggingface.openapi.facts import (
    CARD,
    FRAMEWORK,
    HEALTHY,
    HUB_MODEL,
    HUB_TASKS,
    INDEX,
    INFO,
    LOADABLE_CARD,
    LOADABLE_INFO,
    LOADING,
    STALLED,
    STATUS,
)
from earmark.web.dialects.huggingface.text_classification import TextClassificationBody
from earmark.web.dialects.huggingface.text_ranking import TextRankingBody
from earmark.web.dialects.huggingface.token_classification import (
    EntityGroup,
    EntityToken,
    TokenClassificationBody,
)
from earmark.web.dialects.huggingface.zero_shot import (
    LabelAndSequence,
    LabelledSequence,
    ZeroShotBody,
)
from earmark.web.openapi import Answer, Content, Example, Json, Operation, Parameter, Tag
from earmark.web.pages.describe import (
    Health,
    LoadableInfo,
    ModelCard,
    ModelInfo,
    ServerIndex,
)
from earmark.web.ranked_texts import RankedText, TextsBody
from earmark.web.responses import ErrorBody
from earmark.web.shared_answers import REQUEST_ID

__all__ = ["OPERATIONS", "TAGS"]

_ASK: Final = Tag(
    name="Hugging Face",
    description="The Hugging Face Inference API: text, zero-shot and token classification.",
)
_MODELS: Final = Tag(name="Models", description="What is served, and how it is.")
_HUB: Final = Tag(
    name="Hugging Face Hub",
    description="Look-ups of the Hub's official clients, in the form of the Hub.",
)
TAGS: Final = (_ASK, _MODELS, _HUB)

_ID: Final = Parameter(
    name="id",
    where="path",
    type=str,
    description=(
        "A model that is served, such as `earmark/sentiment`; or one of the Hub, where the server"
        " may have it fetched. An id may have a slash, which can be sent as it is or as `%2F`."
    ),
    example="earmark/sentiment",
)
_TASK: Final = Parameter(
    name="task",
    where="path",
    type=Annotated[str, msgspec.Meta(extra_json_schema={"enum": list(TASK_NAMES)})],
    description="What to do. It has to be one of the model's tasks.",
    example="text-classification",
)
_FRAMEWORK: Final = Parameter(
    name="name",
    where="path",
    type=str,
    description="A library. Everything here is listed under `transformers`.",
    example="transformers",
)
_EXPAND: Final = Parameter(
    name="expand",
    where="query",
    type=str,
    description="Sent by clients; the answer holds everything in any case.",
    example="inferenceProviderMapping",
)

_Flag = Annotated[str, msgspec.Meta(extra_json_schema={"enum": ["true", "false", "1", "0"]})]


def _wish(name: str, description: str, example: str) -> Parameter:
    return Parameter(
        name=name, where="header", type=_Flag, description=description, example=example
    )


_WISHES: Final = (
    _wish(
        "x-use-cache",
        "`false`: compute anew, also what is in the cache. In the body: `options.use_cache`.",
        "true",
    ),
    _wish(
        "x-wait-for-model",
        "`true`: wait for a model that has to be loaded first, for 60 seconds unless the server is"
        " set otherwise, rather than be told 503 at once. `false`: be told, also as an official"
        " client that would wait by itself. In the body: `options.wait_for_model`.",
        "true",
    ),
    _wish(
        "x-load-model",
        "`0`: have no model loaded; one that is not in memory answers 200 with"
        ' `{"error": "not loaded yet"}`.',
        "1",
    ),
)
"""How a caller wants a request carried out."""

_NOT_LOADED: Final = Example(
    summary="With x-load-model: 0, of a model that is not in memory",
    value=NOT_LOADED,
)

_QUESTION: Final = Content(
    types=(
        TextClassificationBody,
        ZeroShotBody,
        TokenClassificationBody,
        TextRankingBody,
        TextsBody,
    ),
    examples={name: exchange.asked() for name, exchange in EXCHANGES.items()},
)

_ANSWER: Final = Answer(
    name="Answer",
    description=(
        "Text classification answers a list of labels for each text, also for a single one."
        " Zero-shot classification answers in the form that the client (`User-Agent`) reads."
        " Token classification answers a list of entities, or a list of lists."
        " Text ranking answers the places of the texts, best first."
        " A single text is answered by itself, a list of texts by a list."
    ),
    contents=(
        Content(
            types=(
                list[list[LabelScore]],
                list[LabelScore],
                LabelledSequence,
                list[LabelledSequence],
                list[LabelAndSequence],
                list[EntityGroup],
                list[EntityToken],
                list[list[EntityGroup]],
                list[list[EntityToken]],
                list[RankedText],
                ErrorBody,
            ),
            examples={
                **{name: exchange.answered() for name, exchange in EXCHANGES.items()},
                "notLoaded": _NOT_LOADED,
            },
        ),
        Content(types=(str,), examples={"stream": STREAM}, media_type="text/event-stream"),
    ),
    headers=ASK_HEADERS,
)

_ASKING: Final = (
    "The model does what it is for. One of several tasks tells by the body: `candidate_labels` are"
    " for zero-shot classification.\n\n"
    'With `"stream": true`, token classification answers in Server-Sent Events: one `data:` line'
    " for each entity, then `data: [DONE]`."
)


def _ask(path: str, name: str, summary: str, description: str = "") -> Operation:
    parameters = {"id": _ID, "task": _TASK}
    return Operation(
        method="POST",
        path=path,
        name=name,
        tag=_ASK.name,
        summary=summary,
        description=description,
        parameters=(
            *(parameter for key, parameter in parameters.items() if f"{{{key}}}" in path),
            *_WISHES,
        ),
        body=_QUESTION,
        answers={200: _ANSWER, **ASKING_ERRORS},
    )


def _look(  # noqa: PLR0913 - every part of a look-up
    path: str,
    name: str,
    tag: Tag,
    summary: str,
    *types: object,
    examples: Mapping[str, Json],
    description: str = "",
    parameters: tuple[Parameter, ...] = (),
) -> Operation:
    """Describe a look-up; the names of its examples are their summaries."""
    shown = {_camel(each): Example(summary=each, value=value) for each, value in examples.items()}
    content = Content(types=types, examples=shown)
    answer = Answer(description=summary, contents=(content,), headers=(REQUEST_ID,))
    return Operation(
        method="GET",
        path=path,
        name=name,
        tag=tag.name,
        summary=summary,
        description=description,
        parameters=parameters,
        answers={200: answer, **(MODEL_ERRORS if _ID in parameters else LOOKUP_ERRORS)},
    )


def _camel(words: str) -> str:
    first, *others = words.replace(",", "").split()
    return first.lower() + "".join(each.capitalize() for each in others)


def _info(path: str, name: str, summary: str, parameters: tuple[Parameter, ...]) -> Operation:
    return _look(
        path,
        name,
        _MODELS,
        summary,
        ModelInfo,
        LoadableInfo,
        examples={"In memory": INFO, "Not in memory": LOADABLE_INFO},
        description="Loads nothing: of a model that is not in memory, what its small files say.",
        parameters=parameters,
    )


def _health(
    path: str, name: str, summary: str, description: str, parameters: tuple[Parameter, ...]
) -> Operation:
    look = _look(
        path,
        name,
        _MODELS,
        summary,
        Health,
        examples={"Healthy": HEALTHY},
        description=description,
        parameters=parameters,
    )
    sick = Answer(
        name="Unhealthy",
        description="A model cannot answer, or the server is shutting down.",
        contents=(
            Content(
                types=(Health, ErrorBody),
                examples={
                    "stalled": Example(summary="A run that does not end", value=STALLED),
                    "loading": Example(summary="A model on its way into memory", value=LOADING),
                },
            ),
        ),
        headers=(REQUEST_ID,),
    )
    answers = {status: answer for status, answer in look.answers.items() if status != 401}  # noqa: PLR2004 - health needs no key
    return replace(look, answers={**answers, 503: sick}, open=True)


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
    _ask("/hf-inference/models/{id}", "askRouted", "The same, as clients in id mode ask"),
    _ask(
        "/hf-inference/models/{id}/pipeline/{task}",
        "askRoutedTask",
        "The same, as clients in id mode ask for a task",
    ),
    _ask(
        "/hf-inference/pipeline/{task}/{id}",
        "askRoutedPipeline",
        "The same, as clients in id mode asked for a task in early 2025",
    ),
    _ask(
        "/api/inference-proxy/hf-inference/models/{id}",
        "askProxied",
        "The same, as JavaScript clients in id mode asked in 2025",
    ),
    _look(
        "/",
        "index",
        _MODELS,
        "What is served here, and how to ask",
        ServerIndex,
        examples={"Index": INDEX},
        description="A browser, whose `Accept` names `text/html`, gets a short page instead.",
    ),
    _look(
        "/models",
        "models",
        _MODELS,
        "What is served here",
        list[ModelCard],
        examples={"Models": [CARD, LOADABLE_CARD]},
        description="Also what has to be loaded first; `status` tells it.",
    ),
    _look(
        "/models/{id}",
        "model",
        _MODELS,
        "What a model is for",
        ModelCard,
        examples={"In memory": CARD, "Not in memory": LOADABLE_CARD},
        parameters=(_ID,),
    ),
    _info("/models/{id}/info", "modelInfo", "The facts of a model", (_ID,)),
    _info(
        "/info",
        "info",
        "The facts of the only model named, else of the only reranker, classifier, or the first",
        (),
    ),
    _health(
        "/models/{id}/health",
        "modelHealth",
        "Whether a model can answer",
        "One that only has to be loaded first can; one that is being loaded, or whose last load"
        " failed, cannot.",
        (_ID,),
    ),
    _health(
        "/health",
        "health",
        "Whether every model in memory can answer",
        "A model that is not in memory is nothing that ails the server.",
        (),
    ),
    _health("/ping", "ping", "The same as `/health`", "Where load balancers look.", ()),
    _look(
        "/status/{id}",
        "status",
        _HUB,
        "The state of a model",
        LegacyStatus,
        examples={"Loaded": STATUS},
        description="`get_model_status` of `huggingface_hub` to 0.34. `state` is `Loaded`,"
        " `Loadable` (also while it loads) or `error`.",
        parameters=(_ID,),
    ),
    _look(
        "/framework/{name}",
        "framework",
        _HUB,
        "The models of a library",
        list[DeployedModel],
        examples={"Models": FRAMEWORK},
        description="`list_deployed_models` of `huggingface_hub` to 0.34.",
        parameters=(_FRAMEWORK,),
    ),
    _look(
        "/api/models/{id}",
        "hubModel",
        _HUB,
        "The Hub's page of a model",
        HubModel,
        examples={"Model": HUB_MODEL},
        description="Clients given a model's id read it before they ask.",
        parameters=(_ID, _EXPAND),
    ),
    _look(
        "/api/tasks",
        "hubTasks",
        _HUB,
        "The Hub's page of tasks",
        dict[TaskName, HubTask],
        examples={"Tasks": HUB_TASKS},
        description="Clients given no model read here which one to ask.",
    ),
)
"""Every operation of the dialect."""
