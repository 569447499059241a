"""The model of names at work: sentences to pieces, the loss, and pieces back to words."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import PreTrainedModel

from training.loop import forward, run_through
from training.tagged import OUTSIDE, TAGS, TaggedSentence

IGNORED = -100
"""The target of [CLS] and [SEP], which no tag fits."""

_MISC = [TAGS.index("B-MISC"), TAGS.index("I-MISC")]
_OUTSIDE = TAGS.index(OUTSIDE)


@dataclass(frozen=True, slots=True)
class TaggedSample:
    """One sentence in pieces."""

    ids: tuple[int, ...]
    targets: tuple[int, ...]
    """The class of each piece, or `IGNORED`; a word's later pieces go on with its name (``I-``),
    so that a server may gather names piece by piece."""
    word_starts: tuple[int, ...]
    """The position of each word's first piece; -1 where the word has none, or was cut off."""
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
        for piece, (before, word) in enumerate(pairwise(owners), start=1):
            if word < 0:
                targets.append(IGNORED)
                continue
            first = word != before
            if first:
                starts[word] = piece
            targets.append(_class_of(sentence.tags[word], first=first))
        samples.append(
            TaggedSample(tuple(encoding.ids), tuple(targets), tuple(starts), sentence.marks_misc)
        )
    return samples


def _class_of(tag: str, *, first: bool) -> int:
    return TAGS.index(tag if first else tag.replace("B-", "I-"))


def names_loss(model: PreTrainedModel, batch: Sequence[TaggedSample]) -> torch.Tensor:
    """Mean cross-entropy over the pieces of a batch; a scalar, in nats.

    Where a set does not mark MISC, an O says only "no PER, ORG or LOC": its loss is
    -log(p(O) + p(B-MISC) + p(I-MISC)).
    """
    log_probabilities = functional.log_softmax(forward(model, batch), dim=-1)
    width = log_probabilities.shape[1]
    targets = torch.tensor(
        [[*sample.targets, *[IGNORED] * (width - len(sample.targets))] for sample in batch]
    )
    exact = -log_probabilities.gather(2, targets.clamp(min=0).unsqueeze(2)).squeeze(2)
    either = -torch.logsumexp(log_probabilities[:, :, [_OUTSIDE, *_MISC]], dim=2)
    open_rows = torch.tensor([not sample.marks_misc for sample in batch]).unsqueeze(1)
    losses = torch.where(open_rows & (targets == _OUTSIDE), either, exact)
    return losses[targets != IGNORED].mean()


def tag_pieces(
    model: PreTrainedModel, samples: Sequence[TaggedSample]
) -> list[npt.NDArray[np.int64]]:
    """Return the likeliest class of every piece, [tokens] for each sentence, in order."""
    classes: dict[int, npt.NDArray[np.int64]] = {
        index: logits.argmax(axis=1) for index, logits in run_through(model, samples)
    }
    return [classes[index] for index in range(len(samples))]


def piece_scores(
    model: PreTrainedModel, samples: Sequence[TaggedSample]
) -> npt.NDArray[np.float32]:
    """Return the log-probabilities of all pieces, [pieces, classes], sentences in order."""
    logits = dict(run_through(model, samples))
    rows = np.concatenate([logits[index] for index in range(len(samples))])
    shifted = rows - rows.max(axis=1, keepdims=True)
    scores: npt.NDArray[np.float32] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return scores
