"""ALBERT (Lan et al. 2019, arXiv:1909.11942).

Follows `transformers` 5.23.0, models/albert/modeling_albert.py. Differs from BERT in embeddings
that are narrower than the encoder, in layers that share their weights, and in its names.
"""

from dataclasses import replace

from earmark.checkpoint.config import Config
from earmark.graph.architectures.architecture import Architecture, HeadLayers
from earmark.graph.blocks.attention import AttentionNames
from earmark.graph.blocks.bert_layout import (
    LAYOUT_FIELDS,
    RELATIVE_FIELDS,
    embed,
    encoder_shape,
)
from earmark.graph.blocks.encoder import (
    EncoderShape,
    LayerNames,
    NamesOf,
    encode_first_tokens,
    encode_tokens,
)
from earmark.graph.config_fields import by_name, harmless, obeyed
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter

EMBEDDING_WIDTH = 128
"""Default of `embedding_size` (configuration_albert.py)."""


def _inner(config: Config) -> int:
    """Return how many layers a group has; usually one."""
    return config.size("inner_group_num", 1)


def _shape(config: Config) -> EncoderShape:
    """Return the encoder's sizes; `num_hidden_layers` counts runs of a whole group."""
    shape = encoder_shape(config)
    keys = shape.relative_keys
    return replace(
        shape,
        layers=shape.layers * _inner(config),
        activation=config.text("hidden_act", "gelu_new"),
        # Added after the product of queries and keys is scaled (class AlbertAttention).
        relative_keys=None if keys is None else replace(keys, scaled=False),
    )


def _names_of(config: Config) -> NamesOf:
    """Return the names of each layer's tensors: equally many consecutive runs share a group's."""
    runs, groups, inner = (
        config.size("num_hidden_layers"),
        config.size("num_hidden_groups", 1),
        _inner(config),
    )

    def names(layer: int) -> LayerNames:
        group = int(layer // inner / (runs / groups))
        base = f"encoder.albert_layer_groups.{group}.albert_layers.{layer % inner}"
        return LayerNames(
            attention=AttentionNames(
                query=f"{base}.attention.query",
                key=f"{base}.attention.key",
                value=f"{base}.attention.value",
                output=f"{base}.attention.dense",
            ),
            attention_norm=f"{base}.attention.LayerNorm",
            intermediate=f"{base}.ffn",
            output=f"{base}.ffn_output",
            output_norm=f"{base}.full_layer_layer_norm",
        )

    return names


def _embed(w: GraphWriter, inputs: PackedInputs, config: Config) -> Value:
    """Embed, then project to the encoder's size, even if that is the same."""
    width, hidden = config.size("embedding_size", EMBEDDING_WIDTH), config.size("hidden_size")
    embedded = embed(w, inputs, config, position_ids=inputs.position_ids, width=width)
    return w.linear(embedded, "encoder.embedding_hidden_mapping_in", hidden, width)


def _sequence(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """Pooler (dense and tanh on the first token), then a linear layer."""
    shape = _shape(config)
    hidden = shape.attention.hidden
    embedded = _embed(w, inputs, config)
    firsts = encode_first_tokens(w, embedded, inputs, _names_of(config), shape)
    pooled = w.recorder.op("Tanh", w.exact_linear(firsts, "pooler", hidden, hidden))
    return w.exact_linear(pooled, "classifier", labels, hidden)


def _token(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """A linear layer on every token."""
    shape = _shape(config)
    tokens = encode_tokens(w, _embed(w, inputs, config), inputs, _names_of(config), shape)
    return w.exact_linear(tokens, "classifier", labels, shape.attention.hidden)


ALBERT = Architecture(
    prefix="albert.",
    positions=lambda config: config.size("max_position_embeddings"),
    heads={
        "AlbertForSequenceClassification": "sequence",
        "AlbertForTokenClassification": "token",
    },
    layers={
        "sequence": HeadLayers(("classifier",), beside=("pooler",)),
        "token": HeadLayers(("classifier",)),
    },
    writers={"sequence": _sequence, "token": _token},
    fields=by_name(
        LAYOUT_FIELDS,
        RELATIVE_FIELDS,
        obeyed("embedding_size", "width of the tables"),
        obeyed("num_hidden_groups inner_group_num", "which layers share their weights"),
        harmless(
            "down_scale_factor gap_size net_structure_type num_memory_blocks",
            "of files that came from TensorFlow; no class reads it",
        ),
    ),
)
