"""How far the answers of two ways of running a model are apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from earmark.domain.head import HeadKind
from earmark.domain.labels import LabelSet, ProblemType
from earmark.domain.packing import Float32
from earmark.engine.certificate import Comparison, compare

TWO = LabelSet(("NO", "YES"))
LOGITS = arrays(np.float32, (4, 3), elements=st.floats(-20, 20, width=32))


def compared(
    reference: list[list[float]],
    found: list[list[float]],
    labels: LabelSet = TWO,
    *,
    head: HeadKind = "sequence",
    tolerance: float = 0.01,
) -> Comparison:
    """Compare the answers of texts that have one answer each."""
    as_arrays = [
        [np.asarray([one], np.float32) for one in answers] for answers in (reference, found)
    ]
    return compare(*as_arrays, labels=labels, head=head, tolerance=tolerance)


@given(LOGITS)
def test_a_model_agrees_with_itself(logits: Float32) -> None:
    """Equal answers have no difference and no disagreement."""
    found = compare([logits], [logits], labels=LabelSet(("A", "B", "C")), head="token", tolerance=0)
    assert (found.greatest_difference, found.disagreements, found.answers) == (0.0, 0, 4)
    assert found.within(0.0)


@given(LOGITS, LOGITS)
def test_differences_are_of_probabilities(reference: Float32, found: Float32) -> None:
    """Differences are from 0 to 1, and the mean is not above the greatest."""
    labels = LabelSet(("A", "B", "C"))
    result = compare([reference], [found], labels=labels, head="sequence", tolerance=0.01)
    assert 0.0 <= result.mean_difference <= result.greatest_difference + 1e-6
    assert result.greatest_difference <= 1.0
    assert result.disagreements + result.close_calls <= 2 * result.answers


def test_another_label_is_a_disagreement_though_the_difference_is_small() -> None:
    """0.51 against 0.49 for the other label is a disagreement."""
    found = compared([[0.04, 0.0]], [[0.0, 0.04]], tolerance=0.015)
    assert (found.disagreements, found.close_calls) == (1, 0)
    assert not found.within(1.0)


def test_two_labels_that_the_reference_cannot_tell_apart_are_a_close_call() -> None:
    """Another label where the reference's two best are within the tolerance is a close call."""
    found = compared([[0.01, 0.0]], [[0.0, 0.01]], tolerance=0.01)
    assert (found.disagreements, found.close_calls) == (0, 1)
    assert found.within(0.01)


@pytest.mark.parametrize("fault", [np.nan, np.inf, -np.inf])
def test_an_answer_that_is_no_number_is_as_far_as_can_be(fault: float) -> None:
    """A NaN answer never passes, also where the best labels are the same."""
    found = compared([[0.0, 5.0]], [[fault, 5.0]])
    assert found.greatest_difference == 1.0
    assert not found.within(0.99)


@pytest.mark.parametrize(
    ("labels", "head", "expected"),
    [
        (LabelSet(("ONE",)), "sequence", 0.5 - 1 / (1 + np.e)),
        (LabelSet(("ONE",), "regression"), "sequence", 1.0),
        (LabelSet(("ONE",)), "token", 0.0),
    ],
)
def test_logits_become_what_the_model_is_read_as(
    labels: LabelSet, head: HeadKind, expected: float
) -> None:
    """Logits are compared after sigmoid, softmax or no function, as the model is read."""
    found = compared([[0.0]], [[-1.0]], labels, head=head)
    assert found.greatest_difference == pytest.approx(expected, abs=1e-6)
    assert found.close_calls == 0


def test_values_of_a_regression_are_told_in_units_of_the_largest() -> None:
    """Values of a regression are compared in units of the largest: 200 and 202 differ by 1 %."""
    kind: ProblemType = "regression"
    found = compared([[100.0], [200.0]], [[100.0], [202.0]], LabelSet(("STARS",), kind))
    assert found.greatest_difference == pytest.approx(0.01)
