"""MPNet (Song et al. 2020, arXiv:2004.09297).

Follows `transformers` 5.23.0, models/mpnet/modeling_mpnet.py. Differs from RoBERTa in a bias by
distance that all layers add to their attention scores, in having no token types, and in its names.
"""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from earmark.checkpoint.config import Config
from earmark.checkpoint.weights.weights import floats_of
from earmark.errors import InvalidCheckpoint
from earmark.graph.architectures.architecture import Architecture, HeadLayers
from earmark.graph.blocks.attention import AttentionNames
from earmark.graph.blocks.bert_layout import LAYOUT_FIELDS, encoder_shape
from earmark.graph.blocks.encoder import (
    EncoderShape,
    LayerNames,
    encode_first_tokens,
    encode_tokens,
)
from earmark.graph.blocks.heads import dense_head
from earmark.graph.blocks.positions import positions_past_padding
from earmark.graph.blocks.relative_bias import RelativeBias
from earmark.graph.config_fields import by_name, harmless, obeyed
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter

Int64: TypeAlias = NDArray[np.int64]

PADDING = 1
"""Positions are counted from this id, whatever `pad_token_id` is (class MPNetEmbeddings)."""
BUCKETS = 32
FAR = 128
"""Number of buckets of distances, and the distance from which all share the last bucket
(`compute_position_bias` and `relative_position_bucket`; the config cannot change them)."""


def distance_buckets(distances: Int64) -> Int64:
    """Return buckets of distances: one each for near ones, logarithmic for far ones.

    `relative_position_bucket` of the reference, in the same float32 steps, since their rounding
    decides where a bucket ends.

    Args:
        distances: of a key from its query.
    """
    side = BUCKETS // 2
    exact = side // 2
    length = np.abs(distances)
    # Logarithms in float64, then rounded: exact to the last bit on every machine.
    ratio = np.log(np.maximum(length, exact) / exact).astype(np.float32)
    steps = ratio / np.float32(math.log(FAR / exact)) * np.float32(side - exact)
    far = np.minimum(exact + steps.astype(np.int64), side - 1)
    return np.where(distances > 0, side, 0) + np.where(length < exact, length, far)


def _positions(config: Config) -> int:
    """Return how many rows of the position table are positions in a text."""
    rows = config.size("max_position_embeddings")
    if rows <= PADDING + 1:
        raise InvalidCheckpoint(
            f'{config.path}: "max_position_embeddings" is {rows}, but positions begin with '
            f"{PADDING + 1}; expected more"
        )
    return rows - PADDING - 1


def _names(layer: int) -> LayerNames:
    base = f"encoder.layer.{layer}"
    return LayerNames(
        attention=AttentionNames(
            query=f"{base}.attention.attn.q",
            key=f"{base}.attention.attn.k",
            value=f"{base}.attention.attn.v",
            output=f"{base}.attention.attn.o",
        ),
        attention_norm=f"{base}.attention.LayerNorm",
        intermediate=f"{base}.intermediate.dense",
        output=f"{base}.output.dense",
        output_norm=f"{base}.output.LayerNorm",
    )


def _embed(w: GraphWriter, inputs: PackedInputs, config: Config, shape: EncoderShape) -> Value:
    r, hidden = w.recorder, shape.attention.hidden

    def table(ids: Value, name: str, rows: int) -> Value:
        return w.embedding(ids, f"embeddings.{name}_embeddings", rows, hidden)

    words = table(inputs.input_ids, "word", config.size("vocab_size"))
    rows = config.size("max_position_embeddings")
    places = table(positions_past_padding(r, inputs, PADDING), "position", rows)
    return w.layer_norm(r.op("Add", words, places), "embeddings.LayerNorm", hidden, shape.epsilon)


def _bias(w: GraphWriter, inputs: PackedInputs, config: Config, heads: int) -> RelativeBias:
    rows, longest = config.size("relative_attention_num_buckets", BUCKETS), _positions(config) - 1
    if rows < BUCKETS:
        raise InvalidCheckpoint(
            f'{config.path}: "relative_attention_num_buckets" is {rows}, but distances fall into '
            f"{BUCKETS} buckets; expected as many"
        )
    table = floats_of(w.weights.matrix("encoder.relative_attention_bias.weight", rows, heads))
    buckets = distance_buckets(np.arange(-longest, longest + 1, dtype=np.int64))
    return RelativeBias.of(w.recorder, inputs, table[buckets].T)


def _sequence(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """Dense and tanh on the first token, then a linear layer."""
    shape = encoder_shape(config)
    embedded = _embed(w, inputs, config, shape)
    bias = _bias(w, inputs, config, shape.attention.heads)
    firsts = encode_first_tokens(w, embedded, inputs, _names, shape, bias)
    return dense_head(w, firsts, "tanh", shape.attention.hidden, labels)


def _token(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """A linear layer on every token."""
    shape = encoder_shape(config)
    embedded = _embed(w, inputs, config, shape)
    bias = _bias(w, inputs, config, shape.attention.heads)
    tokens = encode_tokens(w, embedded, inputs, _names, shape, bias)
    return w.exact_linear(tokens, "classifier", labels, shape.attention.hidden)


MPNET = Architecture(
    prefix="mpnet.",
    positions=_positions,
    heads={
        "MPNetForSequenceClassification": "sequence",
        "MPNetForTokenClassification": "token",
    },
    layers={
        "sequence": HeadLayers(("classifier.dense", "classifier.out_proj")),
        "token": HeadLayers(("classifier",)),
    },
    writers={"sequence": _sequence, "token": _token},
    fields=by_name(
        LAYOUT_FIELDS,
        obeyed("relative_attention_num_buckets", "rows of the table of distances"),
        harmless("type_vocab_size", "the class has no token types"),
    ),
)
