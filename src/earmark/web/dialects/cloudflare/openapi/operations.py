"""The operations of this dialect, in the order in which a reader should meet them."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from earmark.web.dialects.cloudflare.catalogue import MOST_PER_PAGE
from earmark.web.dialects.cloudflare.openapi import facts
from earmark.web.dialects.cloudflare.openapi.answers import (
    BOUND_ERRORS,
    CATALOGUE_ERRORS,
    EDGE_HEADERS,
    RUN_ERRORS,
    RUN_HEADERS,
    SCHEMA_ERRORS,
)
from earmark.web.dialects.cloudflare.openapi.bodies import (
    BOUND_ANSWERS,
    BOUND_INPUTS,
    INPUTS,
    RUN_ANSWERS,
    UNIVERSAL_INPUTS,
    AuthorsAnswer,
    FinetunesAnswer,
    ModelsAnswer,
    SchemaAnswer,
    TasksAnswer,
    VerifiedAnswer,
)
from earmark.web.dialects.cloudflare.openapi.examples import CLASSIFIER, RUNS
from earmark.web.openapi import (
    Answer,
    Content,
    Example,
    Json,
    KeyHeader,
    Operation,
    Parameter,
    Tag,
)

__all__ = ["OPERATIONS", "TAGS"]

_RUN: Final = Tag(
    name="Workers AI",
    description="Cloudflare Workers AI over REST: text classification, reranking, and batches.",
)
_BINDING: Final = Tag(
    name="Workers AI binding",
    description="What a Worker's binding `env.AI` reaches in `wrangler dev`.",
)
_CATALOGUE: Final = Tag(
    name="Workers AI catalogue",
    description="Models, their schemas, tasks and authors, as Cloudflare lists them; and keys.",
)
TAGS: Final = (_RUN, _BINDING, _CATALOGUE)

_KEY_HEADERS: Final = (
    KeyHeader(
        scheme="authEmail", name="X-Auth-Email", description="Anyone's: only the key counts."
    ),
    KeyHeader(
        scheme="authKey",
        name="X-Auth-Key",
        description="An access key. Needed only where the server has keys, and no bearer's is.",
    ),
)


_Segment: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[^/]+$")]


def _in_path(name: str, description: str, example: str, of: object = _Segment) -> Parameter:
    return Parameter(name=name, where="path", type=of, description=description, example=example)


def _in_query(
    name: str, of: object, description: str, *, example: Json, required: bool = False
) -> Parameter:
    return Parameter(
        name=name,
        where="query",
        type=of,
        description=description,
        example=example,
        required=required,
    )


_PATH: Final = {
    "account": _in_path(
        "account",
        "Any account, unless the server is set to know some only.",
        "0123456789abcdef0123456789abcdef",
    ),
    "gateway": _in_path("gateway", "Any gateway.", "default"),
    "model": _in_path(
        "model",
        "A model by its name, or by what it is called here. Its slashes can be sent as they are"
        " or as `%2F`.",
        CLASSIFIER,
        str,
    ),
}
_QUEUE: Final = _in_query(
    "queueRequest",
    bool,
    "`true`: the body is a batch, to be answered when there is time.",
    example=False,
)
_NAMED: Final = Parameter(
    name="cf-consn-model-id",
    where="header",
    type=str,
    description="The model; what stands before a colon does not count.",
    example=CLASSIFIER,
    required=True,
)
_PACKAGE: Final = Parameter(
    name="cf-consn-sdk-version",
    where="header",
    type=str,
    description="Of the package `@cloudflare/ai`. To 1.0 the body is a list of tensors and so is"
    " the answer; to 1.1 the answer is gzipped, without a header that says so.",
    example="1.2.2",
)
_FORWARDED: Final = Parameter(
    name="x-forwarded",
    where="header",
    type=str,
    description="The address that the binding meant; its query narrows the list.",
    example="https://workers-binding.ai/ai-api/models/search?per_page=50",
)
_SEARCH: Final = (
    _in_query(
        "search", str, "Only models whose name or description holds it.", example="distilbert"
    ),
    _in_query("author", str, "Only models named after it.", example="huggingface"),
    _in_query(
        "task", str, "Only models for it, by its name or its id.", example="Text Classification"
    ),
    _in_query("page", Annotated[int, msgspec.Meta(ge=1, le=1 << 31)], "From 1.", example=1),
    _in_query(
        "per_page",
        Annotated[int, msgspec.Meta(ge=1, le=MOST_PER_PAGE)],
        "The most on a page; 50 unless said.",
        example=50,
    ),
)

_RUNNING: Final = (
    "`text` is for a text classifier, `query` and `contexts` are for a reranker. A model that is"
    " not in memory is loaded first, and the caller waits for at most 55 s.\n\n"
    "With `queueRequest=true`, `requests` is a batch of such inputs: it is answered when there is"
    " time, and `request_id` asks how far it is. A batch may have 10 MB; it and its answers are"
    " kept for a day after it is answered, unless the server is set otherwise."
)


def _operation(  # noqa: PLR0913 - every part of an operation
    method: Literal["GET", "POST"],
    path: str,
    name: str,
    tag: Tag,
    summary: str,
    *,
    answer: Answer,
    errors: Mapping[int, Answer],
    body: Content | None = None,
    description: str = "",
    parameters: tuple[Parameter, ...] = (),
) -> Operation:
    in_path = tuple(each for key, each in _PATH.items() if f"{{{key}}}" in path)
    return Operation(
        method=method,
        path=path,
        name=name,
        tag=tag.name,
        summary=summary,
        description=description,
        parameters=in_path + parameters,
        body=body,
        answers={200: answer, **errors},
        key_headers=_KEY_HEADERS,
    )


_ANSWER: Final = Answer(
    name="WorkersAiRun",
    description="The model's answer, or how far a batch is, in an envelope.",
    contents=(
        Content(types=RUN_ANSWERS, examples={name: run.enveloped() for name, run in RUNS.items()}),
    ),
    headers=RUN_HEADERS,
)
_BOUND_ANSWER: Final = Answer(
    description="The model's answer, or how far a batch is, without an envelope.",
    contents=(
        Content(types=BOUND_ANSWERS, examples={name: run.answered() for name, run in RUNS.items()}),
    ),
    headers=RUN_HEADERS,
)
_INPUT: Final = Content(types=INPUTS, examples={name: run.asked() for name, run in RUNS.items()})
_UNIVERSAL: Final = Content(
    types=UNIVERSAL_INPUTS, examples={name: run.universal() for name, run in RUNS.items()}
)
_BOUND: Final = Content(
    types=BOUND_INPUTS, examples={name: run.bound() for name, run in RUNS.items()}
)


def _run(
    path: str, name: str, summary: str, description: str = "", body: Content = _INPUT
) -> Operation:
    return _operation(
        "POST",
        path,
        name,
        _RUN,
        summary,
        answer=_ANSWER,
        errors=RUN_ERRORS,
        body=body,
        description=description,
        parameters=(_QUEUE,),
    )


def _look(  # noqa: PLR0913 - every part of a look-up
    path: str,
    name: str,
    summary: str,
    of: object,
    value: Json,
    *parameters: Parameter,
    description: str = "",
    errors: Mapping[int, Answer] = CATALOGUE_ERRORS,
) -> Operation:
    content = Content(types=(of,), examples={name: Example(summary=summary, value=value)})
    return _operation(
        "GET",
        path,
        name,
        _CATALOGUE,
        summary,
        answer=Answer(description=summary, contents=(content,), headers=EDGE_HEADERS),
        errors=errors,
        description=description,
        parameters=parameters,
    )


_ACCOUNT: Final = "/client/v4/accounts/{account}"
_AI: Final = f"{_ACCOUNT}/ai"
_GATEWAY: Final = "/v1/{account}/{gateway}/workers-ai"
_NO_FINETUNES: Final = "They are for models that write text, so that there are none."

OPERATIONS: Final = (
    _run(f"{_AI}/run/{{model}}", "run", "Run a model", _RUNNING),
    _run(f"{_AI}/run", "runNamed", "Run a model that the body names", body=_UNIVERSAL),
    _run(f"{_GATEWAY}/{{model}}", "runThroughGateway", "The same, as through a gateway"),
    _run(
        f"{_GATEWAY}/run/{{model}}",
        "runThroughGatewayToo",
        "The same, as workers-ai-provider asks through a gateway",
    ),
    _operation(
        "POST",
        f"{_AI}/run/proxy",
        "runBound",
        _BINDING,
        "Run a model for a binding",
        answer=_BOUND_ANSWER,
        errors=BOUND_ERRORS,
        body=_BOUND,
        description="`env.AI.run(model, inputs, options)`.",
        parameters=(_NAMED, _PACKAGE),
    ),
    _operation(
        "GET",
        f"{_AI}/run/proxy",
        "boundModels",
        _BINDING,
        "The models, for a binding",
        answer=Answer(
            description="Models, and which page of them this is.",
            contents=(
                Content(
                    types=(ModelsAnswer,),
                    examples={"models": Example(summary="Models", value=facts.MODELS)},
                ),
            ),
            headers=EDGE_HEADERS,
        ),
        errors=BOUND_ERRORS,
        description="`env.AI.models()`.",
        parameters=(_FORWARDED,),
    ),
    _look(
        f"{_AI}/models/search",
        "searchModels",
        "The models",
        ModelsAnswer,
        facts.MODELS,
        *_SEARCH,
        description="For text classification and reranking, each under every name it has. A page"
        " past the last is empty.",
    ),
    _look(
        f"{_AI}/models/schema",
        "modelSchema",
        "What a model takes and gives",
        SchemaAnswer,
        facts.SCHEMA,
        _in_query("model", str, "The model, by its name.", example=CLASSIFIER, required=True),
        errors=SCHEMA_ERRORS,
    ),
    _look(f"{_AI}/tasks/search", "tasks", "The tasks", TasksAnswer, facts.TASKS),
    _look(
        f"{_AI}/authors/search",
        "authors",
        "Whoever models are named after",
        AuthorsAnswer,
        facts.AUTHORS,
    ),
    _look(
        f"{_AI}/finetunes",
        "finetunes",
        "An account's fine-tunes",
        FinetunesAnswer,
        facts.FINETUNES,
        description=_NO_FINETUNES,
    ),
    _look(
        f"{_AI}/finetunes/public",
        "publicFinetunes",
        "Everyone's fine-tunes",
        FinetunesAnswer,
        facts.FINETUNES,
        description=_NO_FINETUNES,
    ),
    _look(
        "/client/v4/user/tokens/verify",
        "verifyKey",
        "Whether a key holds",
        VerifiedAnswer,
        facts.VERIFIED,
        description="One that does not is told 401.",
    ),
    _look(
        f"{_ACCOUNT}/tokens/verify",
        "verifyAccountKey",
        "The same, for an account",
        VerifiedAnswer,
        facts.VERIFIED,
    ),
)
"""Every operation of the dialect."""
