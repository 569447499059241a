"""A caller's preferences: which values are read, and which of two wins."""

import pytest

from earmark.domain.preferences import Preferences
from earmark.errors import InvalidInput
from earmark.web.body import ParsedBody
from earmark.web.dialects.huggingface.preferences import read_preferences


@pytest.mark.parametrize("written", ["false", "False", "0"])
def test_a_header_says_no_in_the_words_of_any_client(written: str) -> None:
    """A header with `false` or `0` turns a preference off."""
    headers = {"x-use-cache": written, "x-load-model": written}
    expected = Preferences(use_cache=False, load=False)
    assert read_preferences(headers) == expected


@pytest.mark.parametrize("written", ["true", "TRUE", "1"])
def test_a_header_says_yes_in_the_words_of_any_client(written: str) -> None:
    """A header with `true` or `1` turns a preference on."""
    assert read_preferences({"x-wait-for-model": written}).wait


def test_the_bodys_options_say_the_same() -> None:
    """The body's `options` set the same preferences as the headers."""
    body = b'{"inputs": "a", "options": {"use_cache": false, "wait_for_model": true}}'
    assert read_preferences({}, ParsedBody.of(body)) == Preferences(use_cache=False, wait=True)


def test_a_header_wins_over_the_body() -> None:
    """Where a header and the body's `options` disagree, the header wins."""
    body = b'{"options": {"use_cache": true, "wait_for_model": false}}'
    headers = {"x-use-cache": "0", "x-wait-for-model": "1"}
    assert read_preferences(headers, ParsedBody.of(body)) == Preferences(use_cache=False, wait=True)


@pytest.mark.parametrize(
    "body", [b'{"options": null}', b'{"options": {}}', b'{"inputs": "options"}']
)
def test_options_may_be_missing(body: bytes) -> None:
    """Without headers and options, every preference has its default."""
    assert read_preferences({}, ParsedBody.of(body)) == Preferences()


def test_a_word_that_is_no_truth_value_is_refused() -> None:
    """The error for a header that is no truth value names the header and the accepted values."""
    with pytest.raises(InvalidInput, match="x-use-cache is 'maybe'; expected true, 1, false, 0"):
        read_preferences({"x-use-cache": "maybe"})


def test_options_of_the_wrong_type_are_refused_by_name() -> None:
    """The error for an option of the wrong type names its place."""
    with pytest.raises(InvalidInput, match=r"`options\.use_cache`: expected `bool \| null`"):
        read_preferences({}, ParsedBody.of(b'{"options": {"use_cache": "no"}}'))


@pytest.mark.parametrize(
    ("agent", "waits"),
    [
        ("unknown/None; hf_hub/0.28.1; python/3.11.7", False),
        ("unknown/None; hf_hub/0.29.0; python/3.11.7", True),
        ("unknown/None; hf_hub/2.4.0; python/3.11.7", True),
        ("@huggingface/inference/3.3.7", False),
        ("@huggingface/inference/3.4.0", True),
        ("curl/8.5.0", False),
        ("", False),
    ],
)
def test_a_client_that_cannot_live_with_a_503_counts_as_waiting(agent: str, *, waits: bool) -> None:
    """Versions of clients that repeat or fail on a 503 count as waiting; others do not."""
    assert read_preferences({"user-agent": agent}).wait is waits


def test_a_client_that_says_it_does_not_wait_is_believed() -> None:
    """A client that says it does not wait does not, whatever its version."""
    headers = {"user-agent": "hf_hub/2.4.0", "x-wait-for-model": "false"}
    assert not read_preferences(headers).wait
