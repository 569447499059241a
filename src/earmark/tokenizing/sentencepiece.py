"""Builds tokenizers from SentencePiece's `.model` files that give the same pieces.

Follows google/sentencepiece, version 0.2: normalizer.cc for cleaning a text, unigram_model.cc and
bpe_model.cc for its pieces.
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

MARK = "\u2581"
"""The character for a space in pieces."""
BEHIND_BEST = 0.1
"""A user-defined piece is scored this much below the best piece, for each of its bytes
(`Model::EncodeOptimized`)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a vocabulary.

    Attributes:
        text: its text in the vocabulary.
        score: log probability.
        kind: type in the model file; only `NORMAL` and `USER_DEFINED` pieces are found in texts.
    """

    text: str
    score: float
    kind: int


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The pieces of a family of tokenizers, in the order of its ids.

    Attributes:
        pieces: index = id.
        unknown_id: id of the piece for unknown text.
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
    """Build a tokenizer, without its added tokens and its post-processor.

    Args:
        model: the model file.
        vocabulary: its pieces, in the family's order.
        first: the family's own steps before those of SentencePiece.
        cuts: places that no piece may cross in this family.
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
        # The library derives the score of unknown text from the lowest one, which 0 never is.
        return piece.score if piece.kind == NORMAL else 0.0

    return Unigram(
        [(piece.text, score(piece)) for piece in vocabulary.pieces],
        unk_id=vocabulary.unknown_id,
        byte_fallback=model.bytes_for_unknown,
    )


def _names_broken(vocabulary: Vocabulary) -> Iterator[PreTokenizer]:
    """Cut the names of special pieces in two, wherever a text contains them.

    The library may find every piece in a text, special ones too. Names of added tokens are taken
    out of the text before; other names must be read as plain letters.
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
    """Return where to cut a name; adjacent unknown letters would join into one unknown piece."""
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
        # No pairs make a user-defined piece: it is taken whole.
        ignore_merges=any(len(piece.text) > 1 for piece in vocabulary.of_kind(USER_DEFINED)),
    )


def _symbols_apart(vocabulary: Vocabulary) -> Iterator[PreTokenizer]:
    """Separate user-defined pieces from the text around them: nothing is joined to them."""
    texts = sorted((piece.text for piece in vocabulary.of_kind(USER_DEFINED)), key=len)
    if texts:
        yield Split(Regex("|".join(map(re.escape, reversed(texts)))), "isolated")
