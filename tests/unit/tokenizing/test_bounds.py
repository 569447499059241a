"""How much may be read is known, and bounded, before anything is cut."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tokenizer_kinds import KINDS, library_tokenizer, text_tokenizer

from earmark.domain.texts import Question, TextInput
from earmark.errors import InvalidInput
from earmark.tokenizing.bounds import check_windows, windows_of
from earmark.tokenizing.stretches import LONG_TEXT

ROOM = 510
"""Of a window of 512 tokens beside two special ones."""


@given(st.integers(0, 200), st.integers(1, 40), st.integers(0, 39))
def test_windows_are_counted_as_the_library_cuts_them(words: int, room: int, stride: int) -> None:
    """The library itself is the judge; none of these texts is read so often that it is refused."""
    if stride >= room:
        return
    (found,) = text_tokenizer("wordpiece").encode(
        [Question(0, TextInput("a " * words), cut="windows", stride=stride)], max_tokens=room + 2
    )
    assert len(found) == windows_of(words, room, stride)


@pytest.mark.parametrize("tokens", [2_000, 5_000, 60_000])
def test_a_stride_that_multiplies_the_work_is_refused(tokens: int) -> None:
    """4 KB, 10 KB and 120 KB of one-letter words; with half a window it is read."""
    with pytest.raises(InvalidInput, match=r"`stride` 509 makes .* choose a smaller stride: 255"):
        check_windows([tokens], ROOM, 509)
    assert check_windows([tokens], ROOM, 255) < 3 * tokens


def test_a_short_text_may_have_any_stride_that_the_reference_takes() -> None:
    """Sixteen windows are a second of work."""
    assert check_windows([ROOM + 15], ROOM, 509) == 16 * ROOM


def test_a_request_is_bounded_as_a_whole() -> None:
    """What is cut off does not count; without a bound there is none."""
    texts = [Question(item, TextInput("good " * 50)) for item in range(10)]
    tokenizer = text_tokenizer("wordpiece")
    with pytest.raises(InvalidInput, match="would read 200 tokens for this request"):
        tokenizer.encode(texts, max_tokens=20, most_tokens=199)
    tokenizer.encode(texts, max_tokens=20, most_tokens=200)
    tokenizer.encode(texts, max_tokens=20)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["good film ", "Paris,\n", "x", "cafe\u0301 New-York 🙂 "])
def test_the_beginning_of_a_very_long_text_is_as_if_all_was_cut(kind: str, text: str) -> None:
    """Tokens, places and what is lost; the library cuts the same text for comparison."""
    long = text * (LONG_TEXT // len(text) + 3_000)
    question = Question(0, TextInput(long))
    ((found,),) = text_tokenizer(kind).encode([question], max_tokens=20, align=True)
    windows = Question(0, TextInput(long), cut="windows", stride=0)
    ((first, *_),) = text_tokenizer(kind).encode([windows], max_tokens=20, align=True)
    whole = library_tokenizer(kind)
    whole.no_truncation()
    (all_of_it,) = whole.encode_batch([long], add_special_tokens=False)
    assert replace(found, truncated_tokens=0) == first
    assert found.truncated_tokens == max(len(all_of_it) - 18, 0)
