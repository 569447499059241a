"""Numbers added to attention's scores by how far apart two tokens stand."""

from dataclasses import dataclass

import numpy as np

from earmark.domain.packing import Float32
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Recorder, Value

__all__ = ["RelativeBias"]


@dataclass(frozen=True, slots=True)
class RelativeBias:
    """What every layer adds to its scores; recorded once for all of them.

    Attributes:
        between: for the cells of a row, ``[heads, width, width]``. A text's tokens stand side by
            side, so that their distance is that of their cells, whatever the row and the text;
            between texts it means nothing.
        from_first: for each text's first token and every cell of the batch,
            ``[heads, 1, rows * width]``; the same for all texts, since each begins at 0.
    """

    between: Value
    from_first: Value

    @classmethod
    def of(cls, r: Recorder, inputs: PackedInputs, biases: Float32) -> "RelativeBias":
        """Record both.

        Args:
            r: the graph.
            inputs: the packed batch.
            biases: for each distance of the token that is seen from the one that sees, from
                ``-(positions - 1)`` to ``positions - 1``, ``[heads, 2 * positions - 1]``.
        """
        table = r.constant(biases, "relative_bias")
        longest = np.asarray(biases.shape[1] // 2, np.int64)
        middle, low = r.constant(longest), r.constant(-longest)

        def look_up(distances: Value) -> Value:
            """Distances longer than a text may be are read by no pair of one text."""
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
