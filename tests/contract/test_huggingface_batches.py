"""Official clients keep only the first list of an answer: how batches are answered then."""

import json

import httpx
import pytest
from support.fake_engine import FakeEngine, reranker
from support.http_app import ask

from earmark.domain.texts import TextInput

_HUB = "unknown/None; hf_hub/2.4.0; python/3.12"
_JAVASCRIPT = "@huggingface/inference/4.13.30"
_OTHER = "python-requests/2.32.5"

_LOGITS = {TextInput("q", "a"): [0.0], TextInput("q", "b"): [2.0], TextInput("q", "c"): [-2.0]}
_SCORES = [
    {"label": "LABEL_0", "score": pytest.approx(score)} for score in (0.5, 0.880797, 0.119203)
]
_PAIRS = {"inputs": [{"text": "q", "text_pair": each} for each in "abc"]}


def _post(body: object, user_agent: str, engine: FakeEngine, path: str = "/") -> httpx.Response:
    headers = {"user-agent": user_agent}
    answer = ask("POST", path, json.dumps(body), engines=(engine,), headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize("user_agent", [_HUB, _JAVASCRIPT])
@pytest.mark.parametrize("inputs", [_PAIRS, {"inputs": [["q", "a"], ["q", "b"], ["q", "c"]]}])
def test_pairs_of_a_reranker_stand_in_the_one_list_that_is_read(
    user_agent: str, inputs: object
) -> None:
    """A reranker's pairs are answered in one list, in order, and `Vary` keeps the forms apart."""
    answer = _post(inputs, user_agent, reranker(logits=_LOGITS))
    assert answer.json() == [_SCORES]
    assert "User-Agent" in answer.headers["vary"].split(", ")
    assert "x-hf-warning" not in answer.headers


@pytest.mark.parametrize("user_agent", [_OTHER, "", "node"])
def test_other_callers_get_a_list_for_each_pair(user_agent: str) -> None:
    """Other clients get a list for each pair, as from `transformers` and the Hub."""
    answer = _post(_PAIRS, user_agent, reranker(logits=_LOGITS))
    assert answer.json() == [[each] for each in _SCORES]
    assert "User-Agent" in answer.headers["vary"].split(", ")


def test_the_old_class_gets_a_list_for_each_pair() -> None:
    """`InferenceApi`, which returns the whole answer, gets a list for each pair."""
    engine = reranker(logits=_LOGITS)
    answer = _post(_PAIRS, _HUB, engine, "/pipeline/text-classification/acme/rr")
    assert answer.json() == [[each] for each in _SCORES]


@pytest.mark.parametrize("user_agent", [_HUB, _JAVASCRIPT])
def test_the_best_label_of_each_text_stands_in_the_one_list(user_agent: str) -> None:
    """With `top_k` 1, the best label of each text is in one list, in order."""
    engine = FakeEngine(logits={TextInput("a"): [0.0, 9.0], TextInput("b"): [9.0, 0.0]})
    answer = _post({"inputs": ["a", "b"], "parameters": {"top_k": 1}}, user_agent, engine)
    assert [[each["label"] for each in scores] for scores in answer.json()] == [
        ["POSITIVE", "NEGATIVE"]
    ]


@pytest.mark.parametrize("user_agent", [_HUB, _JAVASCRIPT])
def test_several_labels_of_several_texts_stay_apart_with_a_warning(user_agent: str) -> None:
    """Several labels of several texts stay in lists of their own, with a warning."""
    answer = _post({"inputs": ["a", "b"]}, user_agent, FakeEngine())
    assert [len(each) for each in answer.json()] == [2, 2]
    topic, _, warning = answer.headers["x-hf-warning"].partition("; ")
    assert topic == "text-classification"
    assert "keeps the first of 2 answers" in warning
    assert '"top_k": 1' in warning


@pytest.mark.parametrize("body", [{"inputs": "a"}, {"inputs": ["a"]}])
def test_one_text_is_answered_as_ever(body: object) -> None:
    """A single text has the usual answer and no warning."""
    answer = _post(body, _HUB, FakeEngine())
    assert [len(each) for each in answer.json()] == [2]
    assert "x-hf-warning" not in answer.headers
