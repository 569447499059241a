"""From scores of tokens to labelled pieces of a text.

Follows `transformers` 5.23.0, pipelines/token_classification.py, function by function.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from earmark.domain.encoding import Alignment, Encoding
from earmark.domain.head import ModelHead, Pieces
from earmark.domain.labels import LabelSet
from earmark.domain.packing import Float32
from earmark.domain.results import Entity

__all__ = [
    "STRATEGIES",
    "AggregationStrategy",
    "AlignedToken",
    "aligned_tokens",
    "alignment_of",
    "beats",
    "group",
    "label_tokens",
    "label_words",
    "overlap",
    "without_overlaps",
]

AggregationStrategy = Literal["none", "simple", "first", "average", "max"]
STRATEGIES: tuple[AggregationStrategy, ...] = ("none", "simple", "first", "average", "max")


@dataclass(frozen=True, slots=True)
class AlignedToken:
    """A token of a text with its scores.

    Attributes:
        word: as the vocabulary has it; of an unknown token, the text it stands for.
        scores: probabilities, ``[labels]``.
        start: first Unicode code point in the text.
        end: last code point plus one.
        index: place in its window, special tokens counted.
        continues: whether it goes on with the word of the token before.
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
    """Lay scores beside the tokens they are for; special tokens are left out.

    Args:
        text: the text that was encoded.
        encoding: its tokens, with their alignment.
        scores: ``[tokens, labels]``.
        pieces: how tokens make words.

    Raises:
        ValueError: the encoding has no alignment, which the engine never lets happen.
    """
    tokens = []
    alignment = alignment_of(encoding)
    for index, (token, (start, end)) in enumerate(
        zip(alignment.tokens, alignment.offsets, strict=True)
    ):
        if alignment.special[index]:
            continue
        known = token != pieces.unknown
        word = token if known else text[start:end]
        continues = known and _continues(text, token, start, end, pieces)
        tokens.append(AlignedToken(word, scores[index], start, end, index, continues))
    return tokens


def alignment_of(encoding: Encoding) -> Alignment:
    """Return where an encoding's tokens stand.

    Raises:
        ValueError: it has no alignment, which the engine never lets happen.
    """
    if encoding.alignment is None:
        raise ValueError("the encoding has no alignment; it was made for another task")
    return encoding.alignment


def _continues(text: str, token: str, start: int, end: int, pieces: Pieces) -> bool:
    """Say whether a token goes on with a word.

    Where the vocabulary marks it, a marked token is longer than its text. Elsewhere a token
    begins a word when a space stands before it or at its start, which glues punctuation to words.
    """
    if pieces.marks_continuation:
        return len(token) != end - start
    return start > 0 and " " not in text[start - 1 : start + 1]


def label_tokens(tokens: Sequence[AlignedToken], labels: LabelSet) -> list[Entity]:
    """Give each token its best label."""
    return [
        _labelled(token.scores, labels, token.word, token.start, token.end, token.index)
        for token in tokens
    ]


def _labelled(
    scores: Float32, labels: LabelSet, word: str, start: int, end: int, index: int | None = None
) -> Entity:
    best = int(scores.argmax())
    return Entity(labels.names[best], float(scores[best]), word, start, end, index)


def label_words(
    tokens: Sequence[AlignedToken],
    head: ModelHead,
    strategy: Literal["first", "average", "max"],
) -> list[Entity]:
    """Give each word one label: of its first token, of the mean, or of its surest token."""
    entities = []
    for word in _words(tokens):
        scores = _word_scores(word, strategy)
        text = head.pieces.join([token.word for token in word])
        entities.append(_labelled(scores, head.labels, text, word[0].start, word[-1].end))
    return entities


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


def group(entities: Sequence[Entity], pieces: Pieces) -> list[Entity]:
    """Join neighbours of one kind: ``I-`` goes on, ``B-`` begins anew, no prefix goes on."""
    groups: list[list[Entity]] = []
    for entity in entities:
        begins = entity.label.startswith("B-")
        if groups and not begins and entity.group == groups[-1][-1].group:
            groups[-1].append(entity)
        else:
            groups.append([entity])
    return [_joined(members, pieces) for members in groups]


def _joined(members: Sequence[Entity], pieces: Pieces) -> Entity:
    # The reference cuts at the first dash of the first label, whatever stands before it.
    label = members[0].label.split("-", 1)[-1]
    score = float(np.mean([member.score for member in members]))
    word = pieces.join([member.word for member in members])
    return Entity(label, score, word, members[0].start, members[-1].end)


def without_overlaps(entities: Sequence[Entity]) -> list[Entity]:
    """Of entities that overlap, as in neighbouring windows, keep the longer, then the surer.

    One difference from the reference, which answers a first entity of no width (a byte-level
    tokenizer's space before the text) twice: here it comes once.
    """
    kept: list[Entity] = []
    for entity in sorted(entities, key=lambda one: one.start):
        if not kept or not overlap(kept[-1], entity):
            kept.append(entity)
        elif beats(entity, kept[-1]):
            kept[-1] = entity
    return kept


def overlap(entity: Entity, later: Entity) -> bool:
    """Say whether an entity that starts no earlier begins within another."""
    return entity.start <= later.start < entity.end


def beats(entity: Entity, other: Entity) -> bool:
    """Say which of two that overlap stays: the longer, then the surer, else the other."""
    length, other_length = entity.end - entity.start, other.end - other.start
    return length > other_length or (length == other_length and entity.score > other.score)
