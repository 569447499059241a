"""Token classification: every form of a request, and the order of the fields of an answer."""

import msgspec
import pytest

from earmark.domain.results import Entities, Entity
from earmark.errors import InvalidInput
from earmark.tasks.token_classification import TokenClassification
from earmark.web.body import ParsedBody
from earmark.web.dialects.huggingface.decoded import Decoded
from earmark.web.dialects.huggingface.token_classification import (
    decode_token_classification,
    entities_body,
)


def _decode(inputs: object = "a", **parameters: object) -> Decoded[TokenClassification]:
    body = {"inputs": inputs, "parameters": parameters}
    return decode_token_classification(ParsedBody.of(msgspec.json.encode(body)))


def _complaint(body: object) -> str:
    with pytest.raises(InvalidInput) as caught:
        decode_token_classification(ParsedBody.of(msgspec.json.encode(body)))
    return str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "texts", "listed"),
    [
        ("a", ("a",), False),
        ("", ("",), False),
        (["a"], ("a",), True),
        (["a", ""], ("a", ""), True),
    ],
)
def test_one_text_or_a_list_is_read(
    inputs: object, texts: tuple[str, ...], *, listed: bool
) -> None:
    """Inputs are a text, which may be empty, or a list; the request keeps which it was."""
    decoded = _decode(inputs)
    assert (decoded.request.inputs, decoded.listed) == (texts, listed)


@pytest.mark.parametrize("extra", [{}, {"parameters": None}, {"parameters": {}}])
def test_nothing_said_means_simple_without_outside(extra: dict[str, object]) -> None:
    """Without parameters, the strategy is `simple` and the label `O` is left out."""
    decoded = decode_token_classification(
        ParsedBody.of(msgspec.json.encode({"inputs": "a", **extra}))
    )
    assert decoded.request == TokenClassification(("a",))
    assert decoded.request.strategy == "simple"
    assert decoded.request.ignore_labels == frozenset({"O"})
    assert decoded.request.stride is None


@pytest.mark.parametrize("name", ["none", "simple", "first", "average", "max"])
def test_a_strategy_is_named_in_any_case(name: str) -> None:
    """`aggregation_strategy` is read in upper, lower and mixed case."""
    for written in (name, name.upper(), name.title()):
        assert _decode(aggregation_strategy=written).request.strategy == name


@pytest.mark.parametrize(
    ("flags", "strategy"),
    [
        ({"grouped_entities": True, "ignore_subwords": True}, "first"),
        ({"grouped_entities": True}, "simple"),
        ({"grouped_entities": True, "ignore_subwords": False}, "simple"),
        ({"grouped_entities": False}, "none"),
        ({"grouped_entities": False, "ignore_subwords": True}, "none"),
        ({"ignore_subwords": True}, "none"),
        ({"ignore_subwords": False}, "none"),
        ({"grouped_entities": None, "ignore_subwords": None}, "simple"),
        ({"grouped_entities": True, "aggregation_strategy": "max"}, "max"),
        ({"grouped_entities": False, "aggregation_strategy": None}, "none"),
    ],
)
def test_the_flags_of_2021_still_mean_what_they_did(
    flags: dict[str, object], strategy: str
) -> None:
    """`grouped_entities` and `ignore_subwords` are read; `aggregation_strategy` wins over both."""
    assert _decode(**flags).request.strategy == strategy


@pytest.mark.parametrize(
    ("given_labels", "ignored"),
    [(None, {"O"}), ([], set()), (["PER"], {"PER"}), (["O", "O", "LOC"], {"O", "LOC"})],
)
def test_ignored_labels_replace_the_default(
    given_labels: list[str] | None, ignored: set[str]
) -> None:
    """`ignore_labels` replaces the default, so that an empty list shows every label."""
    assert _decode(ignore_labels=given_labels).request.ignore_labels == ignored


@pytest.mark.parametrize("stride", [None, 0, 8, 10**6])
def test_a_stride_is_a_number_from_zero(stride: int | None) -> None:
    """Any `stride` from 0 is accepted here; only the model can say whether it is too large."""
    assert _decode(stride=stride).request.stride == stride


def test_what_nobody_knows_is_ignored() -> None:
    """Unknown members at the top and among the parameters are ignored."""
    body = {"inputs": "a", "stream": True, "model": "x", "parameters": {"delimiter": "-"}}
    decoded = decode_token_classification(ParsedBody.of(msgspec.json.encode(body)))
    assert decoded.request == TokenClassification(("a",))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "missing required field `inputs`"),
        ({"inputs": None}, "`inputs`: expected `str | array`, got `null`"),
        ({"inputs": {"text": "a"}}, "`inputs`: expected `str | array`, got `object`"),
        ({"inputs": []}, "`inputs` is an empty list; expected at least one text"),
        ({"inputs": ["a", 3]}, "`inputs[1]`: expected `str`, got `int`"),
        (
            {"inputs": "a", "parameters": {"aggregation_strategy": "best"}},
            (
                "`parameters.aggregation_strategy` is 'best'; expected one of none, simple, first,"
                " average, max"
            ),
        ),
        (
            {"inputs": "a", "parameters": {"aggregation_strategy": "x" * 99}},
            f"is '{'x' * 40}'; expected one of",
        ),
        (
            {"inputs": "a", "parameters": {"aggregation_strategy": 1}},
            "`parameters.aggregation_strategy`: expected `str | null`, got `int`",
        ),
        (
            {"inputs": "a", "parameters": {"stride": -1}},
            "`parameters.stride`: expected `int` >= 0",
        ),
        (
            {"inputs": "a", "parameters": {"stride": 1.5}},
            "`parameters.stride`: expected `int | null`, got `float`",
        ),
        (
            {"inputs": "a", "parameters": {"stride": 4, "aggregation_strategy": "None"}},
            "there is nothing to join",
        ),
        (
            {"inputs": "a", "parameters": {"stride": 0, "grouped_entities": False}},
            "there is nothing to join",
        ),
        (
            {"inputs": "a", "parameters": {"ignore_labels": "O"}},
            "`parameters.ignore_labels`: expected `array | null`, got `str`",
        ),
        (
            {"inputs": ["a", "b"], "parameters": {"is_split_into_words": True}},
            "`parameters.is_split_into_words` is not offered",
        ),
    ],
)
def test_a_wrong_body_is_told_what_was_expected_where(body: object, text: str) -> None:
    """The error for a wrong body is one sentence with the field's path and what was expected."""
    assert text in _complaint(body)


_GROUP = Entity("PER", 0.75, "Sarah Jessica", 11, 24, "PER")
_TOKEN = Entity("B-PER", 0.5, "Sarah", 11, 16, "PER", index=4)


def _wire(*found: Entity, listed: bool = False) -> bytes:
    return msgspec.json.encode(entities_body([Entities(found, tokens=9)], listed=listed))


def test_a_groups_fields_stand_in_the_references_order() -> None:
    """The fields of an entity group have the order of `transformers`."""
    assert _wire(_GROUP) == (
        b'[{"entity_group":"PER","score":0.75,"word":"Sarah Jessica","start":11,"end":24}]'
    )


def test_a_tokens_fields_stand_in_the_references_order() -> None:
    """A token's fields have the order of `transformers`, with `entity_group` after them."""
    assert _wire(_TOKEN) == (
        b'[{"entity":"B-PER","score":0.5,"index":4,"word":"Sarah","start":11,"end":16,'
        b'"entity_group":"PER"}]'
    )


def test_a_list_of_texts_is_answered_by_a_list_of_lists() -> None:
    """A list of texts, also of one, is answered by a list of lists, empty without entities."""
    assert _wire() == b"[]"
    assert _wire(listed=True) == b"[[]]"
    results = [Entities((_GROUP,), tokens=9), Entities((), tokens=2)]
    body = msgspec.json.decode(msgspec.json.encode(entities_body(results, listed=True)))
    assert [len(found) for found in body] == [1, 0]
