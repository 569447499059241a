"""An OpenAPI document from what a dialect says of its operations.

Pure: operations in, a document out. Schemas are derived from the very types that the dialect
decodes and encodes, so that they cannot drift from them. Whatever carries a `name` is written once,
under ``components``, and referred to. Source: the OpenAPI Specification, 3.1.1.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import msgspec

from earmark.web.responses import JSON_TYPE

__all__ = [
    "Answer",
    "Content",
    "Example",
    "ExampleExchange",
    "Header",
    "Json",
    "KeyHeader",
    "Operation",
    "Parameter",
    "Tag",
    "build_document",
]

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

_SECURITY: Final = "accessKey"
_NO_KEY: Final[dict[str, Json]] = {}
_BEARER: Final[dict[str, Json]] = {_SECURITY: []}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A value as it goes over the wire.

    Attributes:
        summary: what it shows.
        value: JSON; of a stream the text itself.
    """

    summary: str
    value: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleExchange:
    """A request and its answer.

    Attributes:
        summary: what it shows.
        request: a body.
        answer: of a model that is exactly so sure.
    """

    summary: str
    request: Json
    answer: Json

    def asked(self) -> Example:
        """Show the request."""
        return Example(summary=self.summary, value=self.request)

    def answered(self) -> Example:
        """Show the answer."""
        return Example(summary=self.summary, value=self.answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A body, of a request or of an answer.

    Attributes:
        types: what msgspec decodes or encodes; of several types any one.
        examples: by their names.
        media_type: of the body.
    """

    types: tuple[object, ...]
    examples: Mapping[str, Example]
    media_type: str = JSON_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header of an answer.

    Attributes:
        name: as it is written on the wire.
        type: of the value once it is read.
        description: what it says, with its unit.
        example: a value.
    """

    name: str
    type: object
    description: str
    example: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A part of an address, of its query, or a header of a request.

    Attributes:
        name: as it is written on the wire.
        where: the place it has in the request.
        type: of the value once it is read.
        description: what it means.
        example: a value.
        required: whether a request without it is refused; a part of the path always is there.
    """

    name: str
    where: Literal["path", "query", "header"]
    type: object
    description: str
    example: Json
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What comes back with one status.

    Attributes:
        description: when it comes.
        contents: its body, one for each media type; none where there is no body.
        headers: those worth knowing.
        name: of an answer that several operations share.
    """

    description: str
    contents: tuple[Content, ...] = ()
    headers: tuple[Header, ...] = ()
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHeader:
    """A header that an access key comes in, other than as a bearer's.

    Attributes:
        scheme: its name in the document.
        name: as it is written on the wire.
        description: what it holds.
    """

    scheme: str
    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method of an address.

    Attributes:
        method: of HTTP, in upper case.
        path: with its parameters in braces.
        name: the operation's id, unique in the document.
        tag: the group it stands in.
        summary: in a few words.
        description: the rest, in Markdown.
        parameters: of the path, the query and the headers.
        body: of the request, where it has one.
        answers: by status.
        open: whether it needs no access key where keys are configured.
        key_headers: that may stand, all together, in the place of a bearer's key.
    """

    method: Literal["GET", "POST"]
    path: str
    name: str
    tag: str
    summary: str
    answers: Mapping[int, Answer]
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: Content | None = None
    open: bool = False
    key_headers: tuple[KeyHeader, ...] = ()

    @property
    def address(self) -> str:
        """The operation as an index lists it."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A group of operations."""

    name: str
    description: str


@dataclass(slots=True)
class _Components:
    """What is written once, as it is met; and how the rest refers to it."""

    schemas: dict[str, Json]
    by_type: dict[str, Json]
    headers: dict[str, Json] = field(default_factory=dict)
    parameters: dict[str, Json] = field(default_factory=dict)
    responses: dict[str, Json] = field(default_factory=dict)
    schemes: dict[str, Json] = field(default_factory=dict)

    def schema(self, types: Sequence[object]) -> Json:
        schemas = [self.by_type[repr(each)] for each in types]
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}

    def content(self, contents: Iterable[Content]) -> dict[str, Json]:
        return {
            each.media_type: {
                "schema": self.schema(each.types),
                "examples": {
                    name: {"summary": example.summary, "value": example.value}
                    for name, example in each.examples.items()
                },
            }
            for each in contents
        }

    def header(self, header: Header) -> Json:
        written: Json = {
            "description": header.description,
            "schema": self.schema([header.type]),
            "example": header.example,
        }
        return _once(self.headers, "headers", header.name, written)

    def parameter(self, parameter: Parameter) -> Json:
        name = f"{parameter.where}.{parameter.name}"
        written: Json = {
            "name": parameter.name,
            "in": parameter.where,
            "required": parameter.required or parameter.where == "path",
            "description": parameter.description,
            "schema": self.schema([parameter.type]),
            "example": parameter.example,
        }
        return _once(self.parameters, "parameters", name, written)

    def answer(self, answer: Answer) -> Json:
        written: dict[str, Json] = {"description": answer.description}
        if answer.headers:
            written["headers"] = {each.name: self.header(each) for each in answer.headers}
        if answer.contents:
            written["content"] = self.content(answer.contents)
        if answer.name is None:
            return written
        return _once(self.responses, "responses", answer.name, written)

    def security(self, operation: Operation) -> list[Json]:
        """List the ways to get in; where the server has no keys, none is needed."""
        for each in operation.key_headers:
            written: Json = {
                "type": "apiKey",
                "in": "header",
                "name": each.name,
                "description": each.description,
            }
            _once(self.schemes, "securitySchemes", each.scheme, written)
        return [_NO_KEY, _BEARER, {each.scheme: [] for each in operation.key_headers}]

    def operation(self, operation: Operation) -> Json:
        written: dict[str, Json] = {
            "operationId": operation.name,
            "tags": [operation.tag],
            "summary": operation.summary,
        }
        if operation.description:
            written["description"] = operation.description
        if operation.parameters:
            written["parameters"] = [self.parameter(each) for each in operation.parameters]
        if operation.body is not None:
            written["requestBody"] = {"required": True, "content": self.content([operation.body])}
        written["responses"] = {
            str(status): self.answer(answer) for status, answer in sorted(operation.answers.items())
        }
        if operation.open:
            written["security"] = []
        elif operation.key_headers:
            written["security"] = self.security(operation)
        return written


def _once(written: dict[str, Json], kind: str, name: str, value: Json) -> Json:
    """Write what has a name, and refer to it.

    Raises:
        ValueError: the name stands for something else already.
    """
    if written.setdefault(name, value) != value:
        raise ValueError(f"{kind}/{name} is described in two ways")
    return {"$ref": f"#/components/{kind}/{name}"}


def build_document(
    operations: Sequence[Operation], *, description: str, tags: Sequence[Tag], version: str
) -> dict[str, Json]:
    """Write the document.

    Args:
        operations: in the order in which a reader should meet them.
        description: of the whole, in Markdown.
        tags: the groups, in the same order.
        version: of earmark.

    Raises:
        ValueError: two things that differ have one name.
    """
    components = _components(operations)
    paths: dict[str, dict[str, Json]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = components.operation(each)
    return {
        "openapi": "3.1.1",
        "info": {"title": "earmark", "version": version, "description": description},
        # Relative to the document: right also behind a proxy that adds a prefix.
        "servers": [{"url": "."}],
        "security": [_NO_KEY, _BEARER],
        "tags": [{"name": tag.name, "description": tag.description} for tag in tags],
        "paths": {path: dict(methods) for path, methods in paths.items()},
        "components": {
            "schemas": components.schemas,
            "headers": components.headers,
            "parameters": components.parameters,
            "responses": components.responses,
            "securitySchemes": {
                _SECURITY: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access key. Needed only where the server has keys.",
                },
                **components.schemes,
            },
        },
    }


def _components(operations: Sequence[Operation]) -> _Components:
    types = {repr(each): each for operation in operations for each in _types(operation)}
    # A schema for each type, in the order of the types; those of structs are references.
    schemas, components = msgspec.json.schema_components(
        types.values(),
        schema_hook=_anything,
        ref_template="#/components/schemas/{name}",
    )
    for schema in components.values():
        # Of a docstring what it says first: the rest is written for whoever reads the code.
        schema["description"] = schema["description"].partition("\n\n")[0]
    return _Components(components, dict(zip(types, schemas, strict=True)))


def _anything(of: type) -> dict[str, object]:
    """Write the schema of what a dialect passes on without looking at it."""
    if of is object:
        return {"description": "Whatever JSON holds."}  # msgspec takes an empty one for none
    raise NotImplementedError  # msgspec's own way to be told that a hook does not know a type


def _types(operation: Operation) -> Iterator[object]:
    for parameter in operation.parameters:
        yield parameter.type
    if operation.body is not None:
        yield from operation.body.types
    for answer in operation.answers.values():
        for header in answer.headers:
            yield header.type
        for content in answer.contents:
            yield from content.types
