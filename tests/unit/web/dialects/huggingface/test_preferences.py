"""A caller's wishes: which words count, and which of two wins."""

import pytest

from earmark.domain.preferences import Preferences
from earmark.errors import InvalidInput
from earmark.web.dialects.huggingface.preferences import read_preferences


@pytest.mark.parametrize("written", ["false", "False", "0"])
def test_a_header_says_no_in_the_words_of_any_client(written: str) -> None:
    """Clients of different ages write a truth value differently."""
    headers = {"x-use-cache": written, "x-load-model": written}
    expected = Preferences(use_cache=False, load=False)
    assert read_preferences(headers, b'{"inputs": "a"}') == expected


@pytest.mark.parametrize("written", ["true", "TRUE", "1"])
def test_a_header_says_yes_in_the_words_of_any_client(written: str) -> None:
    """The client of 2024 asks to wait with a 1, that of 2022 with a word."""
    assert read_preferences({"x-wait-for-model": written}, b"{}").wait


def test_the_bodys_options_say_the_same() -> None:
    """Hand-written requests have them, and the old class of the Python client."""
    body = b'{"inputs": "a", "options": {"use_cache": false, "wait_for_model": true}}'
    assert read_preferences({}, body) == Preferences(use_cache=False, wait=True)


def test_a_header_wins_over_the_body() -> None:
    """It is nearer to the transport, and proxies set it."""
    body = b'{"options": {"use_cache": true, "wait_for_model": false}}'
    headers = {"x-use-cache": "0", "x-wait-for-model": "1"}
    assert read_preferences(headers, body) == Preferences(use_cache=False, wait=True)


@pytest.mark.parametrize(
    "body", [b'{"options": null}', b'{"options": {}}', b'{"inputs": "options"}']
)
def test_options_may_be_missing(body: bytes) -> None:
    """Nothing said leaves everything as it is."""
    assert read_preferences({}, body) == Preferences()


def test_a_word_that_is_no_truth_value_is_refused() -> None:
    """The message names the header and what it takes."""
    with pytest.raises(InvalidInput, match="x-use-cache is 'maybe'; expected true, 1, false, 0"):
        read_preferences({"x-use-cache": "maybe"}, b"{}")


def test_options_of_the_wrong_type_are_refused_by_name() -> None:
    """The message names the place."""
    with pytest.raises(InvalidInput, match=r"`options\.use_cache`: expected `bool \| null`"):
        read_preferences({}, b'{"options": {"use_cache": "no"}}')


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
    """The edges are those of each client's source."""
    assert read_preferences({"user-agent": agent}, b"{}").wait is waits


def test_a_client_that_says_it_does_not_wait_is_believed() -> None:
    """What is said wins over what is guessed."""
    headers = {"user-agent": "hf_hub/2.4.0", "x-wait-for-model": "false"}
    assert not read_preferences(headers, b"{}").wait
