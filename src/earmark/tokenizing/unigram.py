"""Unigram tokenizers from SentencePiece's `.model` files.

Each family lays its ids out and cleans its texts in its own way. All follow `transformers` 5.24.0:
convert_slow_tokenizer.py (`convert_from_spm`) for the ids, models/*/tokenization_*.py for the rest.
"""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.decoders import Metaspace as MetaspaceDecoder
from tokenizers.models import Unigram
from tokenizers.normalizers import (
    NFC,
    NFKD,
    Lowercase,
    Normalizer,
    Precompiled,
    Replace,
    Strip,
    StripAccents,
)
from tokenizers.normalizers import Sequence as Normalizers
from tokenizers.pre_tokenizers import Metaspace, PreTokenizer, Punctuation, WhitespaceSplit
from tokenizers.pre_tokenizers import Sequence as PreTokenizers

from earmark.errors import InvalidCheckpoint
from earmark.tokenizing.charsmap import check_charsmap
from earmark.tokenizing.library import complaints_about
from earmark.tokenizing.sentencepiece_model import SentencePieceModel, read_sentencepiece
from earmark.tokenizing.stated import StatedTokenizer

__all__ = ["albert", "camembert", "deberta_v2", "xlm_roberta"]

NEVER = -100.0
"""Score of a piece that CamemBERT's vocabulary has and its texts shall not use."""
XLM_ROBERTA_OWN = 3
"""`<unk>`, `<s>` and `</s>` begin the file; fairseq has them in another order, with `<pad>`."""
CAMEMBERT_OWN = 1
"""Only `<unk>` gives way: `<s>` and `</s>` of the file go on existing, beside fairseq's."""
UNKNOWN_ID = 3
"""Where both layouts of fairseq have the unknown token."""
ALBERT_UNKNOWN_ID = 1

Pieces = list[tuple[str, float]]


def xlm_roberta(paths: Sequence[Path], stated: StatedTokenizer) -> Tokenizer:
    """Build XLM-RoBERTa's tokenizer: ids in the order of fairseq, the mask last.

    Args:
        paths: `sentencepiece.bpe.model` (a Unigram model, whatever its name says).
        stated: special tokens, and `add_prefix_space`.

    Raises:
        InvalidCheckpoint: the file is not what it should be.
    """
    model = _read(paths, at_least=XLM_ROBERTA_OWN)
    roles = ("bos_token", "pad_token", "eos_token", "unk_token")
    first = [(stated.text_of(role) or role, 0.0) for role in roles]
    mask = (stated.text_of("mask_token") or "<mask>", 0.0)
    pieces = [*first, *model.pieces[XLM_ROBERTA_OWN:], mask]
    tokenizer = _tokenizer(model, pieces, UNKNOWN_ID)
    _set_words(tokenizer, model, stated)
    return _finish(tokenizer, model, stated)


def camembert(paths: Sequence[Path], stated: StatedTokenizer) -> Tokenizer:
    """Build CamemBERT's tokenizer: fairseq's special tokens, some of which are not used.

    Args:
        paths: `sentencepiece.bpe.model`.
        stated: special tokens, and `add_prefix_space`.

    Raises:
        InvalidCheckpoint: the file is not what it should be.
    """
    model = _read(paths, at_least=CAMEMBERT_OWN)
    unknown = stated.text_of("unk_token") or "<unk>"
    pieces = [
        ("<s>NOTUSED", 0.0),
        (stated.text_of("pad_token") or "<pad>", 0.0),
        ("</s>NOTUSED", 0.0),
        (unknown, 0.0),
        ("<unk>NOTUSED", NEVER),
        *model.pieces[CAMEMBERT_OWN:],
        (stated.text_of("mask_token") or "<mask>", 0.0),
    ]
    tokenizer = _tokenizer(model, pieces, UNKNOWN_ID)
    _set_words(tokenizer, model, stated)
    return _finish(tokenizer, model, stated)


def deberta_v2(paths: Sequence[Path], stated: StatedTokenizer) -> Tokenizer:
    """Build the tokenizer of DeBERTa-v2 and v3: ids as in the file, spaces kept as they are.

    Today's `transformers` does not use the file's table of replacements here (4.x did), so that
    neither does this.

    Args:
        paths: `spm.model`.
        stated: `do_lower_case`, `split_by_punct`, `add_prefix_space`.

    Raises:
        InvalidCheckpoint: the file is not what it should be.
    """
    model = _read(paths)
    unknown = stated.text_of("unk_token") or "[UNK]"
    ids = {piece: index for index, piece in enumerate(model.pieces)}
    tokenizer = _tokenizer(model, model.pieces, ids.get((unknown, 0.0), model.unknown_id))
    lower: list[Normalizer] = [Lowercase()] if stated.flag("do_lower_case", default=False) else []
    spaces = Replace(Regex(r"\s{2,}|[\n\r\t]"), " ")
    tokenizer.normalizer = Normalizers([*lower, spaces, NFC(), Strip(left=False, right=True)])
    prefix = stated.flag("add_prefix_space", default=True)
    scheme = "always" if prefix else "first"
    split: list[PreTokenizer] = []
    if stated.flag("split_by_punct", default=False):
        split.append(Punctuation(behavior="isolated"))
    tokenizer.pre_tokenizer = PreTokenizers([*split, Metaspace(prepend_scheme=scheme)])
    tokenizer.decoder = MetaspaceDecoder(prepend_scheme=scheme)
    return _finish(tokenizer, model, stated)


def albert(paths: Sequence[Path], stated: StatedTokenizer) -> Tokenizer:
    """Build ALBERT's tokenizer: ids as in the file, quotes and accents made plain.

    `remove_space` has no part in it: `transformers` 5 removes spaces always.

    Args:
        paths: `spiece.model`.
        stated: `do_lower_case`, `keep_accents`, `add_prefix_space`.

    Raises:
        InvalidCheckpoint: the file is not what it should be.
    """
    model = _read(paths, at_least=ALBERT_UNKNOWN_ID + 1)
    tokenizer = _tokenizer(model, model.pieces, ALBERT_UNKNOWN_ID)
    cleaning: list[Normalizer] = [Replace("``", '"'), Replace("''", '"')]
    if not stated.flag("keep_accents", default=False):
        cleaning += [NFKD(), StripAccents()]
    if stated.flag("do_lower_case", default=True):
        cleaning.append(Lowercase())
    _set_words(tokenizer, model, stated)
    if tokenizer.normalizer is not None:
        cleaning.append(tokenizer.normalizer)
    tokenizer.normalizer = Normalizers(cleaning)
    return _finish(tokenizer, model, stated)


def _read(paths: Sequence[Path], at_least: int = 1) -> SentencePieceModel:
    (path,) = paths
    model = read_sentencepiece(path)
    if len(model.pieces) < at_least:
        raise InvalidCheckpoint(
            f"{path} holds {len(model.pieces)} pieces, expected {at_least} or more"
        )
    return model


def _tokenizer(model: SentencePieceModel, pieces: Pieces, unknown_id: int) -> Tokenizer:
    with complaints_about(model.path, expected="a Unigram vocabulary"):
        return Tokenizer(Unigram(pieces, unk_id=unknown_id, byte_fallback=False))


def _set_words(tokenizer: Tokenizer, model: SentencePieceModel, stated: StatedTokenizer) -> None:
    """Replace characters as the file says, then cut at spaces and mark where words begin."""
    if model.charsmap:
        check_charsmap(model.charsmap, model.path)
        with complaints_about(model.path, expected="a table of character replacements"):
            tokenizer.normalizer = Precompiled(model.charsmap)
    scheme = "always" if stated.flag("add_prefix_space", default=True) else "never"
    tokenizer.pre_tokenizer = PreTokenizers([WhitespaceSplit(), Metaspace(prepend_scheme=scheme)])
    tokenizer.decoder = MetaspaceDecoder(prepend_scheme=scheme)


def _finish(tokenizer: Tokenizer, model: SentencePieceModel, stated: StatedTokenizer) -> Tokenizer:
    control = [
        AddedToken(text, normalized=False, special=special) for text, special in model.control
    ]
    stated.add_to(tokenizer, control)
    return tokenizer
