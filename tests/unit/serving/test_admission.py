"""Permits are counted exactly, and refusals say when to try again."""

from contextlib import AbstractContextManager, ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earmark.errors import QueueFull
from earmark.serving.admission import Admission, AdmissionLimits


def _held(admission: Admission, texts: int) -> AbstractContextManager[object]:
    """Take a permit, and return what gives it back."""
    with ExitStack() as stack:
        stack.enter_context(admission.permit(texts))
        return stack.pop_all()


@given(
    st.lists(st.tuples(st.booleans(), st.integers(min_value=1, max_value=9))),
    st.integers(min_value=1, max_value=5),
    st.integers(min_value=1, max_value=20),
)
def test_what_is_in_flight_never_exceeds_the_limits(
    steps: list[tuple[bool, int]], max_requests: int, max_texts: int
) -> None:
    """After any sequence of requests, both counts are exact and within their limits."""
    admission = Admission(AdmissionLimits(max_requests=max_requests, max_texts=max_texts))
    held: list[tuple[int, AbstractContextManager[object]]] = []
    for arrives, texts in steps:
        if arrives:
            fits = len(held) < max_requests and sum(p for p, _ in held) + texts <= max_texts
            try:
                held.append((texts, _held(admission, texts)))
            except QueueFull:
                assert not fits
            else:
                assert fits
        elif held:
            held.pop(0)[1].__exit__(None, None, None)
        assert admission.requests == len(held)
        assert admission.texts == sum(texts for texts, _ in held)


def test_too_many_requests_are_refused_with_the_figures() -> None:
    """The refusal says how many are in flight and how many may be."""
    admission = Admission(AdmissionLimits(max_requests=1, max_texts=10))
    with (
        admission.permit(1),
        pytest.raises(QueueFull, match="1 requests, of 1 at most"),
        admission.permit(1),
    ):
        raise AssertionError


def test_too_many_texts_are_refused_with_the_figures() -> None:
    """The refusal counts the texts of the newcomer as well."""
    admission = Admission(AdmissionLimits(max_requests=9, max_texts=10))
    with (
        admission.permit(8),
        pytest.raises(QueueFull, match="8 texts are in flight and this request brings 3, of 10"),
        admission.permit(3),
    ):
        raise AssertionError


def test_bulks_leave_room_for_requests_of_few_texts() -> None:
    """Large requests and those of few texts have separate limits, each the whole one."""
    admission = Admission(AdmissionLimits(max_requests=9999, max_texts=2048))
    bulk = _held(admission, 2048)
    with pytest.raises(QueueFull):
        _held(admission, 3)
    few = [_held(admission, 2) for _ in range(1024)]
    with pytest.raises(QueueFull):
        _held(admission, 1)
    few[0].__exit__(None, None, None)
    one = _held(admission, 1)
    bulk.__exit__(None, None, None)
    with admission.permit(2048), one:
        assert admission.texts == 2048 + 2 * 1023 + 1


def test_a_permit_is_given_back_only_once() -> None:
    """A second release of a permit changes nothing."""
    admission = Admission(AdmissionLimits())
    with admission.permit(1):
        permit = _held(admission, 1)
        for _ in range(2):
            permit.__exit__(None, None, None)
        assert (admission.requests, admission.texts) == (1, 1)


def test_the_retry_hint_follows_how_long_permits_are_held() -> None:
    """Slow requests raise the hint towards their own duration, quick ones lower it to 1 s."""
    now_s = 0.0
    admission = Admission(AdmissionLimits(), clock=lambda: now_s)
    for _ in range(50):
        with admission.permit(1):
            now_s += 8.0
    assert admission.retry_after_s == pytest.approx(8.0, abs=0.1)
    for _ in range(100):
        with admission.permit(1):
            now_s += 0.01
    assert admission.retry_after_s == 1.0


def test_the_retry_hint_is_at_most_a_minute() -> None:
    """After one very long request, the retry hint is at most a minute."""
    now_s = 0.0
    admission = Admission(AdmissionLimits(), clock=lambda: now_s)
    with admission.permit(1):
        now_s += 1e6
    assert admission.retry_after_s == 60.0


@pytest.mark.parametrize("name", ["max_requests", "max_texts"])
def test_limits_that_admit_nothing_are_refused(name: str) -> None:
    """A limit of zero, which would refuse every request, is an error."""
    with pytest.raises(ValueError, match=f"{name} is 0"):
        AdmissionLimits(**{name: 0})
