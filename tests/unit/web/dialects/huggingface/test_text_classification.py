"""How a body of text classification is read: its inputs, its parameters, and wrong ones."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earmark.domain.results import Classification, LabelScore
from earmark.domain.texts import TextInput
from earmark.errors import InvalidInput
from earmark.tasks.text_classification import TextClassification
from earmark.web.body import ParsedBody
from earmark.web.dialects.huggingface.text_classification import (
    classifications_body,
    decode_text_classification,
)

_A, _AB = TextInput("a"), TextInput("a", "b")


def _decode(**body: object) -> TextClassification:
    return decode_text_classification(ParsedBody.of(msgspec.json.encode(body)))


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ("a", (_A,)),
        ("", (TextInput(""),)),
        ({"text": "a"}, (_A,)),
        ({"text": "a", "text_pair": None}, (_A,)),
        ({"text": "a", "text_pair": ""}, (TextInput("a", ""),)),
        ({"text": "a", "text_pair": "b", "other": 1}, (_AB,)),
        (["a"], (_A,)),
        (["a", "b"], (_A, TextInput("b"))),
        (["a", {"text": "a", "text_pair": "b"}], (_A, _AB)),
        ([["a", "b"]], (_AB,)),
        ([[["a", "b"]]], (_AB,)),
        ([["a", "b"], [["a", "b"]], "a"], (_AB, _AB, _A)),
    ],
)
def test_every_form_of_the_inputs_is_read(inputs: object, expected: tuple[TextInput, ...]) -> None:
    """Inputs are one item or a list; a list of two strings is a pair only inside a list."""
    assert _decode(inputs=inputs).inputs == expected


@pytest.mark.parametrize("parameters", [None, {}, {"top_k": None, "function_to_apply": None}])
def test_parameters_may_be_missing_null_or_empty(parameters: object) -> None:
    """Without parameters, the model's own function, all labels and truncation are used."""
    assert _decode(inputs="a", parameters=parameters) == TextClassification((_A,))
    assert _decode(inputs="a") == TextClassification((_A,))


@pytest.mark.parametrize("name", ["sigmoid", "SIGMOID", "Sigmoid"])
def test_a_function_is_named_in_any_case(name: str) -> None:
    """`function_to_apply` is read in upper, lower and mixed case."""
    assert _decode(inputs="a", parameters={"function_to_apply": name}).function == "sigmoid"


@pytest.mark.parametrize("top_k", [1, 3, 2**63, 10**30])
def test_any_positive_top_k_is_taken(top_k: int) -> None:
    """Any positive `top_k` is accepted; more than there are labels means all of them."""
    assert _decode(inputs="a", parameters={"top_k": top_k}).top_k == top_k


@pytest.mark.parametrize(
    ("value", "truncate"),
    [
        (None, True),
        (True, True),
        ("longest_first", True),
        (False, False),
        ("do_not_truncate", False),
    ],
)
def test_truncation_takes_both_spellings(value: object, *, truncate: bool) -> None:
    """`truncation` is a boolean, or the tokenizers' name for the same."""
    assert _decode(inputs="a", parameters={"truncation": value}).truncate is truncate


@given(st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.text())))
def test_what_nobody_knows_is_ignored(extra: dict[str, object]) -> None:
    """Unknown members at the top and among the parameters are ignored."""
    known = {"function_to_apply", "top_k", "truncation"}
    parameters = {key: value for key, value in extra.items() if key not in known}
    body = {**extra, "inputs": "a", "parameters": parameters}
    assert _decode(**body) == TextClassification((_A,))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "the body: object missing required field `inputs`"),
        ({"inputs": None}, "`inputs`: expected `str | object | array`, got `null`"),
        ({"inputs": 3}, "`inputs`: expected `str | object | array`, got `int`"),
        ({"inputs": True}, "`inputs`: expected `str | object | array`, got `bool`"),
        ({"inputs": []}, "`inputs` is an empty list; expected at least one text"),
        ({"inputs": ["a", 3]}, "`inputs[1]`: expected `str | object | array`, got `int`"),
        ({"inputs": [{"text_pair": "b"}]}, "`inputs[0]`: object missing required field `text`"),
        (
            {"inputs": {"text": "a", "text_pair": 1}},
            "`inputs.text_pair`: expected `str | null`, got `int`",
        ),
        (
            {"inputs": ["a", ["b"]]},
            (
                "`inputs[1]` is a list of 1; expected a text, a pair as"
                ' {"text": ..., "text_pair": ...}, or [text, pair]'
            ),
        ),
        (
            {"inputs": "a", "parameters": {"top_k": 0}},
            "`parameters.top_k`: expected `int` >= 1",
        ),
        (
            {"inputs": "a", "parameters": {"top_k": 1.5}},
            "`parameters.top_k`: expected `int | null`, got `float`",
        ),
        (
            {"inputs": "a", "parameters": {"function_to_apply": "default"}},
            "`parameters.function_to_apply` is 'default'; expected sigmoid, softmax, none",
        ),
        (
            {"inputs": "a", "parameters": {"truncation": "only_first"}},
            (
                "`parameters.truncation` is 'only_first'; expected true, false, longest_first or"
                " do_not_truncate"
            ),
        ),
        (
            {"inputs": "a", "parameters": {"function_to_apply": "x" * 999}},
            f"`parameters.function_to_apply` is '{'x' * 40}'; expected sigmoid, softmax, none",
        ),
    ],
)
def test_a_wrong_body_is_told_what_was_expected_where(body: dict[str, object], text: str) -> None:
    """The error for a wrong body is one sentence with the field's path and what was expected."""
    with pytest.raises(InvalidInput) as caught:
        _decode(**body)
    assert str(caught.value) == text


def test_one_input_is_answered_by_a_nested_list() -> None:
    """A single input is answered by a list in a list."""
    result = Classification((LabelScore("A", 0.5),), tokens=7)
    body = msgspec.json.encode(classifications_body([result], first_list_alone=False))
    assert msgspec.json.decode(body) == [[{"label": "A", "score": 0.5}]]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1))
def test_every_finite_score_arrives_unchanged(scores: list[float]) -> None:
    """Every finite score is the same number in the JSON answer."""
    results = [Classification((LabelScore("A", score),), tokens=7) for score in scores]
    body = msgspec.json.encode(classifications_body(results, first_list_alone=False))
    assert msgspec.json.decode(body) == [[{"label": "A", "score": score}] for score in scores]
