"""A text that is encoded in stretches has the encoding of the whole."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import cast

import pytest
import tokenizers
from support.tokenizer_kinds import KINDS, library_tokenizer, text_tokenizer

from earmark.checkpoint.bundled import open_bundled
from earmark.domain.texts import Question, TextInput
from earmark.tokenizing.load import load_tokenizer
from earmark.tokenizing.stretches import LongText
from earmark.tokenizing.tokenizer import TextTokenizer
from earmark.tokenizing.truncation import CUT_SIDES, CutSide

MAX_TOKENS = 24

TEXTS = {
    "words": "The weather in Z\u00fcrich isn't  fine today, is it? " * 30,
    "lines": "a b\n\n\tc d\r\n" * 130,
    "no spaces": "Donaudampfschifffahrt" * 75,
    "one sign": "!" * 1501,
    "spaces": " " * 1500 + "end",
    "ideographs": "\u6771\u4eac\u306f\u4eca\u65e5\u3082\u6674\u308c\u3002" * 130,
    "emoji": "\U0001f600\U0001f3fd\u200d\u2764\ufe0f ok " * 130,
    "accents": "e\u0301a\u0308 n\u0303o " * 130,
    "hangul in parts": "\u1112\u1161\u11ab\u1100\u1173\u11af " * 130,
    "numbers": " ".join(map(str, range(1000, 1300))),
}
"""Some 1,500 characters each."""


def _tokenizers() -> dict[str, TextTokenizer]:
    made = {kind: text_tokenizer(kind) for kind in KINDS}
    return made | {"bundled": load_tokenizer(open_bundled("earmark/ner"))}


TOKENIZERS = _tokenizers()


def _questions(text: str) -> list[Question]:
    return [
        Question(0, TextInput(text)),
        Question(0, TextInput(text), cut="windows", stride=0),
        Question(0, TextInput(text), cut="windows", stride=5),
        Question(0, TextInput(text + " some"), cut="windows", stride=10),
    ]


def _pairs(text: str) -> list[Question]:
    return [
        Question(0, TextInput(text, "a b c")),
        Question(0, TextInput("a b c", text)),
        Question(0, TextInput(text, text[::-1])),
        Question(0, TextInput(text, "a b c"), cut="only_first"),
    ]


@pytest.mark.parametrize("side", CUT_SIDES)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_text_comes_out_the_same_in_stretches(kind: str, text: str, side: CutSide) -> None:
    """In stretches a text has the same ids, types, lost count and places, cut or in windows."""
    whole = replace(TOKENIZERS[kind], cut_side=side)
    in_stretches = replace(whole, long_text=800)
    questions = _questions(text)
    expected = whole.encode(questions, max_tokens=MAX_TOKENS, align=True)
    assert in_stretches.encode(questions, max_tokens=MAX_TOKENS, align=True) == expected
    pairs = _pairs(text)
    expected = whole.encode(pairs, max_tokens=MAX_TOKENS)
    assert in_stretches.encode(pairs, max_tokens=MAX_TOKENS) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_the_tokens_of_a_long_text_are_counted_without_it_being_encoded_at_once(kind: str) -> None:
    """The count of tokens is the library's, though only parts of the text are encoded."""
    tokenizer, longest = library_tokenizer(kind), [0]
    tokenizer.post_processor = None  # as earmark has it: it changes the first token's place
    text = TEXTS["words"] * 20

    def encode(texts: Sequence[str]) -> list[tokenizers.Encoding]:
        longest.append(max(map(len, texts)))
        return tokenizer.encode_batch(list(texts), add_special_tokens=False)

    found = LongText.of(text, encode, 1000)
    assert found is not None
    assert len(found) == len(tokenizer.encode(text, add_special_tokens=False))
    assert max(longest) <= len(text) // 20
    assert "".join(text[begin:end] for begin, end in pairwise(found.cuts)) == text


def test_a_text_is_not_cut_where_that_would_show() -> None:
    """A word of more than 100 letters, one unknown token for WordPiece, is not cut in two."""
    tokenizer = library_tokenizer("wordpiece")

    def encode(texts: Sequence[str]) -> list[tokenizers.Encoding]:
        return tokenizer.encode_batch(list(texts), add_special_tokens=False)

    assert LongText.of("x" * 5000, encode, 1000) is None


def test_small_windows_do_not_have_their_stretch_encoded_for_every_few_of_them() -> None:
    """In windows of 20 tokens too, of some 2,000, the library reads a text a few times at most."""
    text = "good film " * 20_000
    counted = _Counting(library_tokenizer("wordpiece"))
    tokenizer = replace(
        text_tokenizer("wordpiece"), _tokenizer=cast("tokenizers.Tokenizer", counted)
    )
    question = Question(0, TextInput(text), cut="windows", stride=0)
    (found,) = tokenizer.encode([question], max_tokens=20)
    assert len(found) > 2000
    assert counted.characters < 4 * len(text)


class _Counting:
    """A tokenizer of the library that counts what it is given."""

    def __init__(self, tokenizer: tokenizers.Tokenizer) -> None:
        self._tokenizer = tokenizer
        tokenizer.post_processor = None
        self.characters = 0

    def encode_batch(
        self, texts: Sequence[str], *, add_special_tokens: bool
    ) -> list[tokenizers.Encoding]:
        self.characters += sum(map(len, texts))
        return self._tokenizer.encode_batch(list(texts), add_special_tokens=add_special_tokens)
