"""The edge cases of text classification, one row each, and what every task has in common.

They follow the API's documented and observed behaviour: what the `transformers` pipeline does, made
safe for every official client.
"""

import json
import math
from dataclasses import dataclass, field

import pytest
from support.fake_engine import FakeEngine, pseudo_logits
from support.http_app import ask

from earmark.domain.texts import TextInput
from earmark.errors import (
    DeadlineExceeded,
    EngineError,
    NonFiniteScore,
    QueueFull,
    ShuttingDown,
)
from earmark.serving.limits import ServiceOptions
from earmark.web.options import WebOptions

_QUESTION = "What is Paris?"
_FRANCE = {"text": _QUESTION, "text_pair": "Paris is the capital of France"}
_ENGLAND = {"text": _QUESTION, "text_pair": "London is the capital of England"}

_LOGITS = {
    TextInput("good"): (-1.0, 3.0),
    TextInput("bad"): (2.0, -2.0),
    TextInput("even"): (0.5, 0.5),
    TextInput(""): (0.0, 1.0),
    TextInput("good", "bad"): (1.0, 0.0),
}
_RERANKER = {
    TextInput(_QUESTION, _FRANCE["text_pair"]): (4.0,),
    TextInput(_QUESTION, _ENGLAND["text_pair"]): (-3.5,),
}
_LONG = "word " * 40


def _softmax(logits: tuple[float, ...]) -> list[float]:
    total = sum(math.exp(each) for each in logits)
    return [math.exp(each) / total for each in logits]


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def _sentiment() -> FakeEngine:
    return FakeEngine("org/sst2", logits=_LOGITS)


def _reranker() -> FakeEngine:
    return FakeEngine("org/reranker", label_names=("LABEL_0",), logits=_RERANKER)


def _classify(engine: FakeEngine, body: object) -> object:
    """Post a body and return its answer, which has to be a success."""
    answer = ask("POST", f"/models/{engine.model_id}", json.dumps(body), engines=(engine,))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def _scores(*pairs: tuple[str, float]) -> list[object]:
    return [{"label": label, "score": pytest.approx(score, rel=1e-5)} for label, score in pairs]


_GOOD = _softmax((-1.0, 3.0))
_BAD = _softmax((2.0, -2.0))
_GOOD_ANSWER = _scores(("POSITIVE", _GOOD[1]), ("NEGATIVE", _GOOD[0]))
_BAD_ANSWER = _scores(("NEGATIVE", _BAD[0]), ("POSITIVE", _BAD[1]))


@dataclass(frozen=True)
class _Case:
    inputs: object
    answer: list[list[object]]
    parameters: dict[str, object] = field(default_factory=dict)


_ANSWERED = {
    "one text": _Case("good", [_GOOD_ANSWER]),
    "one text in a list": _Case(["good"], [_GOOD_ANSWER]),
    "two texts are a batch, not a pair": _Case(["good", "bad"], [_GOOD_ANSWER, _BAD_ANSWER]),
    "an object without a pair": _Case({"text": "good"}, [_GOOD_ANSWER]),
    "an object with a null pair": _Case({"text": "good", "text_pair": None}, [_GOOD_ANSWER]),
    "an empty text": _Case("", [_scores(("POSITIVE", _sigmoid(1)), ("NEGATIVE", _sigmoid(-1)))]),
    "the pair form of before 2022": _Case(
        [[["good", "bad"]]], [_scores(("NEGATIVE", _sigmoid(1)), ("POSITIVE", _sigmoid(-1)))]
    ),
    "equal scores keep the order of the labels": _Case(
        "even", [_scores(("NEGATIVE", 0.5), ("POSITIVE", 0.5))]
    ),
    "the function none": _Case(
        "good",
        [_scores(("POSITIVE", 3.0), ("NEGATIVE", -1.0))],
        {"function_to_apply": "none"},
    ),
    "the function sigmoid, in capitals": _Case(
        "good",
        [_scores(("POSITIVE", _sigmoid(3)), ("NEGATIVE", _sigmoid(-1)))],
        {"function_to_apply": "SIGMOID"},
    ),
    "top_k": _Case(["good", "bad"], [_GOOD_ANSWER[:1], _BAD_ANSWER[:1]], {"top_k": 1}),
    "top_k over the labels": _Case("good", [_GOOD_ANSWER], {"top_k": 99}),
    "top_k null": _Case("good", [_GOOD_ANSWER], {"top_k": None}),
    "truncation true": _Case("good", [_GOOD_ANSWER], {"truncation": True}),
    "truncation false, and it fits": _Case("good", [_GOOD_ANSWER], {"truncation": False}),
    "unknown parameters": _Case(
        "good", [_GOOD_ANSWER], {"return_all_scores": False, "max_length": 3, "padding": True}
    ),
}


@pytest.mark.parametrize("case", _ANSWERED.values(), ids=_ANSWERED.keys())
def test_a_request_is_answered_as_the_reference_would(case: _Case) -> None:
    """Each request has one list per input, in order, each sorted by score."""
    body = {"inputs": case.inputs, "parameters": case.parameters}
    assert _classify(_sentiment(), body) == case.answer


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"parameters": None},
        {"parameters": {}},
        {"options": {"use_cache": False, "wait_for_model": True}},
        {"stream": True, "model": "someone/else", "provider": "hf-inference", "task": 3},
    ],
)
def test_everything_else_in_a_body_is_ignored(extra: dict[str, object]) -> None:
    """Unknown members of a body change nothing."""
    assert _classify(_sentiment(), {"inputs": "good", **extra}) == [_GOOD_ANSWER]


def test_a_reranker_answers_one_score_per_pair_in_the_order_of_the_pairs() -> None:
    """A reranker's scores keep the order of the pairs and are not sorted."""
    expected = [
        _scores(("LABEL_0", _sigmoid(4.0))),
        _scores(("LABEL_0", _sigmoid(-3.5))),
    ]
    assert _classify(_reranker(), {"inputs": [_FRANCE, _ENGLAND]}) == expected
    assert _classify(_reranker(), {"inputs": [_ENGLAND, _FRANCE]}) == expected[::-1]
    assert _classify(_reranker(), {"inputs": _FRANCE}) == expected[:1]


def test_softmax_over_a_single_logit_is_one() -> None:
    """`function_to_apply: softmax` over a single logit answers 1."""
    body = {"inputs": _ENGLAND, "parameters": {"function_to_apply": "softmax"}}
    assert _classify(_reranker(), body) == [_scores(("LABEL_0", 1.0))]


def test_a_regression_model_answers_its_raw_value() -> None:
    """A regression model answers its raw value, also with one label."""
    logits = {TextInput("good"): (2.5,)}
    engine = FakeEngine(label_names=("LABEL_0",), problem_type="regression", logits=logits)
    assert _classify(engine, {"inputs": "good"}) == [_scores(("LABEL_0", 2.5))]


def test_a_multi_label_model_answers_independent_scores() -> None:
    """A multi-label model answers a sigmoid for each label; they need not sum to 1."""
    engine = FakeEngine(problem_type="multi_label_classification", logits=_LOGITS)
    expected = _scores(("POSITIVE", _sigmoid(3.0)), ("NEGATIVE", _sigmoid(-1.0)))
    assert _classify(engine, {"inputs": "good"}) == [expected]


def test_a_text_too_long_is_cut_and_the_headers_say_so() -> None:
    """Of 42 tokens the model reads 16, and the headers have the rest."""
    body = json.dumps({"inputs": ["good", _LONG]})
    answer = ask("POST", "/models/org/sst2", body, engines=(_sentiment(),))
    assert answer.status_code == 200
    assert answer.headers["x-truncated-tokens"] == "26"
    assert answer.headers["x-truncated-inputs"] == "1"


def test_an_answer_whose_text_was_read_whole_says_nothing_of_cutting() -> None:
    """An answer whose texts were read whole has no header about cut tokens."""
    answer = ask("POST", "/models/org/sst2", '{"inputs": "good"}', engines=(_sentiment(),))
    assert not [name for name in answer.headers if name.startswith("x-truncated")]


_REFUSED = {
    "no inputs": ({}, "required field `inputs`"),
    "inputs null": ({"inputs": None}, "`inputs`: expected"),
    "inputs a number": ({"inputs": 3}, "`inputs`: expected"),
    "inputs a bool": ({"inputs": True}, "`inputs`: expected"),
    "inputs an empty list": ({"inputs": []}, "at least one text"),
    "a number among the texts": ({"inputs": ["good", 3]}, "`inputs[1]`: expected"),
    "a pair without its first text": ({"inputs": {"text_pair": "a"}}, "required field `text`"),
    "a body that is a list": (["good"], "the body: expected `object`, got `array`"),
    "a body that is a text": ("good", "the body: expected `object`, got `str`"),
    "parameters a list": ({"inputs": "good", "parameters": [1]}, "`parameters[0]`: expected"),
    "a function that does not exist": (
        {"inputs": "good", "parameters": {"function_to_apply": "tanh"}},
        "expected sigmoid, softmax, none",
    ),
    "the function default": (
        {"inputs": "good", "parameters": {"function_to_apply": "default"}},
        "expected sigmoid, softmax, none",
    ),
    "top_k zero": ({"inputs": "good", "parameters": {"top_k": 0}}, "`parameters.top_k`"),
    "top_k negative": ({"inputs": "good", "parameters": {"top_k": -1}}, "`parameters.top_k`"),
    "top_k a text": ({"inputs": "good", "parameters": {"top_k": "three"}}, "`parameters.top_k`"),
    "truncation false, and it does not fit": (
        {"inputs": _LONG, "parameters": {"truncation": False}},
        "26 tokens too long",
    ),
    "truncation of a kind that is not offered": (
        {"inputs": "good", "parameters": {"truncation": "only_second"}},
        "expected true, false",
    ),
}


@pytest.mark.parametrize(("body", "text"), _REFUSED.values(), ids=_REFUSED.keys())
def test_a_wrong_request_is_a_400_that_says_why(body: object, text: str) -> None:
    """Each wrong request is a 400, never a 422, with a string that repeats no text."""
    engine = _sentiment()
    answer = ask("POST", "/models/org/sst2", json.dumps(body), engines=(engine,))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error"]
    assert text in answer.json()["error"]
    assert "word word" not in answer.text


@pytest.mark.parametrize(
    "body", ["", "{", "plain text", '{"inputs": NaN}', '{"inputs": "\\ud800"}']
)
def test_a_body_that_is_no_json_is_a_400(body: str) -> None:
    """A body that is no JSON is a 400 with one sentence on what is wrong."""
    answer = ask("POST", "/", body, engines=(_sentiment(),))
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("the body is ")


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "application/x-www-form-urlencoded", "text/plain", None],
)
def test_json_is_read_whatever_its_type_is_said_to_be(content_type: str | None) -> None:
    """JSON is read under any Content-Type, such as the form of `curl -d`."""
    headers = {} if content_type is None else {"content-type": content_type}
    answer = ask("POST", "/", '{"inputs": "good"}', engines=(_sentiment(),), headers=headers)
    assert answer.json() == [_GOOD_ANSWER]


def test_a_body_over_the_limit_is_a_413() -> None:
    """A body over the limit is a 413 with the limit in its text."""
    web = WebOptions(max_body_bytes=100)
    body = json.dumps({"inputs": "x" * 100})
    answer = ask("POST", "/", body, engines=(_sentiment(),), web=web)
    assert answer.status_code == 413
    assert "at most 100 bytes" in answer.json()["error"]


def test_too_many_inputs_are_a_413() -> None:
    """Too many inputs are a 413 with the limit in its text."""
    service = ServiceOptions(max_inputs=2)
    body = json.dumps({"inputs": ["x"] * 3})
    answer = ask("POST", "/", body, engines=(_sentiment(),), service=service)
    assert answer.status_code == 413
    assert "at most 2 are accepted" in answer.json()["error"]


@pytest.mark.parametrize(
    ("failure", "status", "text"),
    [
        (QueueFull("full; try again later", retry_after_s=1.5), 429, "full; try again later"),
        (DeadlineExceeded("no answer"), 504, "Model org/sst2 time out: no answer"),
        (ShuttingDown("closing"), 503, "closing"),
        (EngineError("OpenVINO failed: secret"), 500, "unknown error (request r1)"),
        (RuntimeError("secret"), 500, "unknown error (request r1)"),
    ],
)
def test_a_failure_has_its_status(failure: Exception, status: int, text: str) -> None:
    """Each failure has its status; details of the server's faults stay in the log, by id."""
    engine = _sentiment()
    engine.failure = failure
    headers = {"x-request-id": "r1"}
    answer = ask("POST", "/", '{"inputs": "good"}', engines=(engine,), headers=headers)
    assert (answer.status_code, answer.json()) == (status, {"error": text})
    assert answer.headers["x-error-message"] == text
    assert answer.headers["x-request-id"] == "r1"
    assert answer.headers.get("retry-after") == {429: "2", 503: "1"}.get(status)


def test_a_score_that_is_no_number_is_a_500() -> None:
    """A NaN score is a 500."""
    engine = _sentiment()
    engine.text_failures = {"bad": NonFiniteScore("the answer for a text holds NaN")}
    answer = ask("POST", "/", '{"inputs": ["good", "bad"]}', engines=(engine,))
    assert answer.status_code == 500
    assert answer.json() == {"error": "the answer for a text holds NaN"}


def test_a_failed_answer_says_nothing_of_what_it_cost() -> None:
    """An error has none of the headers on what an answer cost."""
    answer = ask("POST", "/", "{}", engines=(_sentiment(),))
    assert not [name for name in answer.headers if name.startswith("x-compute")]


def test_unscripted_texts_have_answers_of_their_own() -> None:
    """The fake engine gives different texts different answers."""
    texts = [f"text {index}" for index in range(20)]
    answer = _classify(FakeEngine(), {"inputs": texts, "parameters": {"function_to_apply": "none"}})
    expected = [
        sorted(map(float, pseudo_logits(TextInput(text), 2)), reverse=True) for text in texts
    ]
    assert isinstance(answer, list)
    assert [[each["score"] for each in scores] for scores in answer] == expected
