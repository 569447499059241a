"""From operations to a document: shared parts are written once and referred to."""

from dataclasses import replace

import msgspec
import pytest

from earmark.web.openapi import (
    Answer,
    Content,
    Example,
    Header,
    KeyHeader,
    Operation,
    Parameter,
    Tag,
    build_document,
)


class Fruit(msgspec.Struct):
    """What grows.

    And what only a reader of the code wants to know.
    """

    name: str


class Stone(msgspec.Struct):
    """What does not."""

    weight_g: int


_WEATHER = Header(name="x-weather", type=str, description="Outside.", example="rain")
_MISSING = Answer(name="Missing", description="There is none.", headers=(_WEATHER,))
_ID = Parameter(name="id", where="path", type=int, description="Which.", example=3)


def _operation(path: str, name: str, *types: object, open_to_all: bool = False) -> Operation:
    content = Content(types=types, examples={"one": Example(summary="One", value={"name": "fig"})})
    return Operation(
        method="GET",
        path=path,
        name=name,
        tag="garden",
        summary="Look",
        parameters=(_ID,),
        answers={404: _MISSING, 200: Answer(description="There.", contents=(content,))},
        open=open_to_all,
    )


def _document(*operations: Operation) -> dict[str, object]:
    tags = [Tag(name="garden", description="Outside.")]
    document = build_document(operations, description="A garden.", tags=tags, version="1.2.3")
    return dict(document)


def test_a_type_is_written_once_and_referred_to() -> None:
    """A type is written once, with its docstring's first paragraph, and referred to by name."""
    document = _document(_operation("/a/{id}", "a", Fruit), _operation("/b/{id}", "b", list[Fruit]))
    parts = msgspec.json.decode(msgspec.json.encode(document))
    assert list(parts["components"]["schemas"]) == ["Fruit"]
    assert parts["components"]["schemas"]["Fruit"]["description"] == "What grows."
    reference = {"$ref": "#/components/schemas/Fruit"}
    shown = {
        path: methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        for path, methods in parts["paths"].items()
    }
    assert shown == {"/a/{id}": reference, "/b/{id}": {"type": "array", "items": reference}}


def test_of_several_types_any_one_will_do() -> None:
    """Several types become `anyOf`, in the order given."""
    parts = msgspec.json.decode(
        msgspec.json.encode(_document(_operation("/a/{id}", "a", Stone, Fruit)))
    )
    content = parts["paths"]["/a/{id}"]["get"]["responses"]["200"]["content"]
    assert content["application/json"]["schema"] == {
        "anyOf": [{"$ref": "#/components/schemas/Stone"}, {"$ref": "#/components/schemas/Fruit"}]
    }


def test_named_answers_parameters_and_headers_are_shared() -> None:
    """Named answers, parameters and headers are shared; statuses come in ascending order."""
    document = _document(_operation("/a/{id}", "a", Fruit), _operation("/b/{id}", "b", Fruit))
    parts = msgspec.json.decode(msgspec.json.encode(document))
    for methods in parts["paths"].values():
        assert list(methods["get"]["responses"]) == ["200", "404"]
        assert methods["get"]["responses"]["404"] == {"$ref": "#/components/responses/Missing"}
        assert methods["get"]["parameters"] == [{"$ref": "#/components/parameters/path.id"}]
    assert parts["components"]["responses"]["Missing"]["headers"] == {
        "x-weather": {"$ref": "#/components/headers/x-weather"}
    }
    assert parts["components"]["parameters"]["path.id"]["required"] is True


def test_an_operation_that_is_open_asks_for_no_key() -> None:
    """An open operation needs no key in a document that allows one."""
    document = _document(
        _operation("/a/{id}", "a", Fruit), _operation("/b/{id}", "b", Fruit, open_to_all=True)
    )
    parts = msgspec.json.decode(msgspec.json.encode(document))
    assert "security" not in parts["paths"]["/a/{id}"]["get"]
    assert parts["paths"]["/b/{id}"]["get"]["security"] == []
    assert parts["info"] == {"title": "earmark", "version": "1.2.3", "description": "A garden."}


def test_a_key_may_come_in_headers_of_its_own() -> None:
    """A key in headers of its own is an alternative to a bearer's key and to none."""
    headers = tuple(
        KeyHeader(scheme=scheme, name=name, description="A part.")
        for scheme, name in (("who", "X-Who"), ("what", "X-What"))
    )
    asked = replace(_operation("/a/{id}", "a", Fruit), key_headers=headers)
    parts = msgspec.json.decode(msgspec.json.encode(_document(asked)))
    assert parts["paths"]["/a/{id}"]["get"]["security"] == [
        {},
        {"accessKey": []},
        {"who": [], "what": []},
    ]
    assert parts["components"]["securitySchemes"]["what"] == {
        "type": "apiKey",
        "in": "header",
        "name": "X-What",
        "description": "A part.",
    }


def test_a_parameter_outside_the_path_may_be_required() -> None:
    """A parameter outside the path is required only where it says so."""
    query = Parameter(name="q", where="query", type=str, description="Which.", example="fig")
    asked = replace(_operation("/a", "a", Fruit), parameters=(query,))
    other = replace(query, name="r", required=True)
    document = _document(asked, replace(asked, path="/b", parameters=(other,)))
    parts = msgspec.json.decode(msgspec.json.encode(document))
    written = parts["components"]["parameters"]
    assert {name: each["required"] for name, each in written.items()} == {
        "query.q": False,
        "query.r": True,
    }


def test_what_is_passed_on_unread_may_be_anything() -> None:
    """A value that is passed on unread may be anything; a type without a JSON form is an error."""
    document = _document(_operation("/a/{id}", "a", dict[str, object]))
    parts = msgspec.json.decode(msgspec.json.encode(document))
    content = parts["paths"]["/a/{id}"]["get"]["responses"]["200"]["content"]
    members = content["application/json"]["schema"]["additionalProperties"]
    assert members == {"description": "Whatever JSON holds."}
    with pytest.raises(TypeError, match="custom types"):
        _document(_operation("/a/{id}", "a", dict[str, complex]))


def test_one_name_for_two_things_is_refused() -> None:
    """Two different parts with one name are refused."""
    other = replace(_MISSING, description="There was one.")
    first = _operation("/a/{id}", "a", Fruit)
    second = replace(first, path="/b/{id}", answers={404: other})
    with pytest.raises(ValueError, match="responses/Missing is described in two ways"):
        _document(first, second)
