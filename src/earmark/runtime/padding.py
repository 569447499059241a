"""Padded rows: what models take that others have written, one text to a row.

Pure. Everything above deals in `PackedBatch`; here its texts are cut out of it, stand in rows of
their own with padding behind them, and what the model answers goes back to where the batch has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from earmark.domain.head import HeadKind
from earmark.domain.packing import Float32, Int64, PackedBatch

__all__ = ["RUN_COST", "Grouping", "PaddedRows", "gather", "group_texts", "pad_texts"]

Grouping = Literal["padded", "one length", "one text"]
"""Which texts may stand in one run: of lengths alike, of the same length, or none but itself."""

RUN_COST = 32
"""Padded cells that cost as much as one more run: a text that would make its group waste more
begins another. An exported graph of DistilBERT-base's shape takes for a run's own cost as long as
for 41 cells on OpenVINO and 23 on ONNX Runtime (two cores of an Intel Xeon with AMX, float32)."""


@dataclass(frozen=True, slots=True)
class PaddedRows:
    """Texts in rows, each padded to the longest; every array has the shape ``[texts, longest]``.

    Attributes:
        input_ids: token ids, then padding.
        attention_mask: 1 where a token stands and 0 where padding does.
        token_type_ids: 0 for the first text and 1 for the second of a pair; 0 for padding.
    """

    input_ids: Int64
    attention_mask: Int64
    token_type_ids: Int64

    @property
    def position_ids(self) -> Int64:
        """Counted from 0 in each row."""
        counted = np.arange(self.input_ids.shape[1], dtype=np.int64)
        return np.ascontiguousarray(np.broadcast_to(counted, self.input_ids.shape))


def group_texts(
    lengths: Sequence[int], *, grouping: Grouping, apart: Sequence[int] | None = None
) -> list[list[int]]:
    """Cut texts into groups that run together, so that little padding is computed.

    From long to short, a text joins the group before it until the padding of the whole group
    would cost more than another run.

    Args:
        lengths: tokens of each text.
        grouping: which lengths may stand together.
        apart: a number for each text; texts of different numbers never stand together.

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
    """Cut texts out of a batch, and put each in a row of its own.

    Args:
        batch: where they stand.
        texts: which ones, in the order of the rows.
        pad_id: the token id that fills a row up.
        width: how long rows are; the longest text where it is None.

    Raises:
        ValueError: a text is longer than a row.
    """
    lengths = batch.lengths[list(texts)]
    width = width or int(lengths.max())
    columns = np.arange(width)
    inside = columns < lengths[:, None]
    if inside.sum() != lengths.sum():
        raise ValueError(f"a text of {lengths.max()} tokens does not fit a row of {width}")
    # Where padding stands any cell will do: it is overwritten.
    cells = np.where(inside, batch.first_token[list(texts)][:, None] + columns, 0)
    return PaddedRows(
        np.where(inside, batch.input_ids.reshape(-1)[cells], pad_id),
        inside.astype(np.int64),
        np.where(inside, batch.token_type_ids.reshape(-1)[cells], 0),
    )


def gather(
    batch: PackedBatch, answers: Sequence[tuple[Sequence[int], Float32]], head: HeadKind
) -> Float32:
    """Put the logits of groups back into the form that a packed batch is answered in.

    Args:
        batch: what was asked.
        answers: of each group its texts, and its logits: ``[texts, labels]`` of a sequence head,
            ``[texts, longest, labels]`` of a token head.
        head: which of the two.

    Returns:
        ``[texts, labels]`` in the order of the batch, or ``[rows, width, labels]`` with each
        token's logits in its cell, and zeros where no text stands.
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
