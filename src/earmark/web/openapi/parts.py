"""The parts that a dialect describes its operations with, and their common form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from earmark.web.responses import JSON_TYPE

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

Components: TypeAlias = Mapping[str, Mapping[str, Json]]
"""By their kind, then by their names: ``parameters``, ``headers``, ``securitySchemes`` as the
document has them; and ``tags``, each with its description."""


@dataclass(frozen=True, slots=True)
class Example:
    """A value as it goes over the wire.

    Attributes:
        summary: what it shows.
        value: JSON; of a stream the text itself.
    """

    summary: str
    value: Json


@dataclass(frozen=True, slots=True)
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
class Answer:
    """What comes back with one status.

    Attributes:
        description: when it comes.
        contents: its body, one for each media type; none where there is no body.
        headers: names of those worth knowing, which are described among the components.
        name: of an answer that several operations share.
    """

    description: str
    contents: tuple[Content, ...] = ()
    headers: tuple[str, ...] = ()
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method of an address.

    Attributes:
        method: of HTTP, in upper case.
        path: with its parameters in braces.
        name: the operation's id, unique in the document.
        tag: the group it stands in.
        summary: in a few words.
        answers: by status.
        description: the rest, in Markdown.
        parameters: names of those among the components, such as ``query.page``.
        body: of the request, where it has one.
        open: whether it needs no access key where keys are configured.
        key_headers: names of the schemes that may stand, all together, in a bearer's place.
    """

    method: Literal["GET", "POST"]
    path: str
    name: str
    tag: str
    summary: str
    answers: Mapping[int, Answer]
    description: str = ""
    parameters: tuple[str, ...] = ()
    body: Content | None = None
    open: bool = False
    key_headers: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """The operation as an index lists it."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What operations have in common.

    Attributes:
        tag: of each.
        errors: what may come in place of an answer.
        headers: of an answer that is given by its content alone.
        key_headers: as an operation has them.
    """

    tag: str
    errors: Mapping[int, Answer]
    headers: tuple[str, ...] = ()
    key_headers: tuple[str, ...] = ()

    def operation(
        self,
        path: str,
        name: str,
        summary: str,
        answer: Answer | Content,
        *asked: str,
        description: str = "",
        body: Content | None = None,
    ) -> Operation:
        """Describe a POST where there is a body, else a GET.

        Args:
            path: with its parameters in braces.
            name: the operation's id.
            summary: in a few words; it describes an answer that is given by its content alone.
            answer: with status 200.
            asked: parameters beside those of the path.
            description: the rest, in Markdown.
            body: of the request.
        """
        if isinstance(answer, Content):
            answer = Answer(description=summary, contents=(answer,), headers=self.headers)
        in_path = (f"path.{each}" for each in re.findall(r"{(\w+)}", path))
        return Operation(
            method="GET" if body is None else "POST",
            path=path,
            name=name,
            tag=self.tag,
            summary=summary,
            answers={200: answer, **self.errors},
            description=description,
            parameters=(*in_path, *asked),
            body=body,
            key_headers=self.key_headers,
        )
