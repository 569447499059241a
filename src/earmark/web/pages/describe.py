"""Descriptions of the server: models, their facts, their health."""

import os
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec
from starlette.responses import Response

from earmark.engine.certificate import Certificate
from earmark.engine.info import EngineInfo, ModelFacts, QueueState
from earmark.models.status import ModelState, ModelStatus
from earmark.serving.cache.use import CacheState
from earmark.serving.limits import ServiceOptions
from earmark.serving.status import ServedStatus
from earmark.tasks.task import TaskName
from earmark.web.plain_errors import error_headers
from earmark.web.responses import json_response

_HEADERS_TELL: Final = "the answer's headers x-truncated-tokens and x-truncated-inputs say so."

_TRUNCATION: Final[Mapping[TaskName, str]] = {
    "text-classification": (
        f"A longer text is cut at its end, of a pair the longer half first, and {_HEADERS_TELL}"
        ' With "parameters": {"truncation": false} it is refused instead.'
    ),
    "zero-shot-classification": (
        "A text that does not fit beside a hypothesis is cut at its end, the hypothesis never,"
        f" and {_HEADERS_TELL}"
    ),
    "token-classification": (
        f"A longer text is cut at its end, and {_HEADERS_TELL}"
        ' With "parameters": {"stride": 16} it is read whole, in windows that share 16 tokens.'
    ),
}
"""What is done with a text that is longer than the model reads, by the model's task."""


class CacheFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What did not have to be run for this model; entries and bytes are of all models."""

    hits: int
    joined: int
    misses: int
    hit_rate: float
    entries: int
    bytes: int
    limit_bytes: int


class LabelIds(msgspec.Struct, frozen=True):
    """The labels of a model by their places, and the other way round."""

    id2label: dict[str, str]
    label2id: dict[str, int]


class ModelType(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a model is to clients of text-embeddings-inference: one of the two is there."""

    classifier: LabelIds | None = None
    reranker: LabelIds | None = None


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a model, with every member that text-embeddings-inference has."""

    model_id: str
    served_model_name: str
    model_type: ModelType
    model_dtype: str
    max_concurrent_requests: int
    max_batch_requests: int | None
    tokenization_workers: int
    auto_truncate: bool
    sha: str | None
    docker_label: str | None
    aliases: tuple[str, ...]
    model_sha: str | None
    task: str
    pipeline_tag: str
    tasks: tuple[TaskName, ...]
    architecture: str
    labels: tuple[str, ...]
    problem_type: str | None
    parameters: int
    precision: str
    requested_precision: str
    stored_precision: str
    compute_note: str
    certificate: Certificate | None
    passed_over: tuple[Certificate, ...]
    runtime: str
    device: str
    max_input_length: int
    truncation: str
    max_batch_tokens: int
    max_client_batch_size: int
    load_s: float
    version: str
    queue: QueueState | None
    cache: CacheFacts | None


class LoadableInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The same of a model that is not in memory: what its small files say."""

    model_id: str
    served_model_name: str
    model_type: ModelType
    max_concurrent_requests: int
    max_client_batch_size: int
    aliases: tuple[str, ...]
    model_sha: str | None
    task: str
    pipeline_tag: str
    tasks: tuple[TaskName, ...]
    architecture: str
    labels: tuple[str, ...]
    problem_type: str | None
    weights_bytes: int
    state: ModelState
    version: str


class ModelCard(msgspec.Struct, frozen=True):
    """What a model is for, in short."""

    model_id: str
    pipeline_tag: str
    labels: tuple[str, ...]
    status: ModelState
    aliases: tuple[str, ...]


class ServerIndex(msgspec.Struct, frozen=True):
    """What is served, and every address, also of other dialects."""

    server: str
    version: str
    models: list[ModelCard]
    addresses: tuple[str, ...]


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether models can answer, and what is wrong where one cannot."""

    status: ModelState | Literal["draining"]
    models: dict[str, ModelState]
    error: str | None = None


class Alive(msgspec.Struct, frozen=True):
    """That the process answers."""

    status: Literal["alive"]


def _model_type(info: ModelFacts) -> ModelType:
    names = info.labels.names
    ids = LabelIds(
        {str(place): name for place, name in enumerate(names)},
        {name: place for place, name in enumerate(names)},
    )
    reranks = "text-ranking" in info.tasks
    return ModelType(reranker=ids) if reranks else ModelType(classifier=ids)


def model_info(status: ServedStatus, *, limits: ServiceOptions, version: str) -> Response:
    """Answer the facts of a model, but not where its files are."""
    info = status.info
    if not isinstance(info, EngineInfo):
        return json_response(_facts_info(info, status, limits, version))
    return json_response(
        ModelInfo(
            model_id=info.model_id,
            served_model_name=info.model_id,
            model_type=_model_type(info),
            model_dtype=info.precision,
            max_concurrent_requests=limits.admission.max_requests,
            max_batch_requests=None,  # a batch is bounded by its tokens alone
            tokenization_workers=os.cpu_count() or 1,
            auto_truncate=True,
            sha=None,  # from the source of text-embeddings-inference
            docker_label=None,
            aliases=status.aliases,
            model_sha=info.revision,  # only the Hub has revisions
            task=info.task,
            pipeline_tag=info.task,
            tasks=info.tasks,
            architecture=info.architecture,
            labels=info.labels.names,
            problem_type=info.labels.problem_type,
            parameters=info.parameters,
            precision=info.precision,
            requested_precision=info.requested_precision,
            stored_precision=info.stored_precision,
            compute_note=info.compute_note,
            certificate=info.certificate,
            passed_over=info.passed_over,
            runtime=info.runtime,
            device=info.device,
            max_input_length=info.max_input_tokens,
            truncation=_TRUNCATION[info.task],
            max_batch_tokens=info.max_batch_tokens,
            max_client_batch_size=limits.max_inputs,
            load_s=round(info.load_s, 3),
            version=version,
            queue=status.queue,
            cache=_cache(status.cache),
        )
    )


def _facts_info(
    facts: ModelFacts, status: ServedStatus, limits: ServiceOptions, version: str
) -> LoadableInfo:
    return LoadableInfo(
        model_id=facts.model_id,
        served_model_name=facts.model_id,
        model_type=_model_type(facts),
        max_concurrent_requests=limits.admission.max_requests,
        max_client_batch_size=limits.max_inputs,
        aliases=status.aliases,
        model_sha=facts.revision,
        task=facts.task,
        pipeline_tag=facts.task,
        tasks=facts.tasks,
        architecture=facts.architecture,
        labels=facts.labels.names,
        problem_type=facts.labels.problem_type,
        weights_bytes=facts.weights_bytes,
        state=status.state,
        version=version,
    )


def models(statuses: Sequence[ServedStatus]) -> Response:
    """Answer a list of the models that are served, with task and state."""
    return json_response([_card(each) for each in statuses])


def model_card(status: ServedStatus) -> Response:
    """Answer what a model is for, in short."""
    return json_response(_card(status))


def index(
    statuses: Sequence[ServedStatus], *, version: str, addresses: tuple[str, ...]
) -> Response:
    """Answer what is served here and how to ask for it."""
    return json_response(
        ServerIndex("earmark", version, [_card(each) for each in statuses], addresses)
    )


def health(statuses: Sequence[ModelStatus]) -> Response:
    """Answer 200 if every model can answer, else 503 and the reason.

    A model that only has to be loaded first counts as one that can.
    """
    states = {each.info.model_id: each.state for each in statuses}
    broken = [each for each in statuses if each.state not in ("ready", "loadable")]
    if not broken:
        alone = statuses[0].state if len(statuses) == 1 else "ready"
        return json_response(Health(alone, states))
    text = "; ".join(_complaint(each) for each in broken)
    found = Health(broken[0].state, states, text)
    return json_response(found, status=503, headers=error_headers(text))


def draining(statuses: Sequence[ModelStatus]) -> Response:
    """Answer 503, because the server will stop soon."""
    states = {each.info.model_id: each.state for each in statuses}
    text = "the server will stop soon: send new requests to another one"
    return json_response(Health("draining", states, text), status=503, headers=error_headers(text))


def alive() -> Response:
    """Answer that the process answers at all."""
    return json_response(Alive("alive"))


def _cache(state: CacheState | None) -> CacheFacts | None:
    if state is None:
        return None
    return CacheFacts(
        hits=state.hits,
        joined=state.joined,
        misses=state.misses,
        hit_rate=round(state.hit_rate, 4),
        entries=state.store.entries,
        bytes=state.store.bytes,
        limit_bytes=state.store.limit_bytes,
    )


def _card(status: ServedStatus) -> ModelCard:
    info = status.info
    return ModelCard(info.model_id, info.task, info.labels.names, status.state, status.aliases)


def _complaint(status: ModelStatus) -> str:
    model, queue = status.info.model_id, status.queue
    if queue is not None and queue.state == "stalled":
        return f"model {model} is stalled: the run in progress has taken {queue.running_s:.0f} s"
    if status.state == "failing":
        return f"model {model} is failing: its last runs all failed; the server's log says why"
    if status.state == "restarting":
        return f"model {model} is restarting: its engine process ended; requests wait for it"
    return f"model {model} is {status.state}"
