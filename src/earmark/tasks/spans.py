"""Turns the scores of tokens into labelled pieces of a text.

Follows `transformers` 5.23.0, pipelines/token_classification.py, except for where words begin,
which comes from the tokenizer, and how labels are parsed (docs/differences.md).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from earmark.domain.encoding import Alignment, Encoding
from earmark.domain.head import ModelHead, Pieces
from earmark.domain.packing import Float32
from earmark.domain.results import Entity
from earmark.domain.tags import OUTSIDE, Tag

AggregationStrategy = Literal["none", "simple", "first", "average", "max"]
STRATEGIES: tuple[AggregationStrategy, ...] = ("none", "simple", "first", "average", "max")


@dataclass(frozen=True, slots=True)
class AlignedToken:
    """A token of a text with its scores.

    Attributes:
        word: the token as in the vocabulary; for an unknown token, its text.
        scores: probabilities, ``[labels]``.
        start: first Unicode code point in the text.
        end: last code point plus one.
        index: place in its window, with special tokens.
        continues: whether it continues the word of the token before.
    """

    word: str
    scores: Float32
    start: int
    end: int
    index: int
    continues: bool


def aligned_tokens(
    text: str, encoding: Encoding, scores: Float32, pieces: Pieces
) -> list[AlignedToken]:
    """Combine tokens with their scores, without special tokens.

    Args:
        text: the encoded text.
        encoding: its tokens, with their alignment.
        scores: ``[tokens, labels]``.
        pieces: writes tokens as text.

    Raises:
        ValueError: the encoding has no alignment, which the engine prevents.
    """
    tokens = []
    alignment = alignment_of(encoding)
    for index, (token, (start, end)) in enumerate(
        zip(alignment.tokens, alignment.offsets, strict=True)
    ):
        if alignment.special[index]:
            continue
        word = token if token != pieces.unknown else text[start:end]
        continues = alignment.continues[index]
        tokens.append(AlignedToken(word, scores[index], start, end, index, continues))
    return tokens


def alignment_of(encoding: Encoding) -> Alignment:
    """Return the alignment of an encoding.

    Raises:
        ValueError: it has no alignment, which the engine prevents.
    """
    if encoding.alignment is None:
        raise ValueError("the encoding has no alignment; it was made for another task")
    return encoding.alignment


@dataclass(frozen=True, slots=True)
class Labelled:
    """A token or a word with its best label.

    Attributes:
        entity: the label and its place in the text.
        tag: the label, parsed.
    """

    entity: Entity
    tag: Tag


def label_tokens(tokens: Sequence[AlignedToken], head: ModelHead) -> list[Labelled]:
    """Give each token its best label."""
    labels = [*zip(head.labels.names, head.tags, strict=True)]
    return [
        _labelled(token.scores, labels, (token.word, token.start, token.end), token.index)
        for token in tokens
    ]


def _labelled(
    scores: Float32,
    labels: Sequence[tuple[str, Tag]],
    place: tuple[str, int, int],
    index: int | None = None,
) -> Labelled:
    best = int(scores.argmax())
    name, tag = labels[best]
    return Labelled(Entity(name, float(scores[best]), *place, tag.kind, index), tag)


def label_words(
    tokens: Sequence[AlignedToken],
    head: ModelHead,
    strategy: Literal["first", "average", "max"],
) -> list[Labelled]:
    """Give each word one label: from its first token, its mean, or its token with the top score."""
    labels = [*zip(head.labels.names, head.tags, strict=True)]
    labelled = []
    for word in _words(tokens):
        text = head.pieces.join([token.word for token in word])
        place = (text, word[0].start, word[-1].end)
        labelled.append(_labelled(_word_scores(word, strategy), labels, place))
    return labelled


def _words(tokens: Sequence[AlignedToken]) -> Iterator[list[AlignedToken]]:
    word: list[AlignedToken] = []
    for token in tokens:
        if word and not token.continues:
            yield word
            word = []
        word.append(token)
    if word:
        yield word


def _word_scores(
    word: Sequence[AlignedToken], strategy: Literal["first", "average", "max"]
) -> Float32:
    match strategy:
        case "first":
            return word[0].scores
        case "max":
            return max(word, key=lambda token: float(token.scores.max())).scores
        case "average":
            mean: Float32 = np.stack([token.scores for token in word]).mean(axis=0)
            return mean


def group(labelled: Sequence[Labelled]) -> list[list[Labelled]]:
    """Group neighbours that are parts of one entity according to their tags."""
    groups: list[list[Labelled]] = []
    for one in labelled:
        if groups and one.tag.goes_on(groups[-1][-1].tag):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def ignored(members: Sequence[Labelled], names: Collection[str]) -> bool:
    """Return whether an entity is left out: if all its labels are named, or its kind is.

    A name means a label of the model or a kind of entity. ``O`` means only the label: to leave out
    a kind with that name, name its labels, ``B-O`` and ``I-O``.
    """
    tag = members[0].tag
    if tag.kind in names and (tag.outside or tag.kind != OUTSIDE):
        return True
    return all(one.entity.label in names for one in members)


def join(members: Sequence[Labelled], pieces: Pieces) -> Entity:
    """Join parts into one entity, whose score is their mean."""
    parts = [one.entity for one in members]
    score = float(np.mean([part.score for part in parts]))
    word = pieces.join([part.word for part in parts])
    kind = members[0].tag.kind
    return Entity(kind, score, word, parts[0].start, parts[-1].end, kind)


def without_overlaps(entities: Sequence[Entity]) -> list[Entity]:
    """Keep, of entities that overlap, the longer, or of equally long ones that of higher score.

    One difference from the reference, which returns a first entity of no width (a byte-level
    tokenizer's space before the text) twice: here it is returned once.
    """
    kept: list[Entity] = []
    for entity in sorted(entities, key=lambda one: one.start):
        if not kept or not overlap(kept[-1], entity):
            kept.append(entity)
        elif beats(entity, kept[-1]):
            kept[-1] = entity
    return kept


def overlap(entity: Entity, later: Entity) -> bool:
    """Return whether `later`, which starts no earlier than `entity`, begins within it."""
    return entity.start <= later.start < entity.end


def beats(entity: Entity, other: Entity) -> bool:
    """Return whether an entity is kept over an overlapping one: longer, or with a higher score."""
    length, other_length = entity.end - entity.start, other.end - other.start
    return length > other_length or (length == other_length and entity.score > other.score)
