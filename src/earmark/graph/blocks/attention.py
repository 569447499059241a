"""Attention over packed rows, in which a token sees only its own text."""

from dataclasses import dataclass

from earmark.checkpoint.config import Config
from earmark.errors import InvalidCheckpoint
from earmark.graph.recorder import Recorder, Value
from earmark.graph.writer import GraphWriter

MASKED = -1e9
"""Added to scores between texts: their weights are exactly 0 after the softmax, even in bfloat16,
and no sum with it overflows."""


@dataclass(frozen=True, slots=True)
class AttentionShape:
    """Sizes of one attention block.

    Attributes:
        hidden: width of a token's vector.
        heads: how many heads share it.
    """

    hidden: int
    heads: int

    @classmethod
    def read(cls, config: Config, hidden_key: str, heads_key: str) -> "AttentionShape":
        """Read the sizes from a config, under the architecture's names for them.

        Raises:
            InvalidCheckpoint: a size is missing, or the heads do not divide the hidden size.
        """
        hidden, heads = config.size(hidden_key), config.size(heads_key)
        if hidden % heads:
            raise InvalidCheckpoint(
                f'{config.path}: "{hidden_key}" {hidden} is no multiple of "{heads_key}" {heads}'
            )
        return cls(hidden, heads)

    @property
    def head(self) -> int:
        """Width of one head."""
        return self.hidden // self.heads


@dataclass(frozen=True, slots=True)
class AttentionNames:
    """Names of the projections' tensors, without ``.weight``."""

    query: str
    key: str
    value: str
    output: str


def _crossed(r: Recorder, cells: Value) -> tuple[Value, Value]:
    """Reshape the cells of each row for queries and for keys.

    Returns:
        ``[rows, width, 1]`` and ``[rows, 1, width]``.
    """
    return r.op("Unsqueeze", cells, r.integers(2)), r.op("Unsqueeze", cells, r.integers(1))


def packed_bias(r: Recorder, segment_ids: Value, only: Value | None = None) -> Value:
    """Record, once for all layers, which tokens of a row see each other.

    Args:
        r: the graph.
        segment_ids: ``[rows, width]``.
        only: a further condition, from `within_reach` or `not_later`.

    Returns:
        0 within a text and `MASKED` elsewhere, ``[rows, 1, width, width]``.
    """
    seen = r.op("Equal", *_crossed(r, segment_ids))
    if only is not None:
        seen = r.op("And", seen, only)
    bias = r.op("Where", seen, r.scalar(0.0), r.scalar(MASKED))
    return r.op("Unsqueeze", bias, r.integers(1))


def within_reach(r: Recorder, position_ids: Value, reach: int) -> Value:
    """Return a mask by which a token sees at most `reach` tokens to either side.

    Returns:
        Booleans, ``[rows, width, width]``; meaningless between texts.
    """
    distance = r.op("Abs", r.op("Sub", *_crossed(r, position_ids)))
    return r.op("LessOrEqual", distance, r.integers(reach))


def not_later(r: Recorder, position_ids: Value) -> Value:
    """Return a mask by which a token sees only itself and the tokens before it, as in decoders.

    Returns:
        Booleans, ``[rows, width, width]``; meaningless between texts.
    """
    return r.op("GreaterOrEqual", *_crossed(r, position_ids))


def first_token_bias(r: Recorder, segment_ids: Value, first_token: Value) -> Value:
    """Record which tokens of the whole batch each text's first token sees.

    Args:
        r: the graph.
        segment_ids: ``[rows, width]``, unique over rows.
        first_token: flat indices, ``[texts]``.

    Returns:
        0 within the text and `MASKED` elsewhere, ``[texts, rows * width]``.
    """
    flat = r.reshape(segment_ids, -1)
    own = r.op("Unsqueeze", r.op("Gather", flat, first_token), r.integers(1))
    same = r.op("Equal", own, r.op("Unsqueeze", flat, r.integers(0)))
    return r.op("Where", same, r.scalar(0.0), r.scalar(MASKED))


def attend(r: Recorder, query: Value, key: Value, value: Value, bias: Value, head: int) -> Value:
    """Apply scaled dot-product attention; `key` must be transposed.

    Args:
        r: the graph.
        query: ``[..., seeing, head]``.
        key: ``[..., head, seen]``.
        value: ``[..., seen, head]``.
        bias: added to the scores, to mask tokens.
        head: width of a head.

    Returns:
        ``[..., seeing, head]``.
    """
    scores = r.op("Mul", r.op("MatMul", query, key), r.scalar(head**-0.5))
    weights = r.op("Softmax", r.op("Add", scores, bias), axis=-1)
    return r.op("MatMul", weights, value)


def packed_attention(
    w: GraphWriter,
    x: Value,
    bias: Value,
    names: AttentionNames,
    shape: AttentionShape,
    *,
    seen: Value | None = None,
) -> Value:
    """Apply attention within each text of each row.

    Args:
        w: the graph.
        x: hidden states, ``[rows, width, hidden]``.
        bias: from `packed_bias`.
        names: the projections' tensors.
        shape: sizes.
        seen: source of keys and values, if it is not `x` (cross attention), in the same cells,
            ``[rows, width, hidden]``.

    Returns:
        ``[rows, width, hidden]``, output projection applied, residual not added.
    """
    r, hidden = w.recorder, shape.hidden
    seen = x if seen is None else seen

    def split(of: Value, name: str, order: tuple[int, ...]) -> Value:
        projected = w.linear(of, name, hidden, hidden)
        return r.op("Transpose", r.reshape(projected, 0, 0, shape.heads, shape.head), perm=order)

    query = split(x, names.query, (0, 2, 1, 3))
    key = split(seen, names.key, (0, 2, 3, 1))
    value = split(seen, names.value, (0, 2, 1, 3))
    mixed = attend(r, query, key, value, bias, shape.head)
    joined = r.reshape(r.op("Transpose", mixed, perm=(0, 2, 1, 3)), 0, 0, hidden)
    return w.linear(joined, names.output, hidden, hidden)


def first_token_attention(
    w: GraphWriter,
    x: Value,
    firsts: Value,
    bias: Value,
    names: AttentionNames,
    shape: AttentionShape,
) -> Value:
    """Apply attention for each text's first token only, since sequence heads read no other.

    There are few queries, so each is multiplied with the keys of the whole batch, masked to its own
    text: that costs less than grouping keys by text.

    Args:
        w: the graph.
        x: hidden states of every token, ``[rows, width, hidden]``.
        firsts: hidden states of the first tokens, ``[texts, hidden]``.
        bias: from `first_token_bias`.
        names: the projections' tensors.
        shape: sizes.

    Returns:
        ``[texts, hidden]``, output projection applied, residual not added.
    """
    r, hidden = w.recorder, shape.hidden

    def split(of: Value, name: str, order: tuple[int, ...]) -> Value:
        projected = w.linear(of, name, hidden, hidden)
        return r.op("Transpose", r.reshape(projected, -1, shape.heads, shape.head), perm=order)

    query = split(firsts, names.query, (1, 0, 2))
    key = split(x, names.key, (1, 2, 0))
    value = split(x, names.value, (1, 0, 2))
    mixed = attend(r, query, key, value, bias, shape.head)
    joined = r.reshape(r.op("Transpose", mixed, perm=(1, 0, 2)), -1, hidden)
    return w.linear(joined, names.output, hidden, hidden)
