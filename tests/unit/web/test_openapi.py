"""From operations to a document: shared parts are written once and referred to."""

from dataclasses import replace

import msgspec
import pytest

from earmark.web.openapi.document import build_document
from earmark.web.openapi.parts import Answer, Components, Content, Example, Group, Operation


class Fruit(msgspec.Struct):
    """What grows.

    And what only a reader of the code wants to know.
    """

    name: str


class Stone(msgspec.Struct):
    """What does not."""

    weight_g: int


_MISSING = Answer(name="Missing", description="There is none.", headers=("x-weather",))
_COMPONENTS: Components = {
    "tags": {"garden": "Outside."},
    "headers": {"x-weather": {"description": "Outside.", "example": "rain"}},
    "parameters": {"path.id": {"name": "id", "in": "path", "required": True, "example": 3}},
    "securitySchemes": {"who": {"type": "apiKey", "in": "header", "name": "X-Who"}},
}


def _operation(path: str, name: str, *types: object, open_to_all: bool = False) -> Operation:
    content = Content(types, {"one": Example("One", {"name": "fig"})})
    return Operation(
        method="GET",
        path=path,
        name=name,
        tag="garden",
        summary="Look",
        parameters=("path.id",),
        answers={404: _MISSING, 200: Answer(description="There.", contents=(content,))},
        open=open_to_all,
    )


def _document(*operations: Operation, more: Components | None = None) -> dict[str, object]:
    document = build_document(
        operations,
        components=[_COMPONENTS, *([more] if more else [])],
        description="A garden.",
        version="1.2.3",
    )
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
    """All together, beside the bearer's or none."""
    asked = replace(_operation("/a/{id}", "a", Fruit), key_headers=("who", "what"))
    parts = msgspec.json.decode(msgspec.json.encode(_document(asked)))
    assert parts["paths"]["/a/{id}"]["get"]["security"] == [
        {},
        {"accessKey": []},
        {"who": [], "what": []},
    ]


def test_components_are_written_as_they_are_given() -> None:
    """Those of all who give some; tags are a list at the top, in the same order."""
    more: Components = {
        "tags": {"shed": "Inside."},
        "parameters": {"query.q": {"name": "q", "in": "query", "required": False}},
    }
    document = _document(_operation("/a/{id}", "a", Fruit), more=more)
    parts = msgspec.json.decode(msgspec.json.encode(document))
    assert parts["tags"] == [
        {"name": "garden", "description": "Outside."},
        {"name": "shed", "description": "Inside."},
    ]
    assert "tags" not in parts["components"]
    assert parts["components"]["parameters"] == {
        **_COMPONENTS["parameters"],
        **more["parameters"],
    }
    assert parts["components"]["headers"] == _COMPONENTS["headers"]
    assert parts["components"]["securitySchemes"] == _COMPONENTS["securitySchemes"]


def test_an_operation_of_a_group_takes_the_parameters_of_its_path() -> None:
    """In the order of the path, before those that are asked for besides."""
    content = Content((Fruit,), {})
    group = Group(tag="garden", errors={404: _MISSING}, headers=("x-weather",))
    look = group.operation("/{bed}/{row}", "look", "A fruit", content, "query.q")
    assert (look.address, look.tag) == ("GET /{bed}/{row}", "garden")
    assert look.parameters == ("path.bed", "path.row", "query.q")
    assert look.answers == {
        200: Answer(description="A fruit", contents=(content,), headers=("x-weather",)),
        404: _MISSING,
    }
    planted = group.operation("/", "plant", "Plant", _MISSING, body=content)
    assert (planted.method, planted.body, planted.answers[200]) == ("POST", content, _MISSING)


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
    weather: Components = {"headers": {"x-weather": {"description": "Inside."}}}
    with pytest.raises(ValueError, match="headers/x-weather is described in two ways"):
        _document(first, more=weather)


def test_a_name_for_nothing_is_refused() -> None:
    """Else the document would refer to what is not there."""
    asked = replace(_operation("/a/{id}", "a", Fruit), parameters=("query.nobody",))
    with pytest.raises(ValueError, match=r"parameters/query\.nobody is not described"):
        _document(asked)
