"""Builds the tokenizers of each family that uses a SentencePiece `.model` file.

Each family has its own order of ids and its own cleaning. All follow the Python classes of
`transformers` 4.57.1 (models/*/tokenization_*.py), which pass a text to SentencePiece as the
training code of the models did.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tokenizers import AddedToken, NormalizedString, Regex, Tokenizer
from tokenizers.normalizers import NFKD, Lowercase, Normalizer, Replace
from tokenizers.pre_tokenizers import PreTokenizer, Split

from earmark.errors import InvalidCheckpoint
from earmark.tokenizing.edits import Edit, carry_out
from earmark.tokenizing.sentencepiece import Piece, Vocabulary, sentencepiece_tokenizer
from earmark.tokenizing.sentencepiece_model import (
    CONTROL,
    SentencePieceModel,
    read_sentencepiece,
)
from earmark.tokenizing.stated import StatedTokenizer, Token

XLM_ROBERTA_OWN = 3
"""The file begins with `<unk>`, `<s>` and `</s>`; fairseq orders them otherwise, with `<pad>`."""
CAMEMBERT_OWN = 1
"""Only `<unk>` is replaced: `<s>` and `</s>` of the file remain, beside fairseq's."""
UNKNOWN_ID = 3
"""Id of the unknown token in both layouts of fairseq."""
WHITE_SPACE = r"[\t-\r\x1c-\x20\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"
"""The white space that Python's `str.split` splits at."""


def xlm_roberta(paths: Sequence[Path], stated: StatedTokenizer) -> Tokenizer:
    """Build XLM-RoBERTa's tokenizer: ids in the order of fairseq, the mask last.

    Args:
        paths: `sentencepiece.bpe.model` (a Unigram model, despite its name).
        stated: special tokens.

    Raises:
        InvalidCheckpoint: the file is malformed.
    """
    model = _read(paths, at_least=XLM_ROBERTA_OWN)
    roles = ("bos_token", "pad_token", "eos_token", "unk_token")
    first = [stated.text_of(role) or role for role in roles]
    return _fairseq(model, first, XLM_ROBERTA_OWN, stated)


def camembert(paths: Sequence[Path], stated: StatedTokenizer) -> Tokenizer:
    """Build CamemBERT's tokenizer: fairseq's special tokens, some of which are not used.

    Args:
        paths: `sentencepiece.bpe.model`.
        stated: special tokens.

    Raises:
        InvalidCheckpoint: the file is malformed.
    """
    model = _read(paths, at_least=CAMEMBERT_OWN)
    padding = stated.text_of("pad_token") or "<pad>"
    unknown = stated.text_of("unk_token") or "<unk>"
    first = ["<s>NOTUSED", padding, "</s>NOTUSED", unknown, "<unk>NOTUSED"]
    return _fairseq(model, first, CAMEMBERT_OWN, stated)


def deberta_v2(paths: Sequence[Path], stated: StatedTokenizer) -> Tokenizer:
    """Build the tokenizer of DeBERTa-v2 and v3: ids as in the file.

    Args:
        paths: `spm.model`.
        stated: `do_lower_case`, `split_by_punct`.

    Raises:
        InvalidCheckpoint: the file is malformed.
    """
    model = _read(paths)
    first: list[Normalizer] = []
    if stated.flag("do_lower_case", default=False):
        first.append(Lowercase())
    if stated.flag("split_by_punct", default=False):
        first.append(Normalizer.custom(PunctuationApart()))
    return _finish(model, Vocabulary(_own(model), model.unknown_id), first, stated)


def albert(paths: Sequence[Path], stated: StatedTokenizer) -> Tokenizer:
    """Build ALBERT's tokenizer: ids as in the file, quotes and accents simplified.

    Args:
        paths: `spiece.model`.
        stated: `do_lower_case`, `keep_accents`, `remove_space`.

    Raises:
        InvalidCheckpoint: the file is malformed.
    """
    model = _read(paths)
    first: list[Normalizer] = []
    if stated.flag("remove_space", default=True):
        first += [Replace(Regex(WHITE_SPACE), " "), Replace(Regex(r"\A +| +\z"), "")]
    first += [Replace("``", '"'), Replace("''", '"')]
    if not stated.flag("keep_accents", default=False):
        first += [NFKD(), Normalizer.custom(WithoutAccents())]
    if stated.flag("do_lower_case", default=True):
        first.append(Lowercase())
    vocabulary = Vocabulary(_own(model), model.unknown_id)
    return _finish(model, vocabulary, first, stated, cuts=_before_commas(vocabulary))


def _before_commas(vocabulary: Vocabulary) -> list[PreTokenizer]:
    """Cut before a comma after a digit, if any piece ends so (`AlbertTokenizer._tokenize`)."""
    if any(piece.text[-2:-1].isdigit() and piece.text[-1] == "," for piece in vocabulary.pieces):
        return [Split(Regex(r"(?<=\p{Nd}),"), "merged_with_next")]
    return []


class PunctuationApart:
    """A normalizer that puts spaces around punctuation (`SPMTokenizer._run_split_on_punc`)."""

    def normalize(self, normalized: NormalizedString) -> None:
        """Insert the spaces; the library calls this."""
        text = normalized.normalized
        marks = (at for at, letter in enumerate(text) if _is_punctuation(letter))
        carry_out(normalized, [Edit(at, at + 1, f" {text[at]} ") for at in marks])


class WithoutAccents:
    """A normalizer that drops combining characters (`AlbertTokenizer.preprocess_text`).

    The library's own `StripAccents` drops vowel signs of Indian scripts too.
    """

    def normalize(self, normalized: NormalizedString) -> None:
        """Drop combining characters; the library calls this."""
        text = normalized.normalized
        if not text.isascii():
            accents = (at for at, letter in enumerate(text) if unicodedata.combining(letter))
            carry_out(normalized, [Edit(at, at + 1, "") for at in accents])


def _is_punctuation(letter: str) -> bool:
    """Return whether BERT counts a letter as punctuation, as it does all symbols of ASCII."""
    if letter.isascii():
        return letter.isprintable() and not letter.isalnum() and letter != " "
    return unicodedata.category(letter).startswith("P")


def _read(paths: Sequence[Path], at_least: int = 1) -> SentencePieceModel:
    (path,) = paths
    model = read_sentencepiece(path)
    if len(model.pieces) < at_least:
        raise InvalidCheckpoint(
            f"{path} holds {len(model.pieces)} pieces, expected {at_least} or more"
        )
    return model


def _own(model: SentencePieceModel) -> list[Piece]:
    both = zip(model.pieces, model.kinds, strict=True)
    return [Piece(text, score, kind) for (text, score), kind in both]


def _fairseq(
    model: SentencePieceModel, first: Sequence[str], own: int, stated: StatedTokenizer
) -> Tokenizer:
    """Put fairseq's special pieces before those of the file, and the mask after."""
    mask = Piece(stated.text_of("mask_token") or "<mask>", 0.0, CONTROL)
    special = [Piece(text, 0.0, CONTROL) for text in first]
    vocabulary = Vocabulary([*special, *_own(model)[own:], mask], UNKNOWN_ID)
    return _finish(model, vocabulary, (), stated)


def _finish(
    model: SentencePieceModel,
    vocabulary: Vocabulary,
    first: Sequence[Normalizer],
    stated: StatedTokenizer,
    cuts: Sequence[PreTokenizer] = (),
) -> Tokenizer:
    tokenizer = sentencepiece_tokenizer(model, vocabulary, first=first, cuts=cuts)
    _found_as_written(stated).add_to(tokenizer)
    return tokenizer


def _found_as_written(stated: StatedTokenizer) -> StatedTokenizer:
    """Make added tokens match before a text is cleaned (`PreTrainedTokenizer.tokenize`).

    Otherwise the library would clean the tokens too, and put a space before each.
    """

    def as_written(token: AddedToken) -> AddedToken:
        return AddedToken(
            token.content,
            single_word=token.single_word,
            lstrip=token.lstrip,
            rstrip=token.rstrip,
            normalized=False,
            special=token.special,
        )

    def any_as_written(token: Token) -> Token:
        return token if isinstance(token, str) else as_written(token)

    return replace(
        stated,
        named={role: any_as_written(token) for role, token in stated.named.items()},
        extra=None if stated.extra is None else tuple(map(any_as_written, stated.extra)),
        added=tuple(map(as_written, stated.added)),
    )
