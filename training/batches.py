"""Samples, and how they are grouped into batches of padded token ids."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Sample:
    """One text ready for training."""

    ids: tuple[int, ...]
    """Token ids, [CLS] and [SEP] included."""
    positive: float
    """The probability of the positive class to aim at: 0 or 1 for a hard label."""


def make_batches(
    lengths: Sequence[int], *, batch_tokens: int, draw: random.Random | None = None
) -> list[list[int]]:
    """Group texts of like length so that rows x longest row stays within `batch_tokens`.

    Args:
        lengths: tokens of each text.
        batch_tokens: the most tokens, padding included; a longer text is alone in its batch.
        draw: shuffles the batches, and the texts of like length among them; None keeps order.

    Returns:
        Positions into `lengths`; each occurs once.
    """
    jitter = draw.random if draw else (lambda: 0.0)
    # The jitter of up to three tokens mixes neighbours anew on each pass, at 95 % real tokens.
    order = sorted(range(len(lengths)), key=lambda index: lengths[index] + 3 * jitter())
    batches: list[list[int]] = [[]]
    longest = 0
    for index in order:
        longest = max(longest, lengths[index])
        if batches[-1] and longest * (len(batches[-1]) + 1) > batch_tokens:
            batches.append([])
            longest = lengths[index]
        batches[-1].append(index)
    if draw:
        draw.shuffle(batches)
    return [batch for batch in batches if batch]


def pad(rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Pad token ids with 0 ([PAD]); returns ids and attention mask, both [rows, width] int64."""
    width = max(len(row) for row in rows)
    ids = torch.tensor([[*row, *[0] * (width - len(row))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    return ids, mask
