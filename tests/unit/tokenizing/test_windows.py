"""Long texts in windows, and the places of their tokens."""

import unicodedata
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tokenizer_kinds import KINDS, library_tokenizer, text_tokenizer
from tokenizers import Encoding as LibraryEncoding

from earmark.domain.encoding import Encoding
from earmark.domain.texts import Question, TextInput
from earmark.errors import InvalidInput

SPECIAL = 2
"""Tokens around a single text, of every kind."""

WORDS = st.lists(
    st.sampled_from(
        ["the", "good film", "Paris,", "🙂", "cafe\u0301", "很", "  ", "\n", "New-York"]
    )
    | st.text(max_size=6),
    max_size=30,
)
TEXTS = WORDS.map(" ".join)

library = cache(library_tokenizer)
"""One of each kind for all tests here, which set its truncation as they need it."""

quickly = settings(max_examples=60, deadline=None)
"""No deadline: the first example makes a tokenizer."""

every_kind = pytest.mark.parametrize("kind", KINDS)


def windows(kind: str, text: str, room: int, stride: int) -> list[Encoding]:
    """Read a text in windows of a number of tokens beside the special ones."""
    question = Question(0, TextInput(text), cut="windows", stride=stride)
    (found,) = text_tokenizer(kind).encode([question], max_tokens=room + SPECIAL, align=True)
    return found


def whole(kind: str, text: str) -> Encoding:
    """Read a text in one piece."""
    question = Question(0, TextInput(text))
    ((found,),) = text_tokenizer(kind).encode([question], max_tokens=100_000, align=True)
    return found


def room_and_stride() -> st.SearchStrategy[tuple[int, int]]:
    """Draw a window's room and a stride that fits it."""
    return st.integers(1, 24).flatmap(
        lambda room: st.tuples(st.just(room), st.integers(0, room - 1))
    )


def as_library_writes(kind: str, found: LibraryEncoding) -> tuple[object, ...]:
    """Return the parts of a library's encoding that earmark keeps."""
    return (
        found.ids,
        found.type_ids,
        [library(kind).id_to_token(one) for one in found.ids],
        [mask == 1 for mask in found.special_tokens_mask],
    )


def as_earmark_writes(found: Encoding) -> tuple[object, ...]:
    """Return the same parts of earmark's encoding."""
    assert found.alignment is not None
    where = found.alignment
    return (
        list(found.ids),
        list(found.type_ids),
        list(where.tokens),
        list(where.special),
    )


@every_kind
@quickly
@given(text=TEXTS, size=room_and_stride())
def test_windows_are_those_of_the_library(kind: str, text: str, size: tuple[int, int]) -> None:
    """The windows have the tokens and places of the library's truncation with overflow."""
    room, stride = size
    library(kind).enable_truncation(room + SPECIAL, stride=stride)
    first = library(kind).encode(text)
    expected = [as_library_writes(kind, one) for one in (first, *first.overflowing)]
    assert [as_earmark_writes(one) for one in windows(kind, text, room, stride)] == expected


@every_kind
@quickly
@given(text=TEXTS, size=room_and_stride())
def test_windows_of_a_checkpoint_that_cuts_on_the_left_are_those_of_the_library(
    kind: str, text: str, size: tuple[int, int]
) -> None:
    """With truncation on the left the last window is full and comes first, as in the library."""
    room, stride = size
    library(kind).enable_truncation(room + SPECIAL, stride=stride, direction="left")
    first = library(kind).encode(text)
    expected = [as_library_writes(kind, one) for one in (first, *first.overflowing)]
    question = Question(0, TextInput(text), cut="windows", stride=stride)
    cuts_left = replace(text_tokenizer(kind), cut_side="left")
    (found,) = cuts_left.encode([question], max_tokens=room + SPECIAL, align=True)
    assert [as_earmark_writes(one) for one in found] == expected


def is_part_of_letter(letter: str) -> bool:
    """A mark, or a letter of Hangul that follows the first of its syllable."""
    return unicodedata.category(letter).startswith("M") or "\u1160" <= letter <= "\u11ff"


@every_kind
@quickly
@given(text=TEXTS)
def test_tokens_stand_where_the_library_says(kind: str, text: str) -> None:
    """Offsets are the library's, less the space before a word, with marks after the last letter."""
    library(kind).no_truncation()
    found, ours = library(kind).encode(text), whole(kind, text)
    assert as_earmark_writes(ours) == as_library_writes(kind, found)
    assert ours.alignment is not None
    for said, (start, end) in zip(found.offsets, ours.alignment.offsets, strict=True):
        marks = not kind.startswith("wordpiece")
        assert start == said[0] or (marks and not text[said[0] : start].strip())
        assert end == said[1] or start == end or all(map(is_part_of_letter, text[said[1] : end]))


@every_kind
@quickly
@given(text=TEXTS, size=room_and_stride())
def test_windows_cover_the_text_and_share_exactly_the_stride(
    kind: str, text: str, size: tuple[int, int]
) -> None:
    """Each window after the first begins with exactly the stride's tokens of the last one."""
    room, stride = size
    found = [one.ids[1:-1] for one in windows(kind, text, room, stride)]
    together = list(found[0])
    for before, after in pairwise(found):
        assert before[len(before) - stride :] == after[:stride]
        assert len(after) > stride
        together += after[stride:]
    assert tuple(together) == whole(kind, text).ids[1:-1]
    assert all(len(one) == room for one in found[:-1])
    assert len(found[-1]) <= room


@every_kind
def test_nothing_is_lost_in_windows(kind: str) -> None:
    """A text in windows is read whole, and its count of lost tokens is 0."""
    found = windows(kind, "the good film " * 20, 8, 2)
    assert len(found) > 5
    assert [one.truncated_tokens for one in found] == [0] * len(found)


@pytest.mark.parametrize("text", ["", "good", "good " * 50], ids=["empty", "short", "long"])
def test_windows_cannot_share_all_they_have(text: str) -> None:
    """A stride as large as a window is refused with the window's size, for any text."""
    with pytest.raises(
        InvalidInput, match="`stride` is 8, but a window of this model has room for 8"
    ):
        windows("wordpiece", text, 8, 8)
    with pytest.raises(InvalidInput, match="room for 0"):
        windows("wordpiece", text, 0, 0)


def test_alignment_is_kept_only_where_asked() -> None:
    """Offsets are kept only where they are asked for."""
    question = Question(0, TextInput("good"))
    ((found,),) = text_tokenizer("wordpiece").encode([question], max_tokens=8)
    assert found.alignment is None


def test_an_unknown_piece_goes_by_the_name_of_the_unknown_token() -> None:
    """An unknown Unigram piece has the unknown token's name, as in `transformers`."""
    alignment = whole("unigram", "good 很好").alignment
    assert alignment is not None
    assert alignment.tokens == ("<s>", "▁good", "▁", "<unk>", "</s>")
    assert alignment.offsets[3] == (5, 7)


def test_a_space_is_taken_off_a_words_offsets_once() -> None:
    """A byte-level post-processor takes the space off a word's offsets once, not twice."""
    alignment = whole("byte-level", "the good film").alignment
    assert alignment is not None
    assert alignment.offsets == ((0, 0), (0, 3), (4, 8), (9, 13), (0, 0))
