"""Texts are cleaned as the models' training cleaned them, not as the `tokenizers` library does."""

# ruff: noqa: RUF001 - letters of many scripts
import unicodedata
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tokenizer_files import charsmap
from tokenizers import NormalizedString, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import Unigram, WordPiece

from earmark.domain.encoding import Encoding
from earmark.domain.texts import Question, TextInput
from earmark.tokenizing.as_trained import as_trained
from earmark.tokenizing.character_table import CharacterTable
from earmark.tokenizing.edits import Edit, carry_out
from earmark.tokenizing.sentencepiece_model import read_sentencepiece
from earmark.tokenizing.tokenizer import TextTokenizer

TRAINED = Path(__file__).parents[2] / "golden" / "tokenizers" / "trained" / "unigram.model"
NMT_NFKC = read_sentencepiece(TRAINED).charsmap
"""SentencePiece's usual table, as its trainer writes it."""


def encode(tokenizer: Tokenizer, text: str) -> Encoding:
    """Encode one text, and keep the places of its tokens."""
    asked = [Question(0, TextInput(text))]
    ((encoding,),) = TextTokenizer.of(tokenizer).encode(asked, max_tokens=100, align=True)
    return encoding


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the ﬁlm", "the film"),
        ("ＡＢＣ　ｎｅｗｓ", "ABC news"),
        ("a\u00a0b\u3000c\u200bd\te\nf\u2028g", "a b c d e f g"),
        ("①②㍿Ⅷ½", "12株式会社VIII1⁄2"),
        ("a\x07b\x00c", "abc".replace("c", "\x00c")),  # NUL is in no table
        ("cafe\u0301 Mu\u0308nchen", "café München"),
        ("ﬁ\u0301x", "fi\u0301x"),  # the library drops the accent
        (unicodedata.normalize("NFD", "한국어 각 사람"), "한국어 각 사람"),
        ("ｶﾞ", "ガ"),
        ("e\u0301\u0323", "é\u0323"),  # longest first, not canonical order
        ("", ""),
    ],
)
def test_a_table_is_followed_as_sentencepiece_does(text: str, expected: str) -> None:
    """The text equals that of `SentencePieceNormalizer(rule_name="nmt_nfkc")`, but for spaces."""
    normalized = NormalizedString(text)
    CharacterTable(NMT_NFKC).normalize(normalized)
    assert normalized.normalized == expected


def test_what_is_kept_is_not_replaced() -> None:
    """A text that is to be kept is not replaced; the longest such text counts."""
    table = CharacterTable(NMT_NFKC, ["ﬁ", "ﬁＡ"])
    assert [edit.made for edit in table.edits("ﬁＡﬁＢﬂ")] == ["B", "fl"]


@given(st.text(alphabet="ab\u00e9e\u0301ﬁＡ\u3000한\u1112\u1161\u11ab㍿\x01", max_size=30))
def test_edits_leave_each_letter_where_it_stood(text: str) -> None:
    """For any text the offsets stay within it and in its order."""
    edits = CharacterTable(NMT_NFKC).edits(text)
    expected, at = "", 0
    for edit in edits:
        expected += text[at : edit.start] + edit.made
        at = edit.stop
    expected += text[at:]
    letters = sorted(set(expected) | {"?"})
    tokenizer = Tokenizer(Unigram([("?", 0.0), *((one, -1.0) for one in letters[1:])], unk_id=0))
    tokenizer.normalizer = normalizers.Precompiled(NMT_NFKC)
    as_trained(tokenizer)
    found = tokenizer.encode(text)
    assert "".join(found.tokens) == expected
    starts = [start for start, _ in found.offsets]
    assert starts == sorted(starts)
    assert all(0 <= start < end <= len(text) for start, end in found.offsets)


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ([Edit(0, 1, "")], ["b:1", "c:2", "d:3"]),
        ([Edit(0, 4, "")], []),
        ([Edit(1, 3, "X")], ["a:0", "X:1", "d:3"]),
        ([Edit(1, 2, "XYZ")], ["a:0", "X:1", "Y:1", "Z:1", "c:2", "d:3"]),
        ([Edit(1, 3, "XYZ")], ["a:0", "X:1", "Y:2", "Z:2", "d:3"]),
        ([Edit(0, 1, "XY"), Edit(3, 4, "XYZ")], ["X:0", "Y:0", "b:1", "c:2", "X:3", "Y:3", "Z:3"]),
        ([], ["a:0", "b:1", "c:2", "d:3"]),
    ],
)
def test_edits_are_carried_out(edits: list[Edit], expected: list[str]) -> None:
    """Each new letter has the place of the letter that it replaces."""

    class Edits:
        def normalize(self, normalized: NormalizedString) -> None:
            carry_out(normalized, edits)

    letters = [("?", 0.0), *((one, -1.0) for one in "abcdXYZ")]
    tokenizer = Tokenizer(Unigram(letters, unk_id=0))
    tokenizer.normalizer = normalizers.Normalizer.custom(Edits())
    found = tokenizer.encode("abcd")
    starts = (start for start, _ in found.offsets)
    assert [f"{one}:{start}" for one, start in zip(found.tokens, starts, strict=True)] == expected


def bert(*pieces: str, normalizer: normalizers.Normalizer) -> Tokenizer:
    """Make a WordPiece tokenizer of a few pieces."""
    tokens = ("?", *pieces)
    vocabulary = {piece: index for index, piece in enumerate(tokens)}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="?"))  # noqa: S106 - a token of text
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


CASED = normalizers.BertNormalizer(lowercase=False)
ACCENTED = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
CASELESS = normalizers.BertNormalizer(lowercase=True)


@pytest.mark.parametrize("normalizer", [CASED, ACCENTED, normalizers.Sequence([CASED])])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_hangul_is_composed_for_a_bert_that_keeps_accents(
    normalizer: normalizers.Normalizer, form: Literal["NFC", "NFD"]
) -> None:
    """A BERT that keeps accents gets Hangul letters composed to syllables."""
    text = unicodedata.normalize(form, "한국 사람의 각 가")
    found = encode(bert("한국", "사람", "##의", "각", "가", normalizer=normalizer), text)
    assert found.alignment is not None
    assert found.alignment.tokens == ("한국", "사람", "##의", "각", "가")
    places = found.alignment.offsets
    read = [unicodedata.normalize("NFC", text[start:end]) for start, end in places]
    assert read == ["한국", "사람", "의", "각", "가"]


def test_a_syllable_and_a_last_letter_are_one() -> None:
    """A syllable and a last letter are composed; what makes no syllable stays."""
    tokenizer = bert("각", "각\u11a8", "\u1161", "가\u11c3", normalizer=CASED)
    found = encode(tokenizer, "가\u11a8 각\u11a8 \u1161 가\u11c3")
    assert found.alignment is not None
    assert found.alignment.tokens == ("각", "각\u11a8", "\u1161", "가\u11c3")


def test_a_bert_without_accents_takes_hangul_apart_both_ways() -> None:
    """A BERT without accents decomposes Hangul, composed or not, and drops other accents."""
    pieces = ("ㄱ", "\u1112", "##\u1161", "##\u11ab", "e")
    for text in ("한", "\u1112\u1161\u11ab"):
        assert encode(bert(*pieces, normalizer=CASELESS), text).ids == (2, 3, 4)


def test_accents_of_other_letters_stay_as_they_come() -> None:
    """Accents of letters other than Hangul are not composed."""
    tokenizer = bert("é", "e\u0301", normalizer=CASED)
    found = encode(tokenizer, "é e\u0301")
    assert found.alignment is not None
    assert found.alignment.tokens == ("é", "e\u0301")


def test_tables_within_a_sequence_are_followed_too() -> None:
    """A table within a sequence of normalizers is followed too."""
    tokenizer = Tokenizer(Unigram([("?", 0.0), ("b", -1.0), ("c", -1.0)], unk_id=0))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Lowercase(), normalizers.Precompiled(charsmap()), normalizers.Strip()]
    )
    as_trained(tokenizer)
    assert tokenizer.encode(" AbC ").tokens == ["b", "b", "c"]
