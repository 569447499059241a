"""The packed batch, the input of every graph: texts of any length side by side in rows."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Int64: TypeAlias = NDArray[np.int64]
Float32: TypeAlias = NDArray[np.float32]

FILLER_SEGMENT = -1
"""Segment id of the cells without text at the end of a row; they attend only to each other."""


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """Several encodings in one batch.

    Attributes:
        input_ids: token ids, ``[rows, width]``.
        position_ids: counted from 0 in each text, ``[rows, width]``; an architecture that
            counts from elsewhere adds its offset inside the graph.
        token_type_ids: ``[rows, width]``.
        segment_ids: which text of the *batch* a cell belongs to, ``[rows, width]``;
            `FILLER_SEGMENT` if it belongs to none. Unique over rows, so that a graph can also
            attend across rows (the last layer of sequence heads does).
        first_token: flat index (``row * width + column``) of each text's first token, ``[texts]``.
        lengths: tokens of each text, ``[texts]``; used to split the answers, not by any graph.
    """

    input_ids: Int64
    position_ids: Int64
    token_type_ids: Int64
    segment_ids: Int64
    first_token: Int64
    lengths: Int64

    @property
    def cells(self) -> int:
        """Rows times width, filler included: the cost of the batch."""
        return int(self.input_ids.size)

    @property
    def texts(self) -> int:
        """Number of texts in the batch."""
        return int(self.first_token.size)
