"""Zero-shot classification: every form of a request, and the four forms of an answer."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earmark.domain.results import LabelScore, Ranking
from earmark.errors import InvalidInput
from earmark.tasks.zero_shot import ZeroShot
from earmark.web.body import ParsedBody
from earmark.web.dialects.huggingface.decoded import Decoded
from earmark.web.dialects.huggingface.zero_shot import (
    decode_zero_shot,
    zero_shot_body,
)
from earmark.web.options import ZeroShotForm

_AT_LEAST_ONE = "You must include at least one label and at least one sequence."


def _decode(inputs: object = "a", **parameters: object) -> Decoded[ZeroShot]:
    body = {"inputs": inputs, "parameters": {"candidate_labels": ["x", "y"], **parameters}}
    return decode_zero_shot(ParsedBody.of(msgspec.json.encode(body)))


def _complaint(body: object) -> str:
    with pytest.raises(InvalidInput) as caught:
        decode_zero_shot(ParsedBody.of(msgspec.json.encode(body)))
    return str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "texts", "listed"),
    [
        ("a", ("a",), False),
        (["a"], ("a",), True),
        (["a", "b"], ("a", "b"), True),
        ({"text": "a"}, ("a",), False),
        ({"text": "a", "text_pair": "b"}, ("a",), False),
        ({"sequences": "a"}, ("a",), False),
        ({"sequences": ["a", "b"]}, ("a", "b"), True),
        ({"text": "a", "sequences": ["b"]}, ("a",), False),
        (" ", (" ",), False),
    ],
)
def test_every_form_of_the_inputs_is_read(
    inputs: object, texts: tuple[str, ...], *, listed: bool
) -> None:
    """Inputs are a text or a list, bare or wrapped; the request keeps whether it was a list."""
    decoded = _decode(inputs)
    assert (decoded.request.inputs, decoded.listed) == (texts, listed)


@pytest.mark.parametrize(
    ("given_labels", "labels"),
    [
        (["x", "y"], ("x", "y")),
        (["x"], ("x",)),
        ("x,y", ("x", "y")),
        (" x , y z ,", ("x", "y z")),
        (",x,,y,", ("x", "y")),
        ("x", ("x",)),
        (["x, y", " z "], ("x, y", " z ")),
        (["x", "x"], ("x", "x")),
        ("x,x", ("x", "x")),
    ],
)
def test_labels_come_as_a_list_or_with_commas(
    given_labels: object, labels: tuple[str, ...]
) -> None:
    """Labels in a string are split at commas and stripped; those of a list stay as they are."""
    assert _decode(candidate_labels=given_labels).request.labels == labels


@given(st.lists(st.text(min_size=1), min_size=1))
def test_a_list_of_labels_arrives_unchanged(labels: list[str]) -> None:
    """A list of labels keeps its commas, its spaces and its order."""
    assert _decode(candidate_labels=labels).request.labels == tuple(labels)


def test_the_other_spelling_of_the_labels_is_read() -> None:
    """`candidateLabels` is read where `candidate_labels` is missing or null."""
    assert _decode(candidate_labels=None, candidateLabels="p,q").request.labels == ("p", "q")
    assert _decode(candidateLabels="p,q").request.labels == ("x", "y")


@pytest.mark.parametrize(
    ("parameters", "multi_label"),
    [
        ({}, False),
        ({"multi_label": True}, True),
        ({"multi_label": None}, False),
        ({"multi_class": True}, True),
        ({"multi_label": None, "multi_class": True}, True),
        ({"multi_label": False, "multi_class": True}, False),
        ({"multi_label": True, "multi_class": False}, True),
    ],
)
def test_multi_label_has_an_older_name(parameters: dict[str, object], *, multi_label: bool) -> None:
    """`multi_class` is read; `multi_label` wins where both are there."""
    assert _decode(**parameters).request.multi_label is multi_label


def test_a_template_is_taken_and_has_a_default() -> None:
    """A missing or null template means the default."""
    default = ZeroShot(("a",), ("x", "y"))
    assert _decode().request == default
    assert _decode(hypothesis_template=None).request == default
    assert default.template == "This example is {}."
    assert _decode(hypothesis_template="About {}.").request.template == "About {}."


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": "", "parameters": {"candidate_labels": ["x"]}},
        {"inputs": [], "parameters": {"candidate_labels": ["x"]}},
        {"inputs": ["a", ""], "parameters": {"candidate_labels": ["x"]}},
        {"inputs": {"text": ""}, "parameters": {"candidate_labels": ["x"]}},
        {"inputs": "a", "parameters": {"candidate_labels": []}},
        {"inputs": "a", "parameters": {"candidate_labels": ""}},
        {"inputs": "a", "parameters": {"candidate_labels": " , "}},
    ],
)
def test_nothing_to_sort_is_refused_in_the_references_words(body: object) -> None:
    """No text, an empty text and no label are refused with the reference's text."""
    assert _complaint(body) == _AT_LEAST_ONE


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"inputs": "a"}, "`parameters.candidate_labels` is missing; expected a list of labels"),
        ({"inputs": "a", "parameters": None}, "`parameters.candidate_labels` is missing"),
        ({"parameters": {"candidate_labels": ["x"]}}, "missing required field `inputs`"),
        ({"inputs": 3}, "`inputs`: expected `str | object | array`, got `int`"),
        ({"inputs": None}, "`inputs`: expected `str | object | array`, got `null`"),
        ({"inputs": [["a", "b"]]}, "`inputs[0]`: expected `str`, got `array`"),
        (
            {"inputs": {"words": "a"}, "parameters": {"candidate_labels": ["x"]}},
            '`inputs` is an object; expected a text, a list, or {"text": ...}',
        ),
        (
            {"inputs": "a", "parameters": {"candidate_labels": ["x", ""]}},
            "`parameters.candidate_labels` holds an empty label",
        ),
        (
            {"inputs": "a", "parameters": {"candidate_labels": ["x", 3]}},
            "`parameters.candidate_labels[1]`: expected `str`, got `int`",
        ),
        (
            {"inputs": "a", "parameters": {"candidate_labels": {"x": 1}}},
            "`parameters.candidate_labels`: expected `str | array | null`, got `object`",
        ),
        (
            {"inputs": "a", "parameters": {"candidate_labels": ["x"], "multi_label": "x"}},
            "`parameters.multi_label`: expected `bool | null`, got `str`",
        ),
        (
            {"inputs": "a", "parameters": {"candidate_labels": ["x"], "hypothesis_template": 1}},
            "`parameters.hypothesis_template`: expected `str | null`, got `int`",
        ),
    ],
)
def test_a_wrong_body_is_told_what_was_expected_where(body: object, text: str) -> None:
    """The error for a wrong body is one sentence with the field's path and what was expected."""
    assert text in _complaint(body)


_FIRST = Ranking((LabelScore("y", 0.75), LabelScore("x", 0.25)), tokens=9)
_SECOND = Ranking((LabelScore("x", 0.5), LabelScore("y", 0.5)), tokens=9)

_LABELS = [{"label": "y", "score": 0.75}, {"label": "x", "score": 0.25}]
_OBJECT = {"sequence": "a", "labels": ["y", "x"], "scores": [0.75, 0.25]}
_SECOND_LABELS = [{"label": "x", "score": 0.5}, {"label": "y", "score": 0.5}]
_SECOND_OBJECT = {"sequence": "b", "labels": ["x", "y"], "scores": [0.5, 0.5]}
_OBJECTS = [_OBJECT, _SECOND_OBJECT]


_EMPTY_OBJECT: dict[str, object] = {"sequence": "", "labels": [], "scores": []}


def _body(form: ZeroShotForm, *results: Ranking, listed: bool) -> object:
    wire = msgspec.json.encode(
        zero_shot_body(results, "ab"[: len(results)], form=form, listed=listed)
    )
    return msgspec.json.decode(wire)


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("labels", _LABELS),
        ("object", _OBJECT),
        ("objects", [_OBJECT]),
        ("both", [_LABELS[0] | _OBJECT, _LABELS[1] | _EMPTY_OBJECT]),
    ],
)
def test_one_text_is_answered_in_the_form_asked_for(form: ZeroShotForm, body: object) -> None:
    """One text is answered in each of the four forms, best label first."""
    assert _body(form, _FIRST, listed=False) == body


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("labels", [_LABELS, _SECOND_LABELS]),
        ("object", _OBJECTS),
        ("objects", _OBJECTS),
    ],
)
def test_a_list_of_texts_is_answered_by_a_list(form: ZeroShotForm, body: object) -> None:
    """A list of texts is answered by one answer for each text."""
    assert _body(form, _FIRST, _SECOND, listed=True) == body


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("labels", [_LABELS]),
        ("object", [_OBJECT]),
        ("objects", [_OBJECT]),
    ],
)
def test_a_list_of_one_text_is_answered_by_a_list_of_one(form: ZeroShotForm, body: object) -> None:
    """A list of one text is answered by a list of one."""
    assert _body(form, _FIRST, listed=True) == body


def test_fields_stand_in_the_references_order() -> None:
    """The fields of an answer have the order of `transformers`."""
    wire = msgspec.json.encode(zero_shot_body([_FIRST], ["a"], form="object", listed=False))
    assert wire == b'{"sequence":"a","labels":["y","x"],"scores":[0.75,0.25]}'


def test_an_answer_that_every_client_reads_grows_with_its_labels_and_not_their_square() -> None:
    """With ten times the labels, the form `both` has about ten times the bytes."""

    def size(labels: int) -> int:
        ranking = Ranking(tuple(LabelScore("label", 0.5) for _ in range(labels)), 7)
        return len(msgspec.json.encode(zero_shot_body([ranking], ["a"], form="both", listed=False)))

    assert size(2000) < 11 * size(200)
