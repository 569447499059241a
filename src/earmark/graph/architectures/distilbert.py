"""DistilBERT (Sanh et al. 2019, arXiv:1910.01108).

Follows `transformers` 5.23.0, models/distilbert/modeling_distilbert.py. Differs from BERT in its
names, in having no token types and no pooler, and in its own head.
"""

from earmark.checkpoint.config import Config
from earmark.graph.architectures.architecture import Architecture, HeadLayers
from earmark.graph.blocks.attention import AttentionNames, AttentionShape
from earmark.graph.blocks.encoder import (
    EncoderShape,
    LayerNames,
    encode_first_tokens,
    encode_tokens,
)
from earmark.graph.config_fields import (
    COMMON,
    FOREIGN,
    by_name,
    function,
    harmless,
    obeyed,
    refused,
)
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter

EPSILON = 1e-12
"""Constant in the modelling code; the config has no field for it."""


def _shape(config: Config) -> EncoderShape:
    return EncoderShape(
        layers=config.size("n_layers"),
        attention=AttentionShape.read(config, "dim", "n_heads"),
        intermediate=config.size("hidden_dim"),
        activation=config.text("activation", "gelu"),
        epsilon=EPSILON,
    )


def _names(layer: int) -> LayerNames:
    base = f"transformer.layer.{layer}"
    return LayerNames(
        attention=AttentionNames(
            query=f"{base}.attention.q_lin",
            key=f"{base}.attention.k_lin",
            value=f"{base}.attention.v_lin",
            output=f"{base}.attention.out_lin",
        ),
        attention_norm=f"{base}.sa_layer_norm",
        intermediate=f"{base}.ffn.lin1",
        output=f"{base}.ffn.lin2",
        output_norm=f"{base}.output_layer_norm",
    )


def _embed(w: GraphWriter, inputs: PackedInputs, config: Config) -> Value:
    hidden, positions = config.size("dim"), config.size("max_position_embeddings")
    words = w.embedding(
        inputs.input_ids, "embeddings.word_embeddings", config.size("vocab_size"), hidden
    )
    places = w.embedding(inputs.position_ids, "embeddings.position_embeddings", positions, hidden)
    return w.layer_norm(
        w.recorder.op("Add", words, places), "embeddings.LayerNorm", hidden, EPSILON
    )


def _sequence(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """Dense and ReLU on the first token, then a linear layer."""
    shape = _shape(config)
    hidden = shape.attention.hidden
    firsts = encode_first_tokens(w, _embed(w, inputs, config), inputs, _names, shape)
    dense = w.exact_linear(firsts, "pre_classifier", hidden, hidden)
    return w.exact_linear(w.recorder.op("Relu", dense), "classifier", labels, hidden)


def _token(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """A linear layer on every token."""
    shape = _shape(config)
    tokens = encode_tokens(w, _embed(w, inputs, config), inputs, _names, shape)
    return w.exact_linear(tokens, "classifier", labels, shape.attention.hidden)


DISTILBERT = Architecture(
    prefix="distilbert.",
    positions=lambda config: config.size("max_position_embeddings"),
    heads={
        "DistilBertForSequenceClassification": "sequence",
        "DistilBertForTokenClassification": "token",
    },
    layers={
        "sequence": HeadLayers(("pre_classifier", "classifier")),
        "token": HeadLayers(("classifier",)),
    },
    writers={"sequence": _sequence, "token": _token},
    fields=by_name(
        COMMON,
        FOREIGN,
        obeyed("dim n_layers n_heads hidden_dim", "sizes"),
        function("activation", "function in the feed-forward block"),
        refused("hidden_size", "another name of `dim`", lambda config: (config.size("dim"),)),
        refused(
            "num_hidden_layers",
            "another name of `n_layers`",
            lambda config: (config.size("n_layers"),),
        ),
        refused(
            "num_attention_heads",
            "another name of `n_heads`",
            lambda config: (config.size("n_heads"),),
        ),
        harmless("sinusoidal_pos_embds", "the table of positions is in the file either way"),
        harmless("dropout attention_dropout qa_dropout seq_classif_dropout", "of training"),
        harmless("tie_weights_", "of heads that write text"),
    ),
)
