"""Answers are nested lists of finite numbers; headers say what they cost and what was cut."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_engine import FAKE_TIMINGS, FakeEngine

from earmark.domain.results import Classification, LabelScore
from earmark.domain.texts import TextInput
from earmark.errors import NonFiniteScore
from earmark.web.dialects.huggingface.render import EXPOSED_HEADERS, render_text_classification

_INFO = FakeEngine().info


def _result(score: float = 0.5, *, cut: int = 0) -> Classification:
    return Classification((LabelScore("A", score),), tokens=7, truncated_tokens=cut)


def _render(*results: Classification) -> tuple[object, dict[str, str]]:
    inputs = [TextInput("\u00e9\U0001f600", "ab")] * len(results)
    answer = render_text_classification(results, inputs, FAKE_TIMINGS, _INFO)
    return json.loads(bytes(answer.body)), dict(answer.headers)


def test_one_input_is_answered_by_a_nested_list() -> None:
    """A flat list would break clients."""
    assert _render(_result())[0] == [[{"label": "A", "score": 0.5}]]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1))
def test_every_finite_score_arrives_unchanged(scores: list[float]) -> None:
    """JSON carries the very number."""
    body, _ = _render(*map(_result, scores))
    assert body == [[{"label": "A", "score": score}] for score in scores]


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_is_an_error(score: float) -> None:
    """`null` or `NaN` in its place would break clients."""
    with pytest.raises(NonFiniteScore):
        _render(_result(), _result(score))


def test_headers_say_what_the_answer_cost() -> None:
    """Seconds in x-compute-time, milliseconds elsewhere; characters are code points."""
    _, headers = _render(_result(), _result())
    del headers["content-length"]
    assert headers == {
        "content-type": "application/json",
        "x-compute-type": "cpu",
        "x-compute-characters": "8",
        "x-compute-tokens": "14",
        "x-compute-precision": "float32",
        "x-compute-time": "0.006",
        "x-total-time": "6.0",
        "x-tokenization-time": "0.2",
        "x-queue-time": "1.5",
        "x-inference-time": "4.0",
    }


def test_headers_say_what_was_cut() -> None:
    """How many tokens in all, and of which inputs."""
    _, headers = _render(_result(cut=3), _result(), _result(cut=5))
    assert headers["x-truncated-tokens"] == "8"
    assert headers["x-truncated-inputs"] == "0,2"


def test_a_long_list_of_cut_inputs_is_left_out() -> None:
    """The sum still says that something was cut."""
    _, headers = _render(*[_result(cut=1)] * 33)
    assert headers["x-truncated-tokens"] == "33"
    assert "x-truncated-inputs" not in headers


def test_a_page_may_read_every_header_of_an_answer() -> None:
    """A browser hides what is not listed."""
    _, headers = _render(_result(cut=1))
    assert {name for name in headers if name.startswith("x-")} <= set(EXPOSED_HEADERS)
