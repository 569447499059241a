"""Read an OpenAPI document as its users do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import jsonschema_rs
import pytest

from earmark.web.openapi.parts import Json

Node = Mapping[str, Json]

_AS_SHOWN = 1e-4
"""Examples have four digits; the fake computes in float32."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An example of a document, where it stands.

    Attributes:
        place: method and path, the status of an answer, and the example's name.
        value: as it goes over the wire.
        schema: its schema, with all that a reference in it may mean.
    """

    place: str
    value: Json
    schema: Node

    @property
    def valid(self) -> bool:
        """Whether it fits its schema; to compile one takes longer than to find all examples."""
        return jsonschema_rs.Draft202012Validator(dict(self.schema)).is_valid(self.value)


def resolve(document: Node, node: Json) -> Node:
    """Follow a reference, where there is one."""
    found = mapping(node)
    reference = found.get("$ref")
    if not isinstance(reference, str):
        return found
    for name in reference.removeprefix("#/").split("/"):
        document = mapping(document[name])
    return document


def mapping(node: Json) -> Node:
    """Take a node for an object."""
    assert isinstance(node, dict)
    return node


def sequence(node: Json) -> list[Json]:
    """Take a node for a list."""
    assert isinstance(node, list)
    return node


def operations_of(document: Node) -> Iterator[tuple[str, str, Node]]:
    """List method, path and operation."""
    for path, methods in mapping(document["paths"]).items():
        for method, operation in mapping(methods).items():
            yield method.upper(), path, mapping(operation)


def request_examples(document: Node) -> Iterator[Shown]:
    """List the examples of all requests."""
    for method, path, operation in operations_of(document):
        if "requestBody" in operation:
            body = mapping(operation["requestBody"])
            yield from _examples(document, body, f"{method} {path}")


def answer_examples(document: Node) -> Iterator[Shown]:
    """List the examples of all answers."""
    for method, path, operation in operations_of(document):
        for status, answer in mapping(operation["responses"]).items():
            yield from _examples(document, resolve(document, answer), f"{method} {path} {status}")


def _examples(document: Node, holder: Node, place: str) -> Iterator[Shown]:
    for content in mapping(holder.get("content", {})).values():
        schema = {**mapping(mapping(content)["schema"]), "components": document["components"]}
        for name, example in mapping(mapping(content)["examples"]).items():
            value = mapping(example)["value"]
            yield Shown(f"{place} {name}", value, schema)


def rounded(value: Json) -> object:
    """Round every score: what is left is equal or not."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return pytest.approx(value, abs=_AS_SHOWN) if isinstance(value, float) else value


def names_of(value: Json) -> object:
    """Keep the names of fields, and drop what they hold."""
    if isinstance(value, dict):
        return {name: names_of(each) for name, each in value.items()}
    return [names_of(each) for each in value[:1]] if isinstance(value, list) else None
