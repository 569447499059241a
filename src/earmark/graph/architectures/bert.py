"""BERT (Devlin et al. 2018, arXiv:1810.04805).

Follows `transformers` 5.23.0, models/bert/modeling_bert.py.
"""

from earmark.checkpoint.config import Config
from earmark.graph.architectures.architecture import Architecture, HeadLayers
from earmark.graph.blocks.bert_layout import (
    LAYOUT_FIELDS,
    RELATIVE_FIELDS,
    embed,
    encoder_shape,
    layer_names,
)
from earmark.graph.blocks.encoder import encode_first_tokens, encode_tokens
from earmark.graph.config_fields import by_name, harmless
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter

GOOGLE_FIELDS = harmless(
    "pooler_fc_size pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head "
    "pooler_type",
    "of files that came from TensorFlow; no class reads it",
)


def _embed(w: GraphWriter, inputs: PackedInputs, config: Config) -> Value:
    width = config.size("hidden_size")
    return embed(w, inputs, config, position_ids=inputs.position_ids, width=width)


def _sequence(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """Pooler (dense and tanh on the first token), then a linear layer."""
    shape = encoder_shape(config)
    hidden = shape.attention.hidden
    firsts = encode_first_tokens(w, _embed(w, inputs, config), inputs, layer_names, shape)
    pooled = w.recorder.op("Tanh", w.exact_linear(firsts, "pooler.dense", hidden, hidden))
    return w.exact_linear(pooled, "classifier", labels, hidden)


def _token(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """A linear layer on every token."""
    shape = encoder_shape(config)
    tokens = encode_tokens(w, _embed(w, inputs, config), inputs, layer_names, shape)
    return w.exact_linear(tokens, "classifier", labels, shape.attention.hidden)


BERT = Architecture(
    prefix="bert.",
    positions=lambda config: config.size("max_position_embeddings"),
    heads={
        "BertForSequenceClassification": "sequence",
        "BertForTokenClassification": "token",
    },
    layers={
        "sequence": HeadLayers(("classifier",), beside=("pooler.dense",)),
        "token": HeadLayers(("classifier",)),
    },
    writers={"sequence": _sequence, "token": _token},
    fields=by_name(LAYOUT_FIELDS, RELATIVE_FIELDS, GOOGLE_FIELDS),
)
