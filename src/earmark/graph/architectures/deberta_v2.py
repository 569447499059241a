"""DeBERTa-v2 and DeBERTa-v3 (He et al. 2021, arXiv:2111.09543), including mDeBERTa.

Follows `transformers` 5.23.0, models/deberta_v2/modeling_deberta_v2.py. Differs from the first
generation in table rows that long distances share, in projections of that table, which may be those
of the content, and in a convolution beside the first layer of some checkpoints.
"""

from functools import partial

import numpy as np

from earmark.checkpoint.config import Config
from earmark.checkpoint.weights.weights import floats_of
from earmark.domain.packing import Float32
from earmark.errors import InvalidCheckpoint
from earmark.graph.architectures.architecture import Architecture, HeadLayers
from earmark.graph.blocks.activations import activation
from earmark.graph.blocks.attention import AttentionShape
from earmark.graph.blocks.convolution import packed_convolution
from earmark.graph.blocks.deberta import (
    DEBERTA_FIELDS,
    EPSILON,
    Generation,
    longest_distance,
    position_terms,
    project_table,
    write_heads,
)
from earmark.graph.blocks.disentangled import Disentangled, Int64, Part
from earmark.graph.config_fields import by_name, function, obeyed, refused
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter


def log_buckets(distances: Int64, buckets: int, longest: int) -> Int64:
    """Return buckets of distances: one each for near ones, logarithmic for far ones.

    `make_log_bucket_position` of the reference, in the same float32 steps, since their rounding
    decides where a bucket ends.

    Args:
        distances: of any sign.
        buckets: of one sign.
        longest: the last distance of the last bucket.
    """
    middle = buckets // 2
    far = np.maximum(np.abs(distances), middle)
    # Logarithms in float64, then rounded: exact to the last bit on every machine.
    ratio = np.log((far.astype(np.float32) / np.float32(middle)).astype(np.float64))
    whole = np.log(np.float64(np.float32((longest - 1) / middle)))
    steps = np.float32(middle - 1) * (ratio.astype(np.float32) / np.float32(whole))
    logarithmic = np.sign(distances) * (np.ceil(steps).astype(np.int64) + middle)
    return np.where(np.abs(distances) <= middle, distances, logarithmic)


def _rows(config: Config, buckets: int, size: int) -> Int64:
    """Return the row of each distance in a table of ``2 * size`` rows."""
    positions, longest = config.size("max_position_embeddings"), longest_distance(config)
    distances = np.arange(1 - positions, positions, dtype=np.int64)
    if buckets > 0:
        if buckets == 1 or longest - 1 <= buckets // 2:
            raise InvalidCheckpoint(
                f'{config.path}: "position_buckets" {buckets} does not divide distances of up '
                f'to {longest} ("max_relative_positions")'
            )
        distances = log_buckets(distances, buckets, longest)
    return np.clip(distances + size, 0, 2 * size - 1)


def _table(w: GraphWriter, config: Config, size: int) -> Float32:
    """Read the vectors of distances, ``[2 * size, hidden]``, normalised if the config says so."""
    hidden = config.size("hidden_size")
    table = floats_of(w.weights.matrix("encoder.rel_embeddings.weight", 2 * size, hidden))
    if "layer_norm" not in config.words("norm_rel_ebd"):
        return table
    scale = w.weights.vector("encoder.LayerNorm.weight", hidden)
    shift = w.weights.vector("encoder.LayerNorm.bias", hidden)
    centred = table - table.mean(axis=1, keepdims=True)
    variance = np.square(centred).mean(axis=1, keepdims=True)
    epsilon = np.float32(config.number("layer_norm_eps", EPSILON))
    normed: Float32 = centred / np.sqrt(variance + epsilon) * scale + shift
    return normed


def _generation(
    w: GraphWriter, inputs: PackedInputs, config: Config, shape: AttentionShape
) -> Generation:
    terms, count = position_terms(config)
    buckets = config.integer("position_buckets", -1)
    size = buckets if buckets > 0 else longest_distance(config)
    table: Float32 | None = None
    if config.flag("relative_attention", default=False):
        table = _table(w, config, size)
    else:  # files contain the norm even without the table
        w.weights.disregard("encoder.LayerNorm.weight", "encoder.LayerNorm.bias")
    shared = config.flag("share_att_key", default=False)

    def layer(index: int) -> Disentangled:
        base = f"encoder.layer.{index}.attention.self"

        def project(x: Value, part: Part) -> Value:
            return w.linear(x, f"{base}.{part}_proj", shape.hidden, shape.hidden)

        def distances(term: str, part: Part) -> Float32 | None:
            if table is None or term not in terms:
                return None
            return project_table(w, table, f"{base}.{'' if shared else 'pos_'}{part}_proj")

        return Disentangled(
            name=base,
            project=project,
            distance_keys=distances("c2p", "key"),
            distance_queries=distances("p2c", "query"),
            terms=count,
        )

    wide = config.integer("conv_kernel_size", 0)
    return Generation(
        rows=_rows(config, buckets, size),
        layer=layer,
        convolve=partial(_convolve, w, inputs, config, wide) if wide > 0 else None,
    )


def _convolve(w: GraphWriter, inputs: PackedInputs, config: Config, wide: int, x: Value) -> Value:
    groups = config.size("conv_groups", 1)
    hidden = config.size("hidden_size")
    mixed = packed_convolution(w, x, inputs, "encoder.conv.conv", hidden, wide, groups)
    return activation(w.recorder, mixed, config.text("conv_act", "tanh"))


DEBERTA_V2 = Architecture(
    prefix="deberta.",
    positions=lambda config: config.size("max_position_embeddings"),
    heads={
        "DebertaV2ForSequenceClassification": "sequence",
        "DebertaV2ForTokenClassification": "token",
    },
    layers={
        "sequence": HeadLayers(("pooler.dense", "classifier")),
        "token": HeadLayers(("classifier",)),
    },
    writers=write_heads(_generation),
    fields=by_name(
        DEBERTA_FIELDS,
        obeyed("position_buckets", "far distances share a row"),
        obeyed(
            "norm_rel_ebd",
            "the table of distances is normalised",
            ("none", "layer_norm"),
            words=True,
        ),
        obeyed("share_att_key", "distances are projected as the content is"),
        obeyed("conv_kernel_size conv_groups", "a convolution beside the first layer"),
        function("conv_act", "function after the convolution"),
        refused("talking_head", "heads are mixed"),
    ),
)
