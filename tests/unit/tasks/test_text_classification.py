"""One text's logits to its labels."""

from operator import attrgetter

import numpy as np
import pytest
from golden.answers import read_golden
from golden.cases import CASES, GoldenCase
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from earmark.domain.encoding import Encoding
from earmark.domain.head import ModelHead
from earmark.domain.labels import LabelSet, ProblemType
from earmark.domain.packing import Float32
from earmark.domain.results import Classification
from earmark.domain.texts import TextInput
from earmark.tasks.activations import FUNCTIONS, FunctionToApply
from earmark.tasks.text_classification import TextClassification

ENCODING = Encoding((2, 9, 8, 3), (0, 0, 0, 0), truncated_tokens=5)

LARGEST = float(np.finfo(np.float32).max)

GOLDEN_SCORE_TOLERANCE = 1e-6
"""Both sides compute in float32 from the same logits; a few steps of 1.2e-7 around one."""


class NoPieces:
    """Stands in for a tokenizer's pieces, which classification of whole texts never asks."""

    unknown = None

    def join(self, tokens: list[str]) -> str:
        """Fail: nothing is to be joined.

        Raises:
            AssertionError: always.
        """
        raise AssertionError(tokens)


SEQUENCE_CASES = [case for case in CASES if case.spec.head == "sequence"]

some_logits = st.integers(1, 12).flatmap(
    # Halves, so that equal scores come up often.
    lambda count: arrays(
        np.float32, count, elements=st.integers(-8, 8).map(lambda n: np.float32(n / 2))
    )
)
functions = st.none() | st.sampled_from(FUNCTIONS)


def classify(
    logits: Float32,
    function: FunctionToApply | None = None,
    top_k: int | None = None,
    problem_type: ProblemType | None = None,
) -> Classification:
    """Finish one text; label ``L3`` belongs to the logit at index 3."""
    request = TextClassification((TextInput("a text"),), function=function, top_k=top_k)
    labels = LabelSet(tuple(f"L{index}" for index in range(len(logits))), problem_type)
    return request.finish(0, [ENCODING], [logits], ModelHead("sequence", labels, NoPieces()))


@given(some_logits, functions)
def test_labels_come_best_first_and_ties_in_the_order_of_the_head(
    logits: Float32, function: FunctionToApply | None
) -> None:
    """Sorted as Python's stable sort would, which the reference uses."""
    result = classify(logits, function)
    in_head_order = sorted(result.scores, key=lambda one: int(one.label.removeprefix("L")))
    assert list(result.scores) == sorted(in_head_order, key=attrgetter("score"), reverse=True)


@given(some_logits, functions)
def test_every_label_is_answered_once(logits: Float32, function: FunctionToApply | None) -> None:
    """Without `top_k`, none is left out and none comes twice."""
    result = classify(logits, function)
    assert sorted(one.label for one in result.scores) == sorted(
        f"L{index}" for index in range(len(logits))
    )


@given(some_logits, functions, st.integers(1, 15))
def test_top_k_keeps_the_head_of_the_full_answer(
    logits: Float32, function: FunctionToApply | None, top_k: int
) -> None:
    """The best k with their scores unchanged; more than there are labels gives all."""
    everything = classify(logits, function).scores
    assert classify(logits, function, top_k).scores == everything[:top_k]


@given(arrays(np.float32, 4, elements=st.floats(-LARGEST, LARGEST, width=32)))
def test_scores_of_extreme_logits_stay_finite(logits: Float32) -> None:
    """No NaN and no infinity, whatever finite logits a model gives."""
    for function in FUNCTIONS:
        assert all(np.isfinite(one.score) for one in classify(logits, function).scores)


def test_best_label_and_its_score_are_at_hand() -> None:
    """`label` and `score` are those of the first entry."""
    result = classify(np.asarray([0.0, 3.0, 1.0], np.float32), "none")
    assert (result.label, result.score) == ("L1", 3.0)


def test_function_of_the_request_wins_over_the_checkpoint() -> None:
    """A regression model leaves logits alone, unless the request says otherwise."""
    logits = np.asarray([0.0], np.float32)
    assert classify(logits, problem_type="regression").score == 0.0
    assert classify(logits, "sigmoid", problem_type="regression").score == 0.5


def test_softmax_of_a_single_label_is_one() -> None:
    """As in the reference, however little it says."""
    assert classify(np.asarray([-7.5], np.float32), "softmax").score == 1.0


def test_answer_counts_tokens_read_and_tokens_cut() -> None:
    """The caller learns how much of the text the model saw."""
    result = classify(np.asarray([0.0, 1.0], np.float32))
    assert (result.tokens, result.truncated_tokens) == (4, 5)


@pytest.mark.parametrize("case", SEQUENCE_CASES, ids=lambda case: case.name)
def test_answers_from_its_logits_equal_those_of_the_pipeline(case: GoldenCase) -> None:
    """The logits of `transformers` become the labels, order and scores of its pipeline."""
    golden = read_golden(case)
    labels = LabelSet(golden.labels, golden.problem_type)
    for answer in golden.answers:
        logits = np.asarray(answer.logits[0], np.float32)
        for expected in answer.pipeline:
            request = TextClassification(
                (TextInput("a text"),), function=expected.function, top_k=expected.top_k
            )
            head = ModelHead("sequence", labels, NoPieces())
            result = request.finish(0, [ENCODING], [logits], head)
            assert [one.label for one in result.scores] == [label for label, _ in expected.scores]
            assert [one.score for one in result.scores] == pytest.approx(
                [score for _, score in expected.scores], rel=0, abs=GOLDEN_SCORE_TOLERANCE
            )
