"""Tagged sentences in pieces, and the pieces' classes back to words."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from training.tagged import OUTSIDE, TAGS, TaggedSentence

IGNORED = -100
"""The target of [CLS] and [SEP], which no tag fits."""


@dataclass(frozen=True, slots=True)
class TaggedSample:
    """One sentence in pieces."""

    ids: tuple[int, ...]
    targets: tuple[int, ...]
    """The class of each piece, or `IGNORED`; a word's later pieces go on with its name (``I-``),
    so that a server may gather names piece by piece."""
    word_starts: tuple[int, ...]
    """The position of each word's first piece; -1 where the word has none, or was cut off."""
    first_pieces: tuple[int, ...]
    """For each piece, the position of its word's first piece, which may be its own; [CLS] and
    [SEP] stand for themselves."""
    marks_misc: bool
    second_at: None = None

    def word_tags(self, piece_classes: npt.NDArray[np.int64]) -> list[str]:
        """Read the words' tags off the classes of all pieces: each word has its first piece's."""
        return [TAGS[piece_classes[start]] if start >= 0 else OUTSIDE for start in self.word_starts]


def encode_tagged(tokenizer: Tokenizer, sentences: Sequence[TaggedSentence]) -> list[TaggedSample]:
    """Cut words into pieces, and give each piece its class; in order."""
    encoded = tokenizer.encode_batch(
        [list(sentence.words) for sentence in sentences], is_pretokenized=True
    )
    samples = []
    for encoding, sentence in zip(encoded, sentences, strict=True):
        owners = [-1 if word is None else word for word in encoding.word_ids]
        starts = [-1] * len(sentence.words)
        targets = [IGNORED]
        firsts = [0]
        for piece, (before, word) in enumerate(pairwise(owners), start=1):
            if word < 0:
                targets.append(IGNORED)
                firsts.append(piece)
                continue
            first = word != before
            if first:
                starts[word] = piece
            targets.append(_class_of(sentence.tags[word], first=first))
            firsts.append(starts[word])
        samples.append(
            TaggedSample(
                ids=tuple(encoding.ids),
                targets=tuple(targets),
                word_starts=tuple(starts),
                first_pieces=tuple(firsts),
                marks_misc=sentence.marks_misc,
            )
        )
    return samples


def _class_of(tag: str, *, first: bool) -> int:
    return TAGS.index(tag if first else tag.replace("B-", "I-"))
