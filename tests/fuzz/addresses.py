"""What is fuzzed: the addresses of the running server, from its OpenAPI document and its routes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import jsonschema_rs
import msgspec
from fuzz.values import Tree, tree_of
from starlette.routing import Route
from support.fake_engine import FakeEngine
from support.openapi_reading import Node, mapping, operations_of, resolve, sequence

from earmark.models.registry import Registry
from earmark.serving.service import Service
from earmark.web.app import create_app
from earmark.web.openapi.parts import Json

_PARAMETER = re.compile(r"\{(\w+)(?::path)?\}")
_ANYTHING = "x"
_BODY_WEIGHT = 5


class Answer:
    """An answer that the document describes.

    Attributes:
        schemas: of the body by media type; empty where there is no body.
    """

    def __init__(self, schemas: Mapping[str, str]) -> None:
        """Keep the schemas as JSON; most are never needed."""
        self.schemas = schemas
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def complaint(self, media_type: str, value: object) -> str | None:
        """Say how a body differs from its schema; None where it does not."""
        validator = self._validators.get(media_type)
        if validator is None:
            validator = jsonschema_rs.Draft202012Validator(
                msgspec.json.decode(self.schemas[media_type])
            )
            self._validators[media_type] = validator
        if validator.is_valid(value):
            return None
        return next(str(error.message)[:300] for error in validator.iter_errors(value))


@dataclass(frozen=True, eq=False)  # each is itself alone
class Operation:
    """A method of an address.

    Attributes:
        path: a template, whose last parameter may hold slashes.
        documented: whether the document has it.
        examples: correct bodies.
        names: of all members that its bodies may have.
        headers: names that it reads.
        query: names and examples of its parameters.
        places: examples of the parameters in its path, by name.
        answers: by status.
    """

    method: str
    path: str
    documented: bool = False
    examples: tuple[Json, ...] = ()
    names: tuple[str, ...] = ()
    headers: tuple[bytes, ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    places: tuple[tuple[str, str], ...] = ()
    answers: Mapping[int, Answer] | None = None

    @property
    def name(self) -> str:
        """Its method and template."""
        return f"{self.method} {self.path}"

    @cached_property
    def trees(self) -> tuple[Tree, ...]:
        """The examples, to be changed."""
        return tuple(map(tree_of, self.examples))


def operations(document: Node) -> list[Operation]:
    """List every operation of the document, then the routes of the app that it does not have."""
    found = [_operation(document, *one) for one in operations_of(document)]
    known = [re.compile(_PARAMETER.sub(".+", one.path)) for one in found]
    for method, path in _routes():
        filled = _PARAMETER.sub(_ANYTHING, path)
        if not any(pattern.fullmatch(filled) for pattern in known):
            found.append(Operation(method, _PARAMETER.sub(r"{\1}", path)))
    return found


def _routes() -> Iterator[tuple[str, str]]:
    app = create_app(Service(Registry([FakeEngine()])))
    for route in app.routes:
        if isinstance(route, Route):
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield method, route.path


def _operation(document: Node, method: str, path: str, operation: Node) -> Operation:
    body = resolve(document, operation.get("requestBody", {}))
    contents = [mapping(one) for one in mapping(body.get("content", {})).values()]
    examples = [
        mapping(example)["value"]
        for content in contents
        for example in mapping(content.get("examples", {})).values()
    ]
    names = {name for content in contents for name in _names(document, content["schema"], set())}
    parameters = [resolve(document, one) for one in sequence(operation.get("parameters", []))]

    def named(place: str) -> list[tuple[str, str]]:
        return [(str(p["name"]), str(p.get("example", ""))) for p in parameters if p["in"] == place]

    return Operation(
        method,
        path,
        documented=True,
        examples=tuple(examples),
        names=tuple(sorted(names)),
        headers=tuple(name.encode() for name, _ in named("header")),
        query=tuple(named("query")),
        places=tuple(named("path")),
        answers={
            int(status): _answer(document, resolve(document, one))
            for status, one in mapping(operation["responses"]).items()
        },
    )


def _answer(document: Node, answer: Node) -> Answer:
    schemas = {
        media_type: {**mapping(mapping(one)["schema"]), "components": document["components"]}
        for media_type, one in mapping(answer.get("content", {})).items()
    }
    return Answer({name: msgspec.json.encode(one).decode() for name, one in schemas.items()})


def _names(document: Node, schema: Json, seen: set[str]) -> Iterator[str]:
    """List the names of members anywhere in a schema."""
    if isinstance(schema, list):
        for one in schema:
            yield from _names(document, one, seen)
    if not isinstance(schema, dict):
        return
    reference = schema.get("$ref")
    if isinstance(reference, str):
        if reference not in seen:
            seen.add(reference)
            yield from _names(document, dict(resolve(document, schema)), seen)
        return
    properties = schema.get("properties")
    if isinstance(properties, dict):
        yield from properties
        yield from _names(document, list(properties.values()), seen)
    for name, one in schema.items():
        if name != "properties":
            yield from _names(document, one, seen)


def dealt(found: Sequence[Operation]) -> tuple[Operation, ...]:
    """Return the operations as often as they are to be drawn: more often where they take a body."""
    return tuple(one for one in found for _ in range(_BODY_WEIGHT if one.examples else 1))
