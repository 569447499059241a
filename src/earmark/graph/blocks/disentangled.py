"""Disentangled attention: separate scores for the content and the distance of tokens.

He et al. 2020, arXiv:2006.03654. Follows `transformers` 5.23.0, class DisentangledSelfAttention
of models/deberta_v2/modeling_deberta_v2.py and of models/deberta/modeling_deberta.py.

A score is the sum of up to three products: a query with a key; a query with the vector of its
distance to the key ("c2p"); a key with the vector of that distance ("p2c"). The tokens of a text
are adjacent in a row, so the distance of two of them is that of their cells, in every row and text.
Between texts it is wrong, and masked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from earmark.domain.packing import Float32
from earmark.graph.blocks.attention import AttentionShape
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Recorder, Value
from earmark.graph.writer import GraphWriter

Int64: TypeAlias = NDArray[np.int64]
Part = Literal["query", "key", "value"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disentangled:
    """One layer's attention.

    Attributes:
        name: name of its tensors in the graph.
        project: computes queries, keys or values from hidden states, ``[..., hidden]`` both.
        distance_keys: vectors of distances to multiply with queries, ``[table, hidden]``, or
            ``[table, head]`` if all heads share them; None for no such product.
        distance_queries: vectors of distances to multiply with keys, in the same form.
        terms: number of products that the scores are scaled for, that of the content included.
    """

    name: str
    project: Callable[[Value, Part], Value]
    distance_keys: Float32 | None
    distance_queries: Float32 | None
    terms: int


@dataclass(frozen=True, slots=True)
class Distances:
    """The rows of distances between tokens in the layers' tables; recorded once for all layers.

    Attributes:
        inputs: the packed batch.
        rows: index of a table's row for each distance of a query from a key, from the shortest,
            ``-(positions - 1)``, to the longest, ``positions - 1``.
        width: cells of a row, ``[1]``.
        falling: rows of the distances ``width - 1`` to ``-width``, ``[2 * width]``.
        rising: rows of the distances ``1 - width`` to ``width``, ``[2 * width]``.
    """

    inputs: PackedInputs
    rows: Int64
    width: Value
    falling: Value
    rising: Value

    @classmethod
    def of(cls, r: Recorder, inputs: PackedInputs, rows: Int64) -> "Distances":
        """Record the parts that all layers share."""
        width = r.op("Shape", inputs.input_ids, start=1, end=2)
        last = r.op("Sub", width, r.integers(1))
        zero, one = (r.constant(np.asarray(number, np.int64)) for number in (0, 1))
        count = r.op("Squeeze", r.op("Mul", width, r.integers(2)))
        rising = r.op("Sub", r.op("Range", zero, count, one), last)
        falling = r.op("Neg", rising)
        return cls(inputs, rows, width, _rows(r, falling, rows), _rows(r, rising, rows))

    def from_first_tokens(self, r: Recorder) -> Value:
        """Record the rows of every cell's distance from its text's first token.

        Returns:
            ``[rows * width]``; a first token's position is 0.
        """
        flat = r.reshape(self.inputs.position_ids, -1)
        return _rows(r, r.op("Neg", flat), self.rows)


def _rows(r: Recorder, distances: Value, rows: Int64) -> Value:
    """Look distances up; those beyond the longest text are never used within a text."""
    longest = np.asarray(len(rows) // 2, np.int64)
    high, low = r.constant(longest), r.constant(-longest)
    known = r.op("Min", r.op("Max", distances, low), high)
    return r.op("Gather", r.constant(rows, "distance_rows"), r.op("Add", known, high))


def disentangled_attention(
    w: GraphWriter,
    x: Value,
    bias: Value,
    distances: Distances,
    layer: Disentangled,
    shape: AttentionShape,
) -> Value:
    """Apply attention within each text of each row.

    Every token is multiplied with every distance in a row, in order; then each product is shifted
    to the cell at that distance (Huang et al. 2018, arXiv:1809.04281). Gathering them cell by cell,
    as the reference does, needs an index for each head and pair.

    Args:
        w: the graph.
        x: hidden states, ``[rows, width, hidden]``.
        bias: from `packed_bias`.
        distances: shared by all layers.
        layer: its projections and tables.
        shape: sizes.

    Returns:
        ``[rows, width, hidden]``, output projection not applied.
    """
    r = w.recorder

    def split(part: Part) -> Value:
        heads = r.reshape(layer.project(x, part), 0, 0, shape.heads, shape.head)
        return r.op("Transpose", heads, perm=(0, 2, 1, 3))

    query, key = _scaled(r, split("query"), layer, shape), split("key")
    scores = r.op("MatMul", query, r.op("Transpose", key, perm=(0, 1, 3, 2)))
    keys, queries = _tables(r, layer, shape)
    if keys is not None:
        near = r.op("Gather", keys, distances.falling, axis=2)  # [heads, head, 2 * width]
        towards = _shift(r, r.op("MatMul", query, near), distances.width)
        scores = r.op("Add", scores, towards)
    if queries is not None:
        near = r.op("Gather", queries, distances.rising, axis=2)
        back = _shift(r, r.op("MatMul", key, near), distances.width)
        scores = r.op("Add", scores, r.op("Transpose", back, perm=(0, 1, 3, 2)))
    weights = r.op("Softmax", r.op("Add", scores, bias), axis=-1)
    mixed = r.op("MatMul", weights, split("value"))
    return r.reshape(r.op("Transpose", mixed, perm=(0, 2, 1, 3)), 0, 0, shape.hidden)


def _shift(r: Recorder, x: Value, width: Value) -> Value:
    """Move cell ``b - a + width - 1`` of line ``a`` to cell ``b``, by making lines shorter by one.

    Args:
        r: the graph.
        x: ``[rows, heads, width, 2 * width]``.
        width: cells of a row, ``[1]``.

    Returns:
        ``[rows, heads, width, width]``.
    """
    last = r.op("Sub", width, r.integers(1))
    body = r.op("Slice", r.reshape(x, 0, 0, -1), last, r.integers(-1), r.integers(2))
    lines = r.op("Concat", r.integers(0, 0), width, r.integers(-1), axis=0)
    return r.op("Slice", r.op("Reshape", body, lines), r.integers(0), width, r.integers(3))


def first_token_disentangled_attention(  # noqa: PLR0913, PLR0917 - as the one for every token
    w: GraphWriter,
    x: Value,
    firsts: Value,
    bias: Value,
    distances: Distances,
    layer: Disentangled,
    shape: AttentionShape,
) -> Value:
    """Apply attention for each text's first token only, over the whole batch at once.

    Args:
        w: the graph.
        x: hidden states of every token, ``[rows, width, hidden]``.
        firsts: hidden states of the first tokens, ``[texts, hidden]``.
        bias: from `first_token_bias`.
        distances: shared by all layers.
        layer: its projections and tables.
        shape: sizes.

    Returns:
        ``[texts, hidden]``, output projection not applied.
    """
    r = w.recorder

    def split(of: Value, part: Part) -> Value:
        heads = r.reshape(layer.project(of, part), -1, shape.heads, shape.head)
        return r.op("Transpose", heads, perm=(1, 0, 2))

    query, key = _scaled(r, split(firsts, "query"), layer, shape), split(x, "key")
    turned = r.op("Transpose", key, perm=(0, 2, 1))  # [heads, head, rows * width]
    scores = r.op("MatMul", query, turned)
    keys, queries = _tables(r, layer, shape)
    cells = distances.from_first_tokens(r)
    if keys is not None:
        towards = r.op("Gather", r.op("MatMul", query, keys), cells, axis=2)
        scores = r.op("Add", scores, towards)
    if queries is not None:
        products = r.op("Mul", turned, r.op("Gather", queries, cells, axis=2))
        scores = r.op("Add", scores, r.op("ReduceSum", products, r.integers(1), keepdims=1))
    weights = r.op("Softmax", r.op("Add", scores, bias), axis=-1)
    mixed = r.op("MatMul", weights, split(x, "value"))
    return r.reshape(r.op("Transpose", mixed, perm=(1, 0, 2)), -1, shape.hidden)


def _scale(layer: Disentangled, shape: AttentionShape) -> float:
    return float((shape.head * layer.terms) ** -0.5)


def _scaled(r: Recorder, query: Value, layer: Disentangled, shape: AttentionShape) -> Value:
    """Scale the queries, which are fewer than the scores."""
    return r.op("Mul", query, r.scalar(_scale(layer, shape)))


def _tables(
    r: Recorder, layer: Disentangled, shape: AttentionShape
) -> tuple[Value | None, Value | None]:
    """Store a layer's tables by head, ``[heads or 1, head, table]``; its queries are scaled."""

    def store(table: Float32, name: str) -> Value:
        by_head = table.reshape(len(table), -1, shape.head).transpose(1, 2, 0)
        return r.constant(by_head, f"{layer.name}.{name}")

    keys, queries = layer.distance_keys, layer.distance_queries
    scale = np.float32(_scale(layer, shape))
    return (
        None if keys is None else store(keys, "distance_keys"),
        None if queries is None else store(queries * scale, "distance_queries"),
    )
