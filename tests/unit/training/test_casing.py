"""Capital letters as pieces of their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import WordPiece

from training.casing import with_case_marks

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
UNKNOWN = "[UNK]"
WORDS = [
    "[PAD]", "[unused1]", "[unused2]", UNKNOWN, "sarah", "nasa", "us", ".", ",", "'", "-",
    *LETTERS, *(f"##{letter}" for letter in LETTERS),
]  # fmt: skip
LATIN_TEXTS = st.text(st.sampled_from("abcXYZ019 .,'-éÉß"), max_size=30)


def plain_tokenizer() -> Tokenizer:
    """Make a tokenizer as an uncased BERT's is."""
    tokenizer = Tokenizer(
        WordPiece({word: number for number, word in enumerate(WORDS)}, unk_token=UNKNOWN)
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    return tokenizer


PLAIN = plain_tokenizer()
MARKING = with_case_marks(PLAIN)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("sarah", ["sarah"]),
        ("Sarah", ["sarah", "##⇧"]),
        ("NASA", ["nasa", "##⇪"]),
        ("us, US", ["us", ",", "us", "##⇪"]),
        ("U.S.", ["u", "##⇧", ".", "s", "##⇧", "."]),
        ("iX", ["i", "##x", "##⇧"]),
        ("C3", ["c", "##3", "##⇧"]),
        ("C3A", ["c", "##3", "##a", "##⇪"]),
        ("O'Xy-A", ["o", "##⇧", "'", "x", "##y", "##⇧", "-", "a", "##⇧"]),
        ("É", ["e", "##⇧"]),
        ("2001", ["2", "##0", "##0", "##1"]),
    ],
)
def test_a_word_with_a_capital_ends_in_a_mark(text: str, tokens: list[str]) -> None:
    """One capital makes one kind of mark, capitals throughout the other; small letters none."""
    assert MARKING.encode(text).tokens == tokens


@given(LATIN_TEXTS)
def test_without_the_marks_all_pieces_are_as_before(text: str) -> None:
    """What the encoder has learnt of words, it meets again."""
    encoding = MARKING.encode(text)
    rest = [token for token in encoding.tokens if token not in {"##⇧", "##⇪"}]
    assert rest == PLAIN.encode(text).tokens


@given(LATIN_TEXTS)
def test_a_mark_ends_where_its_word_ends(text: str) -> None:
    """A name that ends in a mark has the offsets of the name in the text."""
    encoding = MARKING.encode(text)
    for before, token, (start, end) in zip(
        encoding.offsets, encoding.tokens[1:], encoding.offsets[1:], strict=False
    ):
        if token in {"##⇧", "##⇪"}:
            assert end == before[1]
            assert start < end


@given(LATIN_TEXTS)
def test_words_given_apart_are_marked_alike(text: str) -> None:
    """Training gives words, serving gives text; the pieces are the same."""
    assert MARKING.encode(text.split(), is_pretokenized=True).tokens == MARKING.encode(text).tokens


def test_decoding_leaves_marks_out() -> None:
    """What a found name is called is not spoilt."""
    tokens = MARKING.encode("Sarah, NASA").tokens
    assert MARKING.decoder.decode(tokens) == "sarah, nasa"
