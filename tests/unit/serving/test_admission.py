"""Permits are counted exactly, and refusals say when to try again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earmark.errors import QueueFull
from earmark.serving.admission import Admission, AdmissionLimits, Permit


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
    held: list[Permit] = []
    for now_s, (arrives, texts) in enumerate(steps):
        if arrives:
            fits = len(held) < max_requests and sum(p.texts for p in held) + texts <= max_texts
            try:
                held.append(admission.admit(texts, now_s=now_s))
            except QueueFull:
                assert not fits
            else:
                assert fits
        elif held:
            admission.release(held.pop(0), now_s=now_s)
        assert admission.requests == len(held)
        assert admission.texts == sum(permit.texts for permit in held)


def test_too_many_requests_are_refused_with_the_figures() -> None:
    """The refusal says how many are in flight and how many may be."""
    admission = Admission(AdmissionLimits(max_requests=1, max_texts=10))
    admission.admit(1, now_s=0.0)
    with pytest.raises(QueueFull, match="1 requests, of 1 at most"):
        admission.admit(1, now_s=0.0)


def test_too_many_texts_are_refused_with_the_figures() -> None:
    """The refusal counts the texts of the newcomer as well."""
    admission = Admission(AdmissionLimits(max_requests=9, max_texts=10))
    admission.admit(8, now_s=0.0)
    with pytest.raises(QueueFull, match="8 texts are in flight and this request brings 3, of 10"):
        admission.admit(3, now_s=0.0)


def test_bulks_leave_room_for_requests_of_few_texts() -> None:
    """Large requests and those of few texts have separate limits, each the whole one."""
    admission = Admission(AdmissionLimits(max_requests=9999, max_texts=2048))
    bulk = admission.admit(2048, now_s=0.0)
    with pytest.raises(QueueFull):
        admission.admit(3, now_s=0.0)
    few = [admission.admit(2, now_s=0.0) for _ in range(1024)]
    with pytest.raises(QueueFull):
        admission.admit(1, now_s=0.0)
    admission.release(few[0], now_s=1.0)
    admission.admit(1, now_s=1.0)
    admission.release(bulk, now_s=1.0)
    admission.admit(2048, now_s=1.0)


def test_a_permit_is_given_back_only_once() -> None:
    """A second release of a permit raises an error."""
    admission = Admission(AdmissionLimits())
    permit = admission.admit(1, now_s=0.0)
    admission.release(permit, now_s=1.0)
    with pytest.raises(KeyError):
        admission.release(permit, now_s=1.0)


def test_the_retry_hint_follows_how_long_permits_are_held() -> None:
    """Slow requests raise the hint towards their own duration, quick ones lower it to 1 s."""
    admission = Admission(AdmissionLimits())
    for start in range(50):
        admission.release(admission.admit(1, now_s=start), now_s=start + 8.0)
    assert admission.retry_after_s == pytest.approx(8.0, abs=0.1)
    for start in range(100):
        admission.release(admission.admit(1, now_s=start), now_s=start + 0.01)
    assert admission.retry_after_s == 1.0


def test_the_retry_hint_is_at_most_a_minute() -> None:
    """After one very long request, the retry hint is at most a minute."""
    admission = Admission(AdmissionLimits())
    admission.release(admission.admit(1, now_s=0.0), now_s=1e6)
    assert admission.retry_after_s == 60.0


@pytest.mark.parametrize("name", ["max_requests", "max_texts"])
def test_limits_that_admit_nothing_are_refused(name: str) -> None:
    """A limit of zero, which would refuse every request, is an error."""
    with pytest.raises(ValueError, match=f"{name} is 0"):
        AdmissionLimits(**{name: 0})
