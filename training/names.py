"""The model of names at work: the loss, and the classes of pieces."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional
from transformers import PreTrainedModel

from training.loop import forward, run_through
from training.tagged import OUTSIDE, TAGS
from training.tagged_pieces import IGNORED, TaggedSample

AGREEMENT = 0.6
"""How far a word's later pieces are taught by its first piece, and not by the label. A label alone
leaves pieces free to differ wherever the model is unsure, and the strategy ``simple`` then cuts
names up: with labels alone it was 5.4 points of F1 below ``first`` on WikiGold. Now it is 4.0
below, in a run that differed in more than this."""

_MISC = [TAGS.index("B-MISC"), TAGS.index("I-MISC")]
_OUTSIDE = TAGS.index(OUTSIDE)
_CONTINUED = [TAGS.index(tag.replace("B-", "I-")) for tag in TAGS]
"""The class of a word's later pieces, for each class of its first."""


def names_loss(model: PreTrainedModel, batch: Sequence[TaggedSample]) -> torch.Tensor:
    """Mean cross-entropy over the pieces of a batch; a scalar, in nats.

    Where a set does not mark MISC, an O says only "no PER, ORG or LOC": its loss is
    -log(p(O) + p(B-MISC) + p(I-MISC)). A word's later pieces learn from their own label and, as far
    as `AGREEMENT` says, from what the model says of the word's first piece.
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
    firsts = torch.tensor(
        [[*sample.first_pieces, *range(len(sample.ids), width)] for sample in batch]
    )
    later = firsts != torch.arange(width)
    agreement = _agreement_loss(log_probabilities, firsts)
    losses = torch.where(later, (1 - AGREEMENT) * losses + AGREEMENT * agreement, losses)
    return losses[targets != IGNORED].mean()


def _agreement_loss(log_probabilities: torch.Tensor, firsts: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each piece against what its word's first piece says; [rows, width].

    The first piece teaches and does not learn here; its B- becomes I-.
    """
    teacher = log_probabilities.detach().exp()
    teacher = teacher.gather(1, firsts.unsqueeze(2).expand_as(teacher))
    continued = torch.zeros_like(teacher).index_add_(2, torch.tensor(_CONTINUED), teacher)
    return -(continued * log_probabilities).sum(dim=2)


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
