"""The model of inference at work: pairs to tokens, and the loss."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import PreTrainedModel

from training.loop import forward
from training.pairs import Pair


@dataclass(frozen=True, slots=True)
class PairSample:
    """One pair in tokens: [CLS] premise [SEP] hypothesis [SEP]."""

    ids: tuple[int, ...]
    second_at: int
    label: int


def encode_pairs(tokenizer: Tokenizer, pairs: Sequence[Pair]) -> list[PairSample]:
    """Turn pairs into tokens, in order; the tokenizer cuts where the caller wants it to."""
    encoded = tokenizer.encode_batch([(pair.premise, pair.hypothesis) for pair in pairs])
    return [
        PairSample(tuple(encoding.ids), encoding.type_ids.index(1), pair.label)
        for encoding, pair in zip(encoded, pairs, strict=True)
    ]


def pair_loss(model: PreTrainedModel, batch: Sequence[PairSample]) -> torch.Tensor:
    """Mean cross-entropy of a batch; a scalar, in nats."""
    labels = torch.tensor([sample.label for sample in batch])
    return functional.cross_entropy(forward(model, batch), labels)
