"""An OpenAPI document from what a dialect says of its operations.

Pure: operations in, a document out. Schemas are derived from the very types that the dialect
decodes and encodes, so that they cannot drift from them; they, and answers that have a `name`, are
written once, under ``components``, and referred to. What is not derived from anything, such as
what a header says, is given as it is written there. Source: the OpenAPI Specification, 3.1.1.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from earmark.web.openapi.parts import Answer, Components, Content, Json, Operation

_NO_KEY: Final[dict[str, Json]] = {}
_BEARER: Final[dict[str, Json]] = {"accessKey": []}


def build_document(
    operations: Sequence[Operation],
    *,
    components: Iterable[Components],
    description: str,
    version: str,
) -> dict[str, Json]:
    """Write the document.

    Args:
        operations: in the order in which a reader should meet them.
        components: what operations name.
        description: of the whole, in Markdown.
        version: of earmark.

    Raises:
        ValueError: two things that differ have one name, or an operation names what there is not.
    """
    writer = _Writer(operations)
    for each in components:
        for kind, parts in each.items():
            for name, part in parts.items():
                writer.keep(kind, name, part)
    paths: dict[str, dict[str, Json]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = writer.operation(operation)
    tags = writer.components.pop("tags")
    return {
        "openapi": "3.1.1",
        "info": {"title": "earmark", "version": version, "description": description},
        # Relative to the document: right also behind a proxy that adds a prefix.
        "servers": [{"url": "."}],
        "security": [_NO_KEY, _BEARER],
        "tags": [{"name": name, "description": text} for name, text in tags.items()],
        "paths": {path: dict(methods) for path, methods in paths.items()},
        "components": {kind: dict(parts) for kind, parts in writer.components.items()},
    }


class _Writer:
    """Writes operations, and keeps what they refer to."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        types = {repr(each): each for operation in operations for each in _types(operation)}
        # A schema for each type, in the order of the types; those of structs are references.
        schemas, named = msgspec.json.schema_components(
            types.values(),
            schema_hook=_anything,
            ref_template="#/components/schemas/{name}",
        )
        for schema in named.values():
            # Of a docstring what it says first: the rest is written for readers of the code.
            schema["description"] = schema["description"].partition("\n\n")[0]
        self._by_type: dict[str, Json] = dict(zip(types, schemas, strict=True))
        self.components: dict[str, dict[str, Json]] = {"schemas": named, "responses": {}}

    def keep(self, kind: str, name: str, value: Json) -> Json:
        """Write what has a name, and refer to it."""
        if self.components.setdefault(kind, {}).setdefault(name, value) != value:
            raise ValueError(f"{kind}/{name} is described in two ways")
        return self._refer(kind, name)

    def _refer(self, kind: str, name: str) -> Json:
        if name not in self.components.get(kind, {}):
            raise ValueError(f"{kind}/{name} is not described")
        return {"$ref": f"#/components/{kind}/{name}"}

    def operation(self, operation: Operation) -> Json:
        """Write an operation."""
        self._refer("tags", operation.tag)
        written: dict[str, Json] = {
            "operationId": operation.name,
            "tags": [operation.tag],
            "summary": operation.summary,
        }
        if operation.description:
            written["description"] = operation.description
        if operation.parameters:
            named = operation.parameters
            written["parameters"] = [self._refer("parameters", each) for each in named]
        if operation.body is not None:
            written["requestBody"] = {"required": True, "content": self._content([operation.body])}
        written["responses"] = {
            str(status): self._answer(answer)
            for status, answer in sorted(operation.answers.items())
        }
        if operation.open:
            written["security"] = []
        elif operation.key_headers:
            written["security"] = [_NO_KEY, _BEARER, {each: [] for each in operation.key_headers}]
        return written

    def _answer(self, answer: Answer) -> Json:
        written: dict[str, Json] = {"description": answer.description}
        if answer.headers:
            written["headers"] = {each: self._refer("headers", each) for each in answer.headers}
        if answer.contents:
            written["content"] = self._content(answer.contents)
        return written if answer.name is None else self.keep("responses", answer.name, written)

    def _content(self, contents: Iterable[Content]) -> dict[str, Json]:
        return {
            each.media_type: {
                "schema": self._schema(each.types),
                "examples": {
                    name: {"summary": example.summary, "value": example.value}
                    for name, example in each.examples.items()
                },
            }
            for each in contents
        }

    def _schema(self, types: Sequence[object]) -> Json:
        schemas = [self._by_type[repr(each)] for each in types]
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _anything(of: type) -> dict[str, object]:
    """Write the schema of what a dialect passes on without looking at it."""
    if of is object:
        return {"description": "Whatever JSON holds."}  # msgspec takes an empty one for none
    raise NotImplementedError  # msgspec's own way to be told that a hook does not know a type


def _types(operation: Operation) -> Iterator[object]:
    if operation.body is not None:
        yield from operation.body.types
    for answer in operation.answers.values():
        for content in answer.contents:
            yield from content.types
