"""Tokenizers from SentencePiece's `.model` files, with the pieces of SentencePiece itself.

Follows google/sentencepiece, version 0.2: normalizer.cc for what becomes of a text,
unigram_model.cc and bpe_model.cc for its pieces.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tokenizers import Regex, Tokenizer
from tokenizers.decoders import Metaspace as MetaspaceDecoder
from tokenizers.models import BPE, Unigram
from tokenizers.normalizers import Normalizer, Prepend, Replace
from tokenizers.normalizers import Sequence as Normalizers
from tokenizers.pre_tokenizers import Metaspace, PreTokenizer, Split
from tokenizers.pre_tokenizers import Sequence as PreTokenizers

from earmark.tokenizing.character_table import CharacterTable
from earmark.tokenizing.charsmap import check_charsmap
from earmark.tokenizing.library import complaints_about
from earmark.tokenizing.sentencepiece_model import NORMAL, USER_DEFINED, SentencePieceModel

__all__ = ["Piece", "Vocabulary", "sentencepiece_tokenizer"]

MARK = "\u2581"
"""What SentencePiece writes for a space."""
BEHIND_BEST = 0.1
"""A piece that users defined is scored this much below the best piece for each of its bytes
(`Model::EncodeOptimized`)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a vocabulary.

    Attributes:
        text: as the vocabulary writes it.
        score: log probability.
        kind: type in the model file; `NORMAL` and `USER_DEFINED` pieces alone are found in texts.
    """

    text: str
    score: float
    kind: int


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The pieces of a family of tokenizers, in the order of its ids.

    Attributes:
        pieces: index = id.
        unknown_id: the piece for what no other piece is.
    """

    pieces: Sequence[Piece]
    unknown_id: int

    def of_kind(self, *kinds: int) -> Iterator[Piece]:
        """List all pieces of some types."""
        return (piece for piece in self.pieces if piece.kind in kinds)


def sentencepiece_tokenizer(
    model: SentencePieceModel,
    vocabulary: Vocabulary,
    *,
    first: Iterable[Normalizer] = (),
    cuts: Iterable[PreTokenizer] = (),
) -> Tokenizer:
    """Build a tokenizer, all but its added tokens and its post-processor.

    Args:
        model: the model file.
        vocabulary: its pieces, as the family orders them.
        first: what the family does to a text before SentencePiece sees it.
        cuts: where the family lets no piece go on.
    """
    make = _pair_joining if model.joins_pairs else _unigram
    with complaints_about(model.path, expected="a vocabulary of SentencePiece"):
        tokenizer = Tokenizer(make(model, vocabulary))
    tokenizer.normalizer = Normalizers([*first, *_cleaning(model, vocabulary)])
    apart = _symbols_apart(vocabulary) if model.joins_pairs else ()
    alone = not any(MARK in piece.text[1:] for piece in vocabulary.pieces)
    alone = alone and any(piece.text == MARK for piece in vocabulary.of_kind(NORMAL))
    metaspace = Metaspace(MARK, prepend_scheme="never", split=alone)
    tokenizer.pre_tokenizer = PreTokenizers([*_names_broken(vocabulary), *apart, *cuts, metaspace])
    tokenizer.decoder = MetaspaceDecoder(MARK, prepend_scheme="always" if model.spaced else "never")
    return tokenizer


def _cleaning(model: SentencePieceModel, vocabulary: Vocabulary) -> Iterator[Normalizer]:
    """List the steps of `Normalizer::Normalize`."""
    if model.charsmap:
        check_charsmap(model.charsmap, model.path)
        kept = [piece.text for piece in vocabulary.of_kind(USER_DEFINED)]
        yield Normalizer.custom(CharacterTable(model.charsmap, kept))
    if model.trimmed:
        yield Replace(Regex(r"\A +|(?<= ) +"), "")
    if model.spaced:
        yield Prepend(MARK)
    yield Replace(" ", MARK)
    if model.trimmed:
        yield Replace(Regex(rf"{MARK}+\z"), "")


def _unigram(model: SentencePieceModel, vocabulary: Vocabulary) -> Unigram:
    best = max((piece.score for piece in vocabulary.of_kind(NORMAL)), default=0.0)

    def score(piece: Piece) -> float:
        if piece.kind == USER_DEFINED:
            return best * len(piece.text.encode()) - BEHIND_BEST
        # The library takes the lowest score for that of unknown text; a higher one changes nothing.
        return piece.score if piece.kind == NORMAL else 0.0

    return Unigram(
        [(piece.text, score(piece)) for piece in vocabulary.pieces],
        unk_id=vocabulary.unknown_id,
        byte_fallback=model.bytes_for_unknown,
    )


def _names_broken(vocabulary: Vocabulary) -> Iterator[PreTokenizer]:
    """Cut the names of special pieces in two, where a text spells them.

    To the library every piece is text that may be found. Names that a tokenizer looks for are taken
    out of the text before; others are no more than their letters.
    """
    letters = {piece.text for piece in vocabulary.of_kind(NORMAL)}
    names = defaultdict(list)
    for piece in vocabulary.pieces:
        if piece.kind not in (NORMAL, USER_DEFINED) and len(piece.text) > 1:
            cut = _between_letters(piece.text, letters)
            names[piece.text[:cut]].append(re.escape(piece.text[cut:]))
    if names:
        broken = (f"{re.escape(begun)}(?={'|'.join(rest)})" for begun, rest in names.items())
        yield Split(Regex("|".join(broken)), "merged_with_previous")


def _between_letters(name: str, known: Collection[str]) -> int:
    """Find where to cut a name: unknown letters that stand together are one unknown piece."""
    places = range(1, len(name))
    return next((at for at in places if name[at - 1] in known or name[at] in known), 1)


def _pair_joining(model: SentencePieceModel, vocabulary: Vocabulary) -> BPE:
    ids = {piece.text: index for index, piece in enumerate(vocabulary.pieces)}
    found = {piece.text for piece in vocabulary.of_kind(NORMAL)}
    joined = sorted(vocabulary.of_kind(NORMAL), key=lambda piece: -piece.score)
    merges = [
        (piece.text[:cut], piece.text[cut:])
        for piece in joined
        for cut in range(1, len(piece.text))
        if piece.text[:cut] in found and piece.text[cut:] in found
    ]
    return BPE(
        ids,
        merges,
        unk_token=vocabulary.pieces[vocabulary.unknown_id].text,
        fuse_unk=True,
        byte_fallback=model.bytes_for_unknown,
        # No pairs make what a user defined; such a piece stands by itself and is taken whole.
        ignore_merges=any(len(piece.text) > 1 for piece in vocabulary.of_kind(USER_DEFINED)),
    )


def _symbols_apart(vocabulary: Vocabulary) -> Iterator[PreTokenizer]:
    """Part what users defined from the text around it: nothing is joined to it."""
    texts = sorted((piece.text for piece in vocabulary.of_kind(USER_DEFINED)), key=len)
    if texts:
        yield Split(Regex("|".join(map(re.escape, reversed(texts)))), "isolated")
