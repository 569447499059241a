"""Lists of models, their schemas, tasks and authors, in Cloudflare's form.

Only text classification and reranking have a place in this dialect, both under one task.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from earmark.domain.results import LabelScore
from earmark.engine.info import EngineInfo
from earmark.errors import InvalidInput, UnknownModel
from earmark.serving.status import ServedStatus
from earmark.web.dialects.cloudflare.envelope import Paging
from earmark.web.dialects.cloudflare.inputs import ClassifierInput, Ranked, RerankerInput

MOST_PER_PAGE: Final = 100
PER_PAGE: Final = 50
"""Entries on a page by default, as wrangler asks for."""

Row = TypeVar("Row")


class Task(msgspec.Struct, frozen=True):
    """A task of the catalogue."""

    id: str
    name: str
    description: str


TASK: Final = Task(
    "19606750-23ed-4371-aab2-c20349b53a60",
    "Text Classification",
    "Sentiment analysis or text classification is a common NLP task that classifies a text input"
    " into labels or classes.",
)
"""The only task of this dialect; id and name are Cloudflare's own."""


class Property(msgspec.Struct, frozen=True):
    """A fact about a model."""

    property_id: str
    value: str | tuple[str, ...]


class Model(msgspec.Struct, frozen=True):
    """A model of the catalogue; the members are those that clients read."""

    id: str
    source: int
    name: str
    description: str
    task: Task
    tags: tuple[str, ...]
    properties: tuple[Property, ...]


class Author(msgspec.Struct, frozen=True):
    """An author that models are named after."""

    id: str
    name: str
    description: str


class Schema(msgspec.Struct, frozen=True):
    """What a model takes and gives, each as a JSON Schema."""

    input: Mapping[str, object]
    output: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Named:
    """A model under a name of this dialect.

    Attributes:
        name: what a run names it by.
        status: the model that answers.
    """

    name: str
    status: ServedStatus

    @property
    def reranks(self) -> bool:
        """Whether it scores documents."""
        return "text-ranking" in self.status.info.tasks

    @property
    def author(self) -> str:
        """The author: the part of the name before the last slash, without Cloudflare's @."""
        parts = [part for part in self.name.split("/") if not part.startswith("@")]
        return parts[0] if len(parts) > 1 else ""


def runnable(served: Sequence[Named]) -> list[Named]:
    """Leave out models for tasks that this dialect has no form for, such as labelling tokens."""
    return [each for each in served if each.status.info.task == "text-classification"]


def models(served: Sequence[Named], query: Mapping[str, str]) -> list[Model]:
    """List the models that a search asks for.

    Args:
        served: under every name.
        query: `author`, `search` and `task` narrow the list. Other members change nothing: no
            model here is experimental, deprecated or of another source.
    """
    author, task = query.get("author", "").lower(), query.get("task", "").lower()
    sought = query.get("search", "").lower()
    found = [_model(each) for each in runnable(served) if author in ("", each.author.lower())]
    return [
        each
        for each in found
        if task in ("", TASK.name.lower(), TASK.id)
        and sought in f"{each.name} {each.description}".lower()
    ]


def schema(served: Sequence[Named], name: str) -> Schema:
    """Describe what a model takes and gives.

    Raises:
        UnknownModel: no model of this dialect has that name.
    """
    for each in runnable(served):
        if each.name == name:
            return _RERANKER if each.reranks else _CLASSIFIER
    raise UnknownModel(f"No such model {name[:100]} or task")


def tasks() -> list[Task]:
    """List the tasks."""
    return [TASK]


def authors(served: Sequence[Named]) -> list[Author]:
    """List the authors of the models, each once."""
    named = dict.fromkeys(each.author for each in runnable(served) if each.author)
    return [Author(_id_of(f"author {name}"), name, "") for name in named]


def page_of(rows: Sequence[Row], query: Mapping[str, str]) -> tuple[list[Row], Paging]:
    """Cut a page out of a list; past the last one it is empty, which ends a client's iteration.

    Raises:
        InvalidInput: `page` or `per_page` is no number in range.
    """
    page = _number(query, "page", 1, most=1 << 31)
    size = _number(query, "per_page", PER_PAGE, most=MOST_PER_PAGE)
    cut = list(rows[(page - 1) * size : page * size])
    return cut, Paging(len(cut), page, size, len(rows))


def _number(query: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    written = query.get(name, "")
    if not written:
        return default
    number = int(written) if written.isascii() and written.isdecimal() and len(written) < 11 else 0  # noqa: PLR2004 - as many digits as 1 << 31 has
    if not 1 <= number <= most:
        raise InvalidInput(f"{name} is {written[:20]!r}; expected a number from 1 to {most:,}")
    return number


def _model(named: Named) -> Model:
    info = named.status.info
    kind = "Scores how well contexts answer a query" if named.reranks else "Labels a text"
    labels = "" if named.reranks else f" {', '.join(info.labels.names)}"
    facts: dict[str, str | tuple[str, ...]] = {
        "runs": info.model_id,
        "labels": info.labels.names,
        "state": named.status.state,
    }
    made_of = info.architecture
    if isinstance(info, EngineInfo):
        facts |= {"precision": info.precision, "max_input_tokens": str(info.max_input_tokens)}
        made_of = f"{info.architecture}, {info.precision}"
    return Model(
        _id_of(named.name),
        1,
        named.name,
        f"{kind}{labels}: {info.model_id} ({made_of})",
        TASK,
        (),
        tuple(Property(name, value) for name, value in facts.items()),
    )


def _id_of(name: str) -> str:
    """Make an id that stays the same from run to run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"earmark:{name}"))


_OURS: Final = frozenset({"$defs", "title", "description"})
"""Members of a schema that describe our code, not the wire."""


def _schema_of(kind: object) -> dict[str, object]:
    """Write a type as a JSON Schema without references, as Cloudflare's catalogue has them."""
    return _inline(msgspec.json.schema(kind))


def _inline(schema: Mapping[str, object]) -> dict[str, object]:
    definitions = schema.get("$defs", {})

    def resolved(node: object) -> object:
        if isinstance(node, Mapping):
            reference = node.get("$ref")
            if isinstance(reference, str) and isinstance(definitions, Mapping):
                return resolved(definitions[reference.removeprefix("#/$defs/")])
            return {key: resolved(value) for key, value in node.items() if key not in _OURS}
        return [resolved(each) for each in node] if isinstance(node, list) else node

    whole = resolved(schema)
    if not isinstance(whole, dict):
        raise TypeError(f"a schema is {type(whole).__name__}")
    return whole


_CLASSIFIER: Final = Schema(
    _schema_of(ClassifierInput),
    {**_schema_of(list[LabelScore]), "contentType": "application/json"},
)
_RERANKER: Final = Schema(
    _schema_of(RerankerInput), {**_schema_of(Ranked), "contentType": "application/json"}
)
