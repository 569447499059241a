"""Packs texts into rows of a bounded width, and cuts the answers out again."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from earmark.domain.encoding import Encoding
from earmark.domain.head import HeadKind
from earmark.domain.packing import FILLER_SEGMENT, Float32, PackedBatch

ROW_WIDTH = 256
"""Usual width of a row. The cost of attention grows with its square, but a wide row holds long
texts without being widened. On a processor with AVX-512 this width was the fastest at int8 and
bfloat16; on one with AVX2, 128 is up to a twelfth faster (docs/architecture.md,
`python -m bench.row_width`)."""
WIDTH_STEP = 8
"""Rows are widened to a multiple of this, so that there are few different shapes: the runtime needs
some milliseconds to prepare each new one."""

PRODUCT_COST = 3072
"""Width at which attention costs as much as the matrix products of the same cells: six times the
hidden size, here 512, which is between that of small and of usual encoders."""


def padded_width(tokens: int) -> int:
    """Round a row's width up to a multiple of `WIDTH_STEP`."""
    return -(-tokens // WIDTH_STEP) * WIDTH_STEP


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How large a batch may grow.

    Attributes:
        max_cells: rows times width, filler included.
        row_width: width of rows, unless a single text is longer.
    """

    max_cells: int = 1024
    row_width: int = ROW_WIDTH

    def holding(self, tokens: int) -> "BatchLimits":
        """Return limits that admit a single text of so many tokens."""
        return BatchLimits(max(self.max_cells, padded_width(tokens)), self.row_width)


@dataclass(slots=True)
class Packing:
    """A batch being filled, text by text.

    Attributes:
        limits: its greatest size.
        placed: row of each text, in the order they came.
    """

    limits: BatchLimits
    placed: list[int] = field(default_factory=list)
    _used: list[int] = field(default_factory=list)
    _longest: int = 0

    def add(self, tokens: int) -> bool:
        """Place a text and return whether it fits; if it does not, nothing changes.

        A text longer than a row widens every row; it fits if the wider batch is within the limits.
        """
        longest = max(self._longest, tokens)
        usual = min(self.limits.row_width, self.limits.max_cells) // WIDTH_STEP * WIDTH_STEP
        width = max(padded_width(longest), usual)
        row = next((i for i, used in enumerate(self._used) if used + tokens <= width), self.rows)
        if max(self.rows, row + 1) * width > self.limits.max_cells:
            return False
        if row == self.rows:
            self._used.append(0)
        self._used[row] += tokens
        self._longest = longest
        self.placed.append(row)
        return True

    @property
    def rows(self) -> int:
        """Number of rows in use."""
        return len(self._used)


def _first_fit(lengths: Sequence[int], limits: BatchLimits) -> Packing | None:
    """Place texts in the given order; None if one does not fit."""
    packing = Packing(limits)
    return packing if all(packing.add(length) for length in lengths) else None


def _balanced(lengths: Sequence[int], rows: int) -> list[int]:
    """Distribute texts over a number of rows, each into the row that is least full."""
    used = [0] * rows
    placed = []
    for length in lengths:
        row = used.index(min(used))
        used[row] += length
        placed.append(row)
    return placed


def _width(lengths: Sequence[int], placed: Sequence[int]) -> int:
    used: dict[int, int] = {}
    for length, row in zip(lengths, placed, strict=True):
        used[row] = used.get(row, 0) + length
    return padded_width(max(used.values()))


def _cost(lengths: Sequence[int], placed: Sequence[int], limits: BatchLimits) -> float:
    """Estimate the cost of a batch: matrix products by cell, attention by cell and width."""
    width = _width(lengths, placed)
    cells = (max(placed) + 1) * width
    return cells * (PRODUCT_COST + width) if cells <= limits.max_cells else math.inf


def _place(lengths: Sequence[int], limits: BatchLimits) -> list[int]:
    """Choose a row for each text.

    First-fit over texts from long to short finds how few rows of the usual width are enough.
    Distributing the texts evenly over that many makes rows as narrow as possible; over one row
    fewer, there may be less filler, in wider rows. The cheapest is chosen. If the order from long
    to short does not fit the limits, the order in which the texts came does.

    Raises:
        ValueError: the texts do not fit the limits, which the queue prevents.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    falling = [lengths[index] for index in order]
    packing = _first_fit(falling, limits)
    if packing is None:
        packing = _first_fit(lengths, limits)
        if packing is None:
            raise ValueError(f"{len(lengths)} texts, {sum(lengths)} tokens, do not fit {limits}")
        return packing.placed
    few = max(packing.rows - 1, 1)
    candidates = [packing.placed, _balanced(falling, packing.rows), _balanced(falling, few)]
    best = min(candidates, key=lambda placed: _cost(falling, placed, limits))
    placed = [0] * len(lengths)
    for index, row in zip(order, best, strict=True):
        placed[index] = row
    return placed


def pack(encodings: Sequence[Encoding], limits: BatchLimits | None = None) -> PackedBatch:
    """Pack encodings into rows.

    Args:
        encodings: at least one; their order is the order of the answers.
        limits: width of rows and greatest number of cells; without limits, rows of the usual
            width, as many as are needed.

    Raises:
        ValueError: the encodings do not fit the limits, which the queue prevents.
    """
    lengths = [len(one) for one in encodings]
    if limits is None:
        limits = BatchLimits(padded_width(max(ROW_WIDTH, *lengths)) * len(lengths))
    placed = _place(lengths, limits)
    shape = (max(placed) + 1, _width(lengths, placed))
    input_ids, position_ids, token_type_ids = (np.zeros(shape, np.int64) for _ in range(3))
    segment_ids = np.full(shape, FILLER_SEGMENT, np.int64)
    first_token = np.zeros(len(lengths), np.int64)
    filled = [0] * shape[0]
    for index, (encoding, row) in enumerate(zip(encodings, placed, strict=True)):
        start, end = filled[row], filled[row] + lengths[index]
        input_ids[row, start:end] = encoding.ids
        token_type_ids[row, start:end] = encoding.type_ids
        position_ids[row, start:end] = np.arange(lengths[index])
        segment_ids[row, start:end] = index
        first_token[index] = row * shape[1] + start
        filled[row] = end
    return PackedBatch(
        input_ids,
        position_ids,
        token_type_ids,
        segment_ids,
        first_token,
        np.asarray(lengths, np.int64),
    )


def answers_of(batch: PackedBatch, logits: Float32, head: HeadKind) -> list[Float32]:
    """Split a batch's logits into those of its texts, in their order.

    Args:
        batch: the batch that was run.
        logits: ``[texts, labels]`` of a sequence head, ``[rows, width, labels]`` of a token head.
        head: which of the two.

    Returns:
        ``[labels]``, or ``[tokens, labels]``, for each text.
    """
    if head == "sequence":
        return list(logits)
    flat = logits.reshape(-1, logits.shape[-1])
    ends = batch.first_token + batch.lengths
    return [flat[start:end] for start, end in zip(batch.first_token, ends, strict=True)]
