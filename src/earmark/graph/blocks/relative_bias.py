"""Biases that are added to attention scores by the distance of two tokens."""

from dataclasses import dataclass

import numpy as np

from earmark.domain.packing import Float32
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Recorder, Value


@dataclass(frozen=True, slots=True)
class RelativeBias:
    """The biases that every layer adds to its scores; recorded once for all layers.

    Attributes:
        between: for the cells of a row, ``[heads, width, width]``. The tokens of a text are
            adjacent, so their distance is that of their cells, in every row and text; between
            texts it is meaningless.
        from_first: for each text's first token and every cell of the batch,
            ``[heads, 1, rows * width]``; the same for all texts, since each begins at 0.
    """

    between: Value
    from_first: Value

    @classmethod
    def of(cls, r: Recorder, inputs: PackedInputs, biases: Float32) -> "RelativeBias":
        """Record both attributes.

        Args:
            r: the graph.
            inputs: the packed batch.
            biases: for each distance of a key from its query, from ``-(positions - 1)`` to
                ``positions - 1``, ``[heads, 2 * positions - 1]``.
        """
        table = r.constant(biases, "relative_bias")
        longest = np.asarray(biases.shape[1] // 2, np.int64)
        middle, low = r.constant(longest), r.constant(-longest)

        def look_up(distances: Value) -> Value:
            """Look distances up; those beyond the longest text are never used within a text."""
            known = r.op("Min", r.op("Max", distances, low), middle)
            return r.op("Gather", table, r.op("Add", known, middle), axis=1)

        zero, one = (r.constant(np.asarray(number, np.int64)) for number in (0, 1))
        width = r.op("Squeeze", r.op("Shape", inputs.input_ids, start=1, end=2))
        cells = r.op("Range", zero, width, one)
        seeing, seen = (r.op("Unsqueeze", cells, r.integers(axis)) for axis in (1, 0))
        from_first = look_up(r.reshape(inputs.position_ids, -1))
        return cls(
            look_up(r.op("Sub", seen, seeing)),
            r.op("Unsqueeze", from_first, r.integers(1)),
        )
