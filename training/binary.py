"""The loss and the scores of a model of two classes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional
from transformers import PreTrainedModel

from training.batches import Row, Sample
from training.loop import classify, forward


def binary_loss(model: PreTrainedModel, batch: Sequence[Sample]) -> torch.Tensor:
    """Mean cross-entropy of a batch against its samples' probabilities; a scalar, in nats.

    So hard, smoothed and distilled labels take the same way.
    """
    positive = torch.tensor([sample.positive for sample in batch])
    target = torch.stack([1 - positive, positive], dim=1)
    return functional.cross_entropy(forward(model, batch), target)


def predict(model: PreTrainedModel, texts: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
    """Score texts given as token ids.

    Returns:
        Log-odds of the positive class, [texts] float32, in the order given.
    """
    logits = classify(model, [Row(tuple(ids)) for ids in texts])
    log_odds: npt.NDArray[np.float32] = logits[:, 1] - logits[:, 0]
    return log_odds
