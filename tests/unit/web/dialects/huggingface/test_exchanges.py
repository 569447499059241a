"""Which task a request is for: by its address, or by its body where the address names none."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_engine import FakeEngine, token_labeller, zero_shot_model

from earmark.engine.info import EngineInfo
from earmark.errors import UnsupportedTask
from earmark.web.body import ParsedBody
from earmark.web.dialects.huggingface.exchanges import asked_task, task_named

_TEXT = FakeEngine().info
_ZERO_SHOT = zero_shot_model().info
_TOKENS = token_labeller().info
_RERANKER = FakeEngine(label_names=("LABEL_0",), tasks=("text-classification",)).info

_PAIR = {"text": "a", "text_pair": "b"}


def _asked(body: object, info: EngineInfo) -> str:
    return asked_task(ParsedBody.of(msgspec.json.encode(body)), info)


@pytest.mark.parametrize("labels", [["x"], "x,y", [], "", "null", 3, {"x": 1}], ids=repr)
@pytest.mark.parametrize("name", ["candidate_labels", "candidateLabels"])
@pytest.mark.parametrize("info", [_TEXT, _ZERO_SHOT], ids=["text", "inference"])
def test_candidate_labels_ask_for_zero_shot_classification(
    info: EngineInfo, name: str, labels: object
) -> None:
    """A body with candidate labels, valid or not, is for zero-shot classification."""
    assert _asked({"inputs": "a", "parameters": {name: labels}}, info) == "zero-shot-classification"


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        {},
        {"top_k": 1},
        {"candidate_labels": None},
        {"candidate_labels": None, "candidateLabels": None},
    ],
)
def test_without_labels_a_model_is_asked_for_its_own_task(parameters: object) -> None:
    """A body without labels, or with null, is for the model's own task."""
    body = {"inputs": "candidate_labels", "parameters": parameters}
    assert _asked(body, _TEXT) == "text-classification"
    assert _asked(body, _ZERO_SHOT) == "zero-shot-classification"


@pytest.mark.parametrize(
    "inputs", [_PAIR, [_PAIR], ["a", _PAIR], [["a", "b"]], [[["a", "b"]]], {**_PAIR, "text": 3}]
)
def test_a_pair_without_labels_asks_an_inference_model_for_its_own(inputs: object) -> None:
    """A pair without labels, in any form, is for text classification."""
    assert _asked({"inputs": inputs}, _ZERO_SHOT) == "text-classification"
    assert _asked({"inputs": inputs}, _TEXT) == "text-classification"


@pytest.mark.parametrize(
    "inputs",
    [
        "text_pair",
        ["text_pair"],
        'a "text_pair" in a text',
        {"text": "text_pair"},
        {"text": "a", "text_pair": None},
        [],
        None,
        3,
    ],
)
def test_a_text_about_pairs_is_no_pair(inputs: object) -> None:
    """Only the key `text_pair` with a value makes a pair, not the word in a text."""
    assert _asked({"inputs": inputs}, _ZERO_SHOT) == "zero-shot-classification"


def test_a_pair_with_labels_is_for_zero_shot_classification() -> None:
    """A pair with candidate labels is for zero-shot classification."""
    body = {"inputs": _PAIR, "parameters": {"candidate_labels": ["x"]}}
    assert _asked(body, _ZERO_SHOT) == "zero-shot-classification"


@pytest.mark.parametrize("info", [_TOKENS, _RERANKER], ids=["tokens", "reranker"])
def test_a_model_with_one_task_is_asked_for_nothing_else(info: EngineInfo) -> None:
    """A model with one task gets every body as a request for it."""
    body = {"inputs": _PAIR, "parameters": {"candidate_labels": ["x"]}}
    assert _asked(body, info) == info.task


@given(st.binary() | st.text().map(str.encode))
def test_a_malformed_body_is_left_to_the_models_own_task(body: bytes) -> None:
    """A body that is no JSON is for the model's own task, whose decoder refuses it."""
    assert asked_task(ParsedBody.of(body), _ZERO_SHOT) == "zero-shot-classification"


@pytest.mark.parametrize(
    "body",
    [
        b'{"inputs": "a", "parameters": [1]}',
        b'{"inputs": ' + b"[" * 100_000,
        b'{"inputs": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"inputs": "\\ud800"}',
        b'{"inputs": ["\xff"]}',
    ],
)
def test_a_body_of_the_wrong_form_is_left_to_the_models_own_task(body: bytes) -> None:
    """Wrong parameters, endless brackets and bytes that are no text go to the model's own task."""
    assert asked_task(ParsedBody.of(body), _TEXT) == "text-classification"
    assert asked_task(ParsedBody.of(body), _ZERO_SHOT) in _ZERO_SHOT.tasks


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("text-classification", "text-classification"),
        ("sentiment-analysis", "text-classification"),
        ("zero-shot-classification", "zero-shot-classification"),
        ("token-classification", "token-classification"),
        ("ner", "token-classification"),
    ],
)
def test_a_task_is_found_by_each_of_its_names(name: str, task: str) -> None:
    """A task is found by each of its names, of which two tasks have two."""
    assert task_named(name) == task


@pytest.mark.parametrize("name", ["", "NER", "sentence-similarity", "x" * 999])
def test_a_task_that_is_not_offered_is_refused_with_those_that_are(name: str) -> None:
    """The error for an unknown task lists the known ones, and is short however long the name is."""
    with pytest.raises(UnsupportedTask, match="expected text-classification, ") as caught:
        task_named(name)
    assert len(str(caught.value)) < 300
