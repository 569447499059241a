"""Where words begin and end, worked out by hand for each kind of tokenizer."""

import pytest
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE, Unigram, WordLevel, WordPiece

from earmark.domain.texts import Question, TextInput
from earmark.tokenizing.tokenizer import TextTokenizer

SPECIAL = ("<s>", "</s>")


def with_ends(tokenizer: Tokenizer) -> Tokenizer:
    """Put a special token around each text, like an encoder's tokenizer."""
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[(one, tokenizer.token_to_id(one)) for one in SPECIAL]
    )
    return tokenizer


def word_piece(*vocabulary: str, normalizer: normalizers.Normalizer | None = None) -> Tokenizer:
    """Make a WordPiece tokenizer; what it does not know is ``?``."""
    tokens = ("?", *SPECIAL, *vocabulary)
    model = WordPiece({token: index for index, token in enumerate(tokens)}, unk_token="?")  # noqa: S106 - a token of text
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    return with_ends(tokenizer)


def byte_level(*, trim_offsets: bool | None = None, prefix_space: bool = False) -> Tokenizer:
    """Make a byte-level tokenizer whose pieces are single bytes, but for ``Anna`` and ``Ġis``.

    Args:
        trim_offsets: as RoBERTa's post-processor says it; None for a template, as ModernBERT has.
        prefix_space: whether a text is read as if a space stood before it.
    """
    merges = [("A", "n"), ("n", "a"), ("An", "na"), ("Ġ", "i"), ("Ġi", "s")]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*SPECIAL, *letters, *("".join(pair) for pair in merges)]
    tokenizer = Tokenizer(BPE({token: index for index, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    if trim_offsets is None:
        return with_ends(tokenizer)
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 1), ("<s>", 0), trim_offsets=trim_offsets, add_prefix_space=prefix_space
    )
    return tokenizer


def metaspace(*pieces: str, by_normalizer: bool = False) -> Tokenizer:
    """Make a Unigram tokenizer with ``▁`` before words; letters are pieces of their own.

    Args:
        pieces: beside letters and the mark.
        by_normalizer: let a `Replace` write the mark, as converted SentencePiece models of BPE do.
    """
    scored = [(piece, 0.0) for piece in ("?", *SPECIAL)]
    scored += [(piece, -1.0) for piece in pieces]
    scored += [(letter, -9.0) for letter in "\u2581AnaisHe,.\u0301"]
    tokenizer = Tokenizer(Unigram(scored, unk_id=0))
    if by_normalizer:
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
        )
        tokenizer.decoder = decoders.Replace("\u2581", " ")
    else:
        tokenizer.normalizer = normalizers.Replace(Regex(r"\s"), " ")
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return with_ends(tokenizer)


def words(tokenizer: Tokenizer, text: str) -> list[str]:
    """Split a text into words by its tokens; tokens without text are no words."""
    question = Question(0, TextInput(text))
    ((encoding,),) = TextTokenizer.of(tokenizer).encode([question], max_tokens=100, align=True)
    where = encoding.alignment
    assert where is not None
    found: list[list[tuple[int, int]]] = []
    for place, special, continues in zip(
        where.offsets, where.special, where.continues, strict=True
    ):
        if special:
            continue
        if found and continues:
            found[-1].append(place)
        else:
            found.append([place])
    return [text[places[0][0] : places[-1][1]] for places in found]


BERT = normalizers.BertNormalizer(lowercase=True)
CASED = normalizers.BertNormalizer(lowercase=False, strip_accents=False)


@pytest.mark.parametrize(
    ("normalizer", "text", "expected"),
    [
        (BERT, "walking, Anna", ["walking", ",", "Anna"]),
        (BERT, "annaanna", ["annaanna"]),  # each ## piece is as long as its text, less the prefix
        (BERT, "Mu\u0308nchen is", ["Mu\u0308nchen", "is"]),  # the accent is dropped
        (BERT, "cafe\u0301", ["cafe\u0301"]),  # also at the end of its word
        (BERT, "cafe\u0301\u0323 is", ["cafe\u0301\u0323", "is"]),
        (BERT, "an\u00adna", ["an\u00adna"]),  # a soft hyphen
        (BERT, "an\u200bna", ["an\u200bna"]),  # a space of no width
        (BERT, "an\u200d\u2060na", ["an\u200d\u2060na"]),  # joiners
        (BERT, "anna\u3000is\u00a0anna\r\nis", ["anna", "is", "anna", "is"]),
        (BERT, "🙂 anna", ["🙂", "anna"]),
        (CASED, "An-Na", ["An", "-", "Na"]),
    ],
)
def test_a_piece_with_the_prefix_goes_on_with_its_word(
    normalizer: normalizers.Normalizer, text: str, expected: list[str]
) -> None:
    """A piece with `##` continues a word, and every other piece begins one."""
    pieces = ("walk", "##ing", ",", "an", "anna", "##na", "##anna", "is", "munchen", "cafe")
    tokenizer = word_piece(*pieces, "-", "An", "Na", normalizer=normalizer)
    assert words(tokenizer, text) == expected


def test_a_prefix_of_another_form_is_the_models_own() -> None:
    """The prefix is read from the model, not assumed to be `##`."""
    vocabulary = {"?": 0, "<s>": 1, "</s>": 2, "an": 3, "@na": 4, "##na": 5}
    model = WordPiece(vocabulary, unk_token="?", continuing_subword_prefix="@")  # noqa: S106 - a token of text
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    assert words(with_ends(tokenizer), "anna ##na") == ["anna", "##na"]


@pytest.mark.parametrize("trim_offsets", [None, True])
@pytest.mark.parametrize("prefix_space", [False, True])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Anna is", ["Anna", "is"]),
        ("AnnaAnna is", ["AnnaAnna", "is"]),
        ("Anna, is", ["Anna,", "is"]),  # what no space parts is one word
        ("Anna\u00e9", ["Anna\u00e9"]),  # two tokens of one letter
    ],
)
def test_byte_level_words_begin_at_a_space(
    *, trim_offsets: bool | None, prefix_space: bool, text: str, expected: list[str]
) -> None:
    """A byte-level word begins after a space, which is no part of it, trimmed or not."""
    tokenizer = byte_level(trim_offsets=trim_offsets, prefix_space=prefix_space)
    assert words(tokenizer, text) == expected


@pytest.mark.parametrize("space", ["\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2028", "\v", "\x85"])
def test_byte_level_words_begin_after_any_white_space(space: str) -> None:
    """A byte-level word begins after any white space, though only a plain one has a mark."""
    found = words(byte_level(), f"Anna{space}Anna is")
    assert [one for one in found if one.strip()] == ["Anna", "Anna", "is"]


@pytest.mark.parametrize("inside", ["\u200b", "\u00ad", "\u200d", "\u2060", "\u0301"])
def test_byte_level_words_go_on_over_what_is_no_space(inside: str) -> None:
    """Accents, joiners and spaces of no width do not begin a new byte-level word."""
    assert words(byte_level(), f"Anna{inside}Anna is") == [f"Anna{inside}Anna", "is"]


def test_a_processor_that_keeps_spaces_is_obeyed() -> None:
    """With `trim_offsets` false the space is within the word's offsets."""
    assert words(byte_level(trim_offsets=False), "Anna is") == ["Anna", " is"]


@pytest.mark.parametrize("by_normalizer", [False, True])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He is Anna", ["He", "is", "Anna"]),
        ("Anna, is", ["Anna,", "is"]),
        ("HeAnna", ["HeAnna"]),
        ("  Anna  is ", ["", "", "Anna", "", "is", ""]),
        ("AXna is", ["AXna", "is"]),  # X is unknown, inside a word
        ("X is", ["X", "is"]),
    ],
)
def test_metaspace_words_begin_at_the_mark(
    *, by_normalizer: bool, text: str, expected: list[str]
) -> None:
    """A word begins at `▁`, whose space is no part of it; `▁` alone has no text."""
    tokenizer = metaspace("\u2581Anna", "\u2581is", "\u2581He", by_normalizer=by_normalizer)
    assert [one for one in words(tokenizer, text) if one] == [one for one in expected if one]


@pytest.mark.parametrize("space", ["\t", "\n", "\u00a0", "\u3000"])
def test_metaspace_words_begin_where_any_space_became_a_mark(space: str) -> None:
    """A word begins where the table of replacements made a space."""
    tokenizer = metaspace("\u2581Anna", "\u2581is")
    assert words(tokenizer, f"Anna{space}is") == ["Anna", "is"]


def test_a_mark_cut_off_as_a_token_of_its_own_begins_the_word() -> None:
    """A `▁` token begins a word, and the piece after it continues that word."""
    tokenizer = metaspace("\u2581", "Anna", "He")
    assert words(tokenizer, "He Anna") == ["He", "Anna"]


def test_an_end_of_word_is_marked_by_its_suffix() -> None:
    """A word ends at a piece with `</w>`, as in CLIP's and the first GPT's vocabulary."""
    tokens = [*SPECIAL, "a", "n", "n</w>", "a</w>", "an", "an</w>"]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    merges = [("a", "n"), ("a", "n</w>")]
    tokenizer = Tokenizer(BPE(vocabulary, merges, end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    assert words(with_ends(tokenizer), "ana an nan") == ["ana", "an", "nan"]


def test_without_marks_words_are_those_of_the_pre_tokenizer() -> None:
    """Without marks, the pre-tokenizer's words are the words."""
    vocabulary = {"?": 0, "<s>": 1, "</s>": 2, "Anna": 3, "is": 4, ".": 5}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="?"))  # noqa: S106 - a token of text
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    assert words(with_ends(tokenizer), "Anna is new.") == ["Anna", "is", "new", "."]
    letters = Tokenizer(BPE({"?": 0, "<s>": 1, "</s>": 2, "a": 3, "b": 4}, [], unk_token="?"))  # noqa: S106 - a token of text
    letters.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    assert words(with_ends(letters), "ab ba a") == ["ab", "ba", "a"]
