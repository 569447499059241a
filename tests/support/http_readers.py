"""What each version of the official clients can read of an answer.

As their sources have it: `InferenceClient` of `huggingface_hub` (inference/_client.py) and the task
helpers of `@huggingface/inference` (src/tasks/nlp, later src/providers/hf-inference.ts).
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

TaskSuffix = Literal["tc", "zs", "tk"]
"""The recorded models' last letters: text, zero-shot and token classification."""


@dataclass(frozen=True, slots=True)
class Client:
    """An official client.

    Attributes:
        name: of its package.
        version: by its numbers.
    """

    name: Literal["huggingface_hub", "@huggingface/inference"]
    version: tuple[int, ...]


class Scored(msgspec.Struct):
    """A label and its score."""

    label: str
    score: float


class Ranked(msgspec.Struct):
    """Zero-shot classification as the pipeline answers it."""

    sequence: str
    labels: list[str]
    scores: list[float]

    def __post_init__(self) -> None:
        """Clients lay the two lists side by side."""
        if len(self.labels) != len(self.scores):
            raise ValueError("labels and scores differ in number")


class Group(msgspec.Struct):
    """An entity."""

    entity_group: str
    score: float
    word: str
    start: int
    end: int


class Status(msgspec.Struct):
    """What `get_model_status` reads."""

    loaded: bool
    state: str
    compute_type: str | dict[str, object]
    framework: str


class Deployed(msgspec.Struct):
    """What `list_deployed_models` reads."""

    model_id: str
    task: str


class HubMapping(msgspec.Struct, rename="camel"):
    """What a client in id mode needs to know of the provider."""

    status: Literal["live"]
    provider_id: str
    task: str


class HubModel(msgspec.Struct):
    """What `HfApi.model_info` and JavaScript's look-up read of a model."""

    id: str
    private: bool
    downloads: int
    likes: int
    pipeline_tag: str
    tags: list[str]
    inferenceProviderMapping: dict[Literal["hf-inference"], HubMapping]  # noqa: N815 - on the wire


class HubTask(msgspec.Struct):
    """What both read of a task."""

    models: list[dict[Literal["id"], str]]
    widgetModels: list[str]  # noqa: N815 - on the wire


Type: TypeAlias = object
"""Anything that msgspec takes for a type, unions included."""

_ZERO_SHOT_EDGES: dict[str, list[tuple[tuple[int, ...], Type]]] = {
    "huggingface_hub": [((1, 1, 5), Ranked), ((99,), list[Scored])],
    "@huggingface/inference": [
        ((3, 7, 1), Ranked | list[Ranked]),
        ((4, 5, 0), list[Ranked]),
        ((99,), Ranked | list[Scored]),
    ],
}
"""What is read by versions below the one named."""


def readable(answer: object, client: Client, task: TaskSuffix, *, listed: bool) -> object:
    """Read an answer as a client would.

    Args:
        answer: from JSON.
        client: who reads.
        task: what was asked.
        listed: whether several texts were sent.

    Raises:
        msgspec.ValidationError: the client could not.
    """
    return msgspec.convert(answer, _type(client, task, listed=listed))


def _type(client: Client, task: TaskSuffix, *, listed: bool) -> Type:
    if task == "tc":
        return list[list[Scored]]
    if task == "tk":
        return list[Group]
    edges = _ZERO_SHOT_EDGES[client.name]
    one = next(kind for version, kind in edges if client.version < version)
    if not listed:
        return one
    # Those that read labels read one text only; a list of lists is what a list has to be for them.
    return list[list[Scored]] if client.version >= edges[-2][0] else list[Ranked]
