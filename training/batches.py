"""Samples, and how they are grouped into batches of padded token ids."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch


class Encoded(Protocol):
    """Anything with token ids: one text, or two in one row."""

    @property
    def ids(self) -> tuple[int, ...]:
        """Token ids, [CLS] and every [SEP] included."""

    @property
    def second_at(self) -> int | None:
        """Where the second text of a pair begins; None where there is one text alone."""


@dataclass(frozen=True, slots=True)
class Row:
    """A text or a pair, ready to be run."""

    ids: tuple[int, ...]
    second_at: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One text ready for training in two classes."""

    ids: tuple[int, ...]
    positive: float
    """The probability of the positive class to aim at: 0 or 1 for a hard label."""
    second_at: None = None


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


def pad_segments(rows: Sequence[Encoded], *, width: int) -> torch.Tensor:
    """Make the token types, [rows, width] int64: 1 from where a pair's second text begins."""
    starts = torch.tensor([width if row.second_at is None else row.second_at for row in rows])
    return (torch.arange(width)[None, :] >= starts[:, None]).long()
