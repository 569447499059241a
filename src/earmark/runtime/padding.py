"""Padded rows, the input of foreign models: one text to a row.

Pure. Everything above uses `PackedBatch`; here its texts are put into separate rows with padding
after them, and the model's answers are put back in the form of the batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from earmark.domain.head import HeadKind
from earmark.domain.packing import Float32, Int64, PackedBatch

Grouping = Literal["padded", "one length", "one text"]
"""Which texts may share a run: those of similar length, those of the same length, or none."""

RUN_COST = 32
"""Padded cells that cost as much as one more run: a text that would make its group waste more
begins another. For an exported graph of DistilBERT-base's shape, the fixed cost of a run is that of
41 cells on OpenVINO and 23 on ONNX Runtime (two cores of an Intel Xeon with AMX, float32)."""


@dataclass(frozen=True, slots=True)
class PaddedRows:
    """Texts in rows, each padded to the longest; every array has the shape ``[texts, longest]``.

    Attributes:
        input_ids: token ids, then padding.
        attention_mask: 1 for a token and 0 for padding.
        token_type_ids: 0 for the first text and 1 for the second of a pair; 0 for padding.
    """

    input_ids: Int64
    attention_mask: Int64
    token_type_ids: Int64

    @property
    def position_ids(self) -> Int64:
        """Positions, counted from 0 in each row."""
        counted = np.arange(self.input_ids.shape[1], dtype=np.int64)
        return np.ascontiguousarray(np.broadcast_to(counted, self.input_ids.shape))


def group_texts(
    lengths: Sequence[int], *, grouping: Grouping, apart: Sequence[int] | None = None
) -> list[list[int]]:
    """Group texts that run together, so that little padding is computed.

    From long to short, a text joins the previous group unless the padding of the whole group would
    cost more than another run.

    Args:
        lengths: tokens of each text.
        grouping: which lengths may run together.
        apart: a number for each text; texts with different numbers never run together.

    Returns:
        Indices of the texts of each group; every text is in exactly one.
    """
    kinds = apart or [0] * len(lengths)
    order = sorted(range(len(lengths)), key=lambda index: (kinds[index], -lengths[index]))
    allowed = {"padded": RUN_COST, "one length": 0, "one text": -1}[grouping]
    groups: list[list[int]] = []
    wasted = 0
    for index in order:
        if groups:
            first = groups[-1][0]
            wasted += lengths[first] - lengths[index]
            if kinds[first] == kinds[index] and wasted <= allowed:
                groups[-1].append(index)
                continue
        groups.append([index])
        wasted = 0
    return groups


def pad_texts(
    batch: PackedBatch, texts: Sequence[int], *, pad_id: int, width: int | None = None
) -> PaddedRows:
    """Copy texts of a batch, each into its own row.

    Args:
        batch: the batch.
        texts: indices of the texts, in the order of the rows.
        pad_id: the token id that pads rows.
        width: length of rows; None for that of the longest text.

    Raises:
        ValueError: a text is longer than a row.
    """
    lengths = batch.lengths[list(texts)]
    width = width or int(lengths.max())
    columns = np.arange(width)
    inside = columns < lengths[:, None]
    if inside.sum() != lengths.sum():
        raise ValueError(f"a text of {lengths.max()} tokens does not fit a row of {width}")
    # For padding any cell is fine: it is overwritten.
    cells = np.where(inside, batch.first_token[list(texts)][:, None] + columns, 0)
    return PaddedRows(
        np.where(inside, batch.input_ids.reshape(-1)[cells], pad_id),
        inside.astype(np.int64),
        np.where(inside, batch.token_type_ids.reshape(-1)[cells], 0),
    )


def gather(
    batch: PackedBatch, answers: Sequence[tuple[Sequence[int], Float32]], head: HeadKind
) -> Float32:
    """Combine the logits of groups into those of a packed batch.

    Args:
        batch: the batch.
        answers: for each group its texts and its logits: ``[texts, labels]`` of a sequence head,
            ``[texts, longest, labels]`` of a token head.
        head: which of the two.

    Returns:
        ``[texts, labels]`` in the order of the batch, or ``[rows, width, labels]`` with each
        token's logits in its cell, and zeros in cells without text.
    """
    labels = answers[0][1].shape[-1]
    if head == "sequence":
        found = np.zeros((batch.texts, labels), np.float32)
        for texts, logits in answers:
            found[list(texts)] = logits
        return found
    cells = np.zeros((batch.cells, labels), np.float32)
    for texts, logits in answers:
        for row, text in enumerate(texts):
            start, length = int(batch.first_token[text]), int(batch.lengths[text])
            cells[start : start + length] = logits[row, :length]
    return cells.reshape(*batch.input_ids.shape, labels)
