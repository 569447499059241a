"""Logits to scores: what holds for every logit, and which function a checkpoint implies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from earmark.domain.labels import LabelSet, ProblemType
from earmark.domain.packing import Float32
from earmark.tasks.activations import FUNCTIONS, FunctionToApply, apply_function, default_function

LARGEST = float(np.finfo(np.float32).max)

ROUNDING = 1e-6
"""A few float32 steps of a number near one (1.2e-7 each), for sums over some labels."""

FINITE = st.floats(-LARGEST, LARGEST, width=32)
MODERATE = st.floats(-1e4, 1e4, width=32)


def logits(elements: st.SearchStrategy[float]) -> st.SearchStrategy[Float32]:
    """Draw logits of one text or several, one label or several."""
    return arrays(np.float32, array_shapes(max_dims=2, max_side=8), elements=elements)


@given(logits(FINITE))
def test_softmax_sums_to_one_for_any_finite_logits(values: Float32) -> None:
    """Probabilities between zero and one that sum to one, also at the ends of float32."""
    scores = apply_function(values, "softmax")
    assert ((scores >= 0) & (scores <= 1)).all()
    assert scores.sum(axis=-1) == pytest.approx(1.0, abs=ROUNDING)


@given(logits(st.floats(-50, 50, width=32)), st.floats(-50, 50, width=32))
def test_softmax_depends_on_differences_alone(values: Float32, shift: float) -> None:
    """Adding one number to every logit of a text changes nothing but rounding."""
    moved = apply_function(values + np.float32(shift), "softmax")
    # The shift itself rounds each logit, by up to 100 * 2**-24.
    assert moved == pytest.approx(apply_function(values, "softmax"), abs=2e-5)


@given(logits(FINITE))
def test_sigmoid_of_any_finite_logit_is_a_probability(values: Float32) -> None:
    """Between zero and one, without a warning of overflow, also at the ends of float32."""
    scores = apply_function(values, "sigmoid")
    assert ((scores >= 0) & (scores <= 1)).all()


@given(logits(MODERATE))
def test_sigmoid_of_a_logit_and_of_its_negative_sum_to_one(values: Float32) -> None:
    """The function is symmetric around one half."""
    total = apply_function(values, "sigmoid") + apply_function(-values, "sigmoid")
    assert total == pytest.approx(1.0, abs=ROUNDING)


@given(logits(FINITE))
def test_none_leaves_logits_alone(values: Float32) -> None:
    """Raw logits come out bit by bit."""
    assert np.array_equal(apply_function(values, "none"), values)


@given(logits(FINITE), st.sampled_from(FUNCTIONS))
def test_no_function_turns_the_order_of_labels_around(
    values: Float32, function: FunctionToApply
) -> None:
    """The best logit is the best score; shape and float32 stay."""
    scores = apply_function(values, function)
    assert scores.shape == values.shape
    assert scores.dtype == np.float32
    best = np.take_along_axis(scores, values.argmax(axis=-1, keepdims=True), axis=-1)
    assert (best == scores.max(axis=-1, keepdims=True)).all()


@given(logits(st.floats(-30, 30, width=32)))
def test_functions_agree_with_their_formulas_in_double_precision(values: Float32) -> None:
    """Held against the textbook, where the textbook does not overflow."""
    exact = values.astype(np.float64)
    softmax = np.exp(exact) / np.exp(exact).sum(axis=-1, keepdims=True)
    sigmoid = 1 / (1 + np.exp(-exact))
    assert apply_function(values, "softmax") == pytest.approx(softmax, abs=ROUNDING)
    assert apply_function(values, "sigmoid") == pytest.approx(sigmoid, abs=ROUNDING)


@pytest.mark.parametrize(
    ("problem_type", "labels", "expected"),
    [
        ("regression", 1, "none"),
        ("regression", 3, "none"),
        ("multi_label_classification", 3, "sigmoid"),
        ("multi_label_classification", 1, "sigmoid"),
        ("single_label_classification", 2, "softmax"),
        ("single_label_classification", 1, "sigmoid"),
        (None, 1, "sigmoid"),
        (None, 2, "softmax"),
        (None, 20, "softmax"),
    ],
)
def test_checkpoint_implies_a_function(
    problem_type: ProblemType | None, labels: int, expected: FunctionToApply
) -> None:
    """The rules of the `transformers` pipeline, the first that holds."""
    names = tuple(f"LABEL_{index}" for index in range(labels))
    assert default_function(LabelSet(names, problem_type)) == expected
