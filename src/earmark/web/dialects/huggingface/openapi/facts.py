"""What look-ups answer, for the model in the box: made of the very types, so never malformed."""

from typing import Final

import msgspec

from earmark import __version__
from earmark.engine.certificate import Certificate
from earmark.engine.info import QueueState, Totals
from earmark.tasks.task import TaskName
from earmark.web.dialects.huggingface.lookups import (
    DeployedModel,
    HubModel,
    HubTask,
    HubTaskModel,
    LegacyStatus,
    ProviderMapping,
)
from earmark.web.openapi import Json
from earmark.web.pages.describe import (
    CacheFacts,
    Health,
    LabelIds,
    LoadableInfo,
    ModelCard,
    ModelInfo,
    ModelType,
    ServerIndex,
)

__all__ = [
    "CARD",
    "FRAMEWORK",
    "HEALTHY",
    "HUB_MODEL",
    "HUB_TASKS",
    "INDEX",
    "INFO",
    "LOADABLE_CARD",
    "LOADABLE_INFO",
    "LOADING",
    "STALLED",
    "STATUS",
]

_MODEL: Final = "earmark/sentiment"
_LOADABLE: Final = "org/name"
_TASK: Final[TaskName] = "text-classification"
_LABELS: Final = ("NEGATIVE", "POSITIVE")
_TYPE: Final = ModelType(
    classifier=LabelIds({"0": "NEGATIVE", "1": "POSITIVE"}, {"NEGATIVE": 0, "POSITIVE": 1})
)


def _json(value: object) -> Json:
    found: Json = msgspec.json.decode(msgspec.json.encode(value))
    return found


_CARD: Final = ModelCard(_MODEL, _TASK, _LABELS, "ready", ())

_SOME_ADDRESSES: Final = ("POST /models/{id}", "GET /models", "GET /openapi.json", "GET /docs")
"""The whole list is the document's own."""

CARD: Final = _json(_CARD)
LOADABLE_CARD: Final = _json(ModelCard(_LOADABLE, _TASK, _LABELS, "loadable", ()))
INDEX: Final = _json(ServerIndex("earmark", __version__, [_CARD], _SOME_ADDRESSES))
HEALTHY: Final = _json(Health("ready", {_MODEL: "ready"}))
STALLED: Final = _json(
    Health(
        "stalled",
        {_MODEL: "stalled"},
        f"model {_MODEL} is stalled: the run in progress has taken 75 s",
    )
)
LOADING: Final = _json(Health("loading", {_LOADABLE: "loading"}, f"model {_LOADABLE} is loading"))
LOADABLE_INFO: Final = _json(
    LoadableInfo(
        model_id=_LOADABLE,
        served_model_name=_LOADABLE,
        model_type=_TYPE,
        max_concurrent_requests=1024,
        max_client_batch_size=1024,
        aliases=(),
        model_sha="714eb0fa89d2f80546fda750413ed43d93601a13",
        task=_TASK,
        pipeline_tag=_TASK,
        tasks=(_TASK,),
        architecture="distilbert",
        labels=_LABELS,
        problem_type=None,
        weights_bytes=267_832_558,
        state="loadable",
        version=__version__,
    )
)
INFO: Final = _json(
    ModelInfo(
        model_id=_MODEL,
        served_model_name=_MODEL,
        model_type=_TYPE,
        model_dtype="int8",
        max_concurrent_requests=1024,
        max_batch_requests=None,
        tokenization_workers=2,
        auto_truncate=True,
        sha=None,
        docker_label=None,
        aliases=(),
        model_sha=None,
        task=_TASK,
        pipeline_tag=_TASK,
        tasks=(_TASK,),
        architecture="bert",
        labels=_LABELS,
        problem_type=None,
        parameters=22_713_986,
        precision="int8",
        requested_precision="auto",
        stored_precision="int8",
        compute_note="",
        certificate=Certificate(
            precision="int8",
            runtime="openvino 2026.4.1",
            device="a processor",
            reference="float32",
            texts=28,
            answers=28,
            greatest_difference=0.042,
            mean_difference=0.0072,
            disagreements=0,
            close_calls=1,
            tolerance=0.1,
            holds=True,
        ),
        passed_over=(),
        runtime="openvino 2026.4.1",
        device="a processor",
        max_input_length=512,
        truncation="A longer text is cut at its end, and the answer's headers say so.",
        max_batch_tokens=1024,
        max_client_batch_size=1024,
        load_s=0.6,
        version=__version__,
        queue=QueueState(
            state="ready",
            waiting_texts=0,
            waiting_tokens=0,
            running_s=0.0,
            totals=Totals(batches=1, texts=2, tokens=10, cells=16, run_s=0.032),
        ),
        cache=CacheFacts(
            hits=1,
            joined=0,
            misses=2,
            hit_rate=0.3333,
            entries=2,
            bytes=1024,
            limit_bytes=64 * 1024 * 1024,
        ),
    )
)
STATUS: Final = _json(
    LegacyStatus(
        loaded=True,
        state="Loaded",
        compute_type={"cpu": {"precision": "int8"}},
        framework="transformers",
    )
)
FRAMEWORK: Final = _json([DeployedModel(_MODEL, _TASK)])
HUB_MODEL: Final = _json(
    HubModel(
        _id=_MODEL,
        id=_MODEL,
        modelId=_MODEL,
        private=False,
        downloads=0,
        likes=0,
        pipeline_tag=_TASK,
        tags=(_TASK,),
        inferenceProviderMapping={"hf-inference": ProviderMapping("live", _MODEL, _TASK)},
    )
)
HUB_TASKS: Final = _json({_TASK: HubTask([HubTaskModel(_MODEL)], [_MODEL])})
