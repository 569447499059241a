"""Rotary position embeddings (Su et al. 2021, arXiv:2104.09864)."""

from dataclasses import dataclass

import numpy as np

from earmark.domain.packing import Float32
from earmark.graph.recorder import Recorder, Value


@dataclass(frozen=True, slots=True)
class Rotation:
    """The angles of every token of a batch.

    Attributes:
        cosines: ``[rows, 1, width, head / 2]``.
        sines: ``[rows, 1, width, head / 2]``.
    """

    cosines: Value
    sines: Value


def rotation(
    r: Recorder, position_ids: Value, *, theta: float, positions: int, head: int
) -> Rotation:
    """Look up the angles of each token.

    They come from a table: if they were computed in a graph that runs in bfloat16, positions above
    256 would be rounded to other positions.

    Args:
        r: the graph.
        position_ids: ``[rows, width]``.
        theta: base of the angles' geometric series.
        positions: how many a text may have.
        head: width of a head, an even number.
    """
    # The same steps and types as `transformers`: frequencies and angles are rounded to float32.
    frequencies = (1.0 / theta ** (np.arange(0, head, 2) / head)).astype(np.float32)
    angles: Float32 = np.arange(positions, dtype=np.float32)[:, None] * frequencies

    def look_up(table: Float32, name: str) -> Value:
        rows = r.op("Gather", r.constant(table, f"rotary.{theta:g}.{name}"), position_ids)
        return r.op("Unsqueeze", rows, r.integers(1))

    return Rotation(look_up(np.cos(angles), "cosines"), look_up(np.sin(angles), "sines"))


def rotate(r: Recorder, x: Value, by: Rotation) -> Value:
    """Rotate queries or keys, pairing each value of a head's first half with one of its second.

    Args:
        r: the graph.
        x: ``[rows, heads, width, head]``.
        by: the angles.

    Returns:
        The shape of `x`.
    """
    first, second = r.ops("Split", x, outputs=2, axis=-1, num_outputs=2)
    turned_first = r.op("Sub", r.op("Mul", first, by.cosines), r.op("Mul", second, by.sines))
    turned_second = r.op("Add", r.op("Mul", second, by.cosines), r.op("Mul", first, by.sines))
    return r.op("Concat", turned_first, turned_second, axis=-1)
