"""The headers that say what an answer cost and what was cut."""

import pytest
from support.fake_engine import FAKE_TIMINGS, FakeEngine

from earmark.domain.results import Classification, LabelScore
from earmark.serving.cache.use import NOTHING_CACHED, CacheUse
from earmark.web.answer_headers import EXPOSED_HEADERS, answer_headers


def _result(*, cut: int = 0) -> Classification:
    return Classification((LabelScore("A", 0.5),), tokens=7, truncated_tokens=cut)


def _headers(*results: Classification, cached: CacheUse = NOTHING_CACHED) -> dict[str, str]:
    return answer_headers(
        results, characters=8, timings=FAKE_TIMINGS, info=FakeEngine().info, cached=cached
    )


def test_headers_say_what_the_answer_cost() -> None:
    """`x-compute-time` is in seconds, the other times are in milliseconds."""
    assert _headers(_result(), _result()) == {
        "x-compute-type": "cpu",
        "x-compute-characters": "8",
        "x-compute-tokens": "14",
        "x-compute-model": "acme/tc",
        "x-compute-precision": "float32",
        "x-cache-hits": "0",
        "x-compute-time": "0.006",
        "x-total-time": "6.0",
        "x-tokenization-time": "0.2",
        "x-queue-time": "1.5",
        "x-inference-time": "4.0",
    }


@pytest.mark.parametrize(
    ("cached", "kind", "saved"),
    [
        (CacheUse(hits=2), "cache", "2"),
        (CacheUse(hits=1), "cpu", "1"),
        (CacheUse(hits=1, joined=1), "cpu", "2"),
    ],
)
def test_an_answer_without_a_run_is_the_caches(cached: CacheUse, kind: str, saved: str) -> None:
    """`x-compute-type` is `cache` without a run; an answer that joined a run was computed."""
    headers = _headers(_result(), _result(), cached=cached)
    assert (headers["x-compute-type"], headers["x-cache-hits"]) == (kind, saved)


def test_headers_say_what_was_cut() -> None:
    """The headers say how many tokens were cut in all, and from which inputs."""
    headers = _headers(_result(cut=3), _result(), _result(cut=5))
    assert headers["x-truncated-tokens"] == "8"
    assert headers["x-truncated-inputs"] == "0,2"


def test_a_long_list_of_cut_inputs_is_left_out() -> None:
    """A long list of cut inputs is left out; the number of cut tokens stays."""
    headers = _headers(*[_result(cut=1)] * 33)
    assert headers["x-truncated-tokens"] == "33"
    assert "x-truncated-inputs" not in headers


def test_a_page_may_read_every_header_of_an_answer() -> None:
    """Every header of an answer is among those that a browser may show to a page."""
    assert set(_headers(_result(cut=1))) <= set(EXPOSED_HEADERS)
