"""Edge cases of token classification, one row each."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
import pytest
from support.fake_engine import token_labeller
from support.http_app import ask

from earmark.domain.texts import TextInput

_TEXT = "I am Sarah Jessica Parker \U0001f600 and Ann"

# O, B-PER, I-PER.
_LOGITS = {
    TextInput("I"): (4.0, 0.0, 0.0),
    TextInput("am"): (4.0, 0.0, 0.0),
    TextInput("Sarah"): (0.0, 4.0, 0.0),
    TextInput("Jessica"): (0.0, 0.0, 3.0),
    TextInput("Parker"): (0.0, 0.0, 2.0),
    TextInput("\U0001f600"): (4.0, 0.0, 0.0),
    TextInput("and"): (4.0, 0.0, 0.0),
    TextInput("Ann"): (0.0, 3.0, 0.0),
}


def _post(body: object) -> httpx.Response:
    return ask("POST", "/", json.dumps(body), engines=(token_labeller(logits=_LOGITS),))


def _score(*logits: float) -> float:
    """Take the mean over words of the best label's probability."""
    scores = [math.exp(each) / (math.exp(each) + 2) for each in logits]
    return sum(scores) / len(scores)


def _group(label: str, score: float, word: str, start: int) -> Mapping[str, object]:
    return {
        "entity_group": label,
        "score": pytest.approx(score, rel=1e-5),
        "word": word,
        "start": start,
        "end": start + len(word),
    }


def _token(label: str, score: float, word: str, start: int, index: int) -> Mapping[str, object]:
    group = _group(label.removeprefix("B-").removeprefix("I-"), score, word, start)
    return {"entity": label, "index": index, **group}


_SARAH = _group("PER", _score(4.0, 3.0, 2.0), "Sarah Jessica Parker", 5)
_ANN = _group("PER", _score(3.0), "Ann", 32)
_TOKENS = [
    _token("B-PER", _score(4.0), "Sarah", 5, 3),
    _token("I-PER", _score(3.0), "Jessica", 11, 4),
    _token("I-PER", _score(2.0), "Parker", 19, 5),
    _token("B-PER", _score(3.0), "Ann", 32, 8),
]
_OUTSIDE = [
    _group("O", _score(4.0, 4.0), "I am", 0),
    _group("O", _score(4.0, 4.0), "\U0001f600 and", 26),
]


@dataclass(frozen=True)
class _Case:
    answer: object
    inputs: object = _TEXT
    parameters: Mapping[str, object] = field(default_factory=dict)


_ANSWERED = {
    "nothing said": _Case([_SARAH, _ANN]),
    **{
        f"the strategy {name}": _Case([_SARAH, _ANN], parameters={"aggregation_strategy": name})
        for name in ("simple", "first", "average", "max", "SIMPLE", "Max")
    },
    "the strategy none": _Case(_TOKENS, parameters={"aggregation_strategy": "none"}),
    "the strategy null": _Case([_SARAH, _ANN], parameters={"aggregation_strategy": None}),
    "grouped, as in 2021": _Case([_SARAH, _ANN], parameters={"grouped_entities": True}),
    "not grouped, as in 2021": _Case(_TOKENS, parameters={"grouped_entities": False}),
    "nothing ignored": _Case(
        [_OUTSIDE[0], _SARAH, _OUTSIDE[1], _ANN], parameters={"ignore_labels": []}
    ),
    "persons ignored": _Case(_OUTSIDE, parameters={"ignore_labels": ["PER"]}),
    "all labels of a group ignored": _Case(
        [], parameters={"ignore_labels": ["O", "B-PER", "I-PER"]}
    ),
    "some labels of a group ignored": _Case(
        [_SARAH, _ANN], parameters={"ignore_labels": ["O", "I-PER"]}
    ),
    "a label as the model has it is a token's": _Case(
        [_TOKENS[0], _TOKENS[3]],
        parameters={"ignore_labels": ["O", "I-PER"], "aggregation_strategy": "none"},
    ),
    "an empty text": _Case([], inputs=""),
    "a text without entities": _Case([], inputs="I am"),
    "a list of texts": _Case([[_group("PER", _score(3.0), "Ann", 0)], []], inputs=["Ann", ""]),
    "a list of one text": _Case([[_SARAH, _ANN]], inputs=[_TEXT]),
    "unknown parameters": _Case([_SARAH, _ANN], parameters={"top_k": 1, "delimiter": "-"}),
    "words, but not split ones": _Case([_SARAH, _ANN], parameters={"is_split_into_words": False}),
}


@pytest.mark.parametrize("case", _ANSWERED.values(), ids=_ANSWERED.keys())
def test_a_request_is_answered_as_the_reference_would(case: _Case) -> None:
    """Each request has the reference's answer; offsets count code points, so an emoji is one."""
    answer = _post({"inputs": case.inputs, "parameters": case.parameters})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == case.answer


@pytest.mark.parametrize("strategy", ["none", "simple"])
def test_every_item_has_what_javascript_clients_demand(strategy: str) -> None:
    """With every strategy an item has text for the group and numbers for the place."""
    parameters = {"aggregation_strategy": strategy, "ignore_labels": []}
    items = _post({"inputs": _TEXT, "parameters": parameters}).json()
    assert items
    for item in items:
        assert isinstance(item["entity_group"], str)
        assert isinstance(item["word"], str)
        assert all(isinstance(item[name], int) for name in ("start", "end"))
        assert isinstance(item["score"], float)


_REFUSED = {
    "no inputs": ({}, "required field `inputs`"),
    "inputs null": ({"inputs": None}, "`inputs`: expected"),
    "inputs an object": ({"inputs": {"text": "a"}}, "`inputs`: expected"),
    "inputs an empty list": ({"inputs": []}, "at least one text"),
    "a strategy that does not exist": (
        {"inputs": "a", "parameters": {"aggregation_strategy": "best"}},
        "expected one of none, simple, first, average, max",
    ),
    "a stride below zero": ({"inputs": "a", "parameters": {"stride": -1}}, "`parameters.stride`"),
    "a stride without a strategy to join by": (
        {"inputs": "a", "parameters": {"stride": 0, "aggregation_strategy": "none"}},
        "there is nothing to join",
    ),
    "labels to ignore as a text": (
        {"inputs": "a", "parameters": {"ignore_labels": "O"}},
        "`parameters.ignore_labels`: expected",
    ),
    "split words": (
        {"inputs": ["a", "b"], "parameters": {"is_split_into_words": True}},
        "join the words with spaces",
    ),
}


@pytest.mark.parametrize(("body", "text"), _REFUSED.values(), ids=_REFUSED.keys())
def test_a_wrong_request_is_a_400_that_says_why(body: object, text: str) -> None:
    """Each wrong request is a 400 whose error is one string with the reason."""
    answer = _post(body)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert text in answer.json()["error"]


def test_a_text_too_long_is_cut_and_the_headers_say_so() -> None:
    """Of 20 words the model reads 14; the headers have the rest, and the body stays a list."""
    answer = _post({"inputs": ["Ann", "Ann " * 20]})
    assert [len(found) for found in answer.json()] == [1, 14]
    assert answer.headers["x-truncated-tokens"] == "6"
    assert answer.headers["x-truncated-inputs"] == "1"
    assert answer.headers["x-compute-characters"] == "83"
