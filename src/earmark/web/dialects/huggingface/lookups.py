"""What clients look up about models: status, lists, and the Hub's own pages.

New clients that are given a model's id ask the Hub whether the model does the task; older ones have
methods for the state of a model. These answers hold what each version was seen to need; no value in
them is made up.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from starlette.responses import Response

from earmark.engine.info import EngineInfo
from earmark.models.status import ModelState, ModelStatus
from earmark.tasks.task import TaskName
from earmark.web.responses import json_response

_FRAMEWORK = "transformers"
"""The library whose checkpoints are served, by the name that clients use in lists."""

_STATES: Final[Mapping[ModelState, str]] = {
    "ready": "Loaded",
    "loadable": "Loadable",
    "loading": "Loadable",
}
"""The Hub's words for states of a model; every other state is an error."""


class LegacyStatus(msgspec.Struct, frozen=True):
    """The state of a model, for `get_model_status`."""

    loaded: bool
    state: str
    compute_type: dict[str, dict[str, str]]
    framework: str


class DeployedModel(msgspec.Struct, frozen=True):
    """A model, for `list_deployed_models`."""

    model_id: str
    task: TaskName


class ProviderMapping(msgspec.Struct, frozen=True, rename="camel"):
    """Who serves a model, and by what name."""

    status: str
    provider_id: str
    task: TaskName


class HubModel(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model as the Hub shows it; only one of the Hub has a commit."""

    _id: str
    id: str
    modelId: str  # noqa: N815 - a name on the wire
    private: bool
    downloads: int
    likes: int
    pipeline_tag: TaskName
    tags: tuple[str, ...]
    inferenceProviderMapping: dict[str, ProviderMapping]  # noqa: N815 - a name on the wire
    sha: str | None = None


class HubTaskModel(msgspec.Struct, frozen=True):
    """A model that the Hub recommends."""

    id: str


class HubTask(msgspec.Struct, frozen=True):
    """The models that the Hub recommends for a task, in two forms."""

    models: list[HubTaskModel]
    widgetModels: list[str]  # noqa: N815 - a name on the wire


def status(found: ModelStatus) -> Response:
    """Answer `get_model_status`; all four keys must be there."""
    facts = {"precision": found.info.precision} if isinstance(found.info, EngineInfo) else {}
    state = _STATES.get(found.state, "error")
    return json_response(LegacyStatus(state == "Loaded", state, {"cpu": facts}, _FRAMEWORK))


def framework(name: str, served: Sequence[ModelStatus]) -> Response:
    """Answer `list_deployed_models`; an unknown framework has an empty list and is no error."""
    listed = [DeployedModel(each.info.model_id, each.info.task) for each in served]
    return json_response(listed if name == _FRAMEWORK else [])


def model(found: ModelStatus) -> Response:
    """Answer the Hub's page of a model."""
    model_id, task = found.info.model_id, found.info.task
    mapping = {"hf-inference": ProviderMapping("live", model_id, task)}
    # The Hub counts downloads and likes; clients of 2024 fail without the two numbers.
    return json_response(
        HubModel(
            model_id,
            model_id,
            model_id,
            private=False,
            downloads=0,
            likes=0,
            pipeline_tag=task,
            tags=(task,),
            inferenceProviderMapping=mapping,
            sha=found.info.revision,
        )
    )


def tasks(served: Sequence[ModelStatus]) -> Response:
    """Answer the Hub's recommended models: those that are served."""
    found: dict[TaskName, HubTask] = {}
    for each in served:
        entry = found.setdefault(each.info.task, HubTask([], []))
        entry.models.append(HubTaskModel(each.info.model_id))
        entry.widgetModels.append(each.info.model_id)
    return json_response(found)
