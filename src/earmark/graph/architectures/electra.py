"""ELECTRA's discriminator (Clark et al. 2020, arXiv:2003.10555).

Follows `transformers` 5.23.0, models/electra/modeling_electra.py. Differs from BERT in embeddings
that may be narrower than the encoder, in having no pooler, and in its own head.
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
from earmark.graph.blocks.heads import dense_head
from earmark.graph.config_fields import by_name, harmless, obeyed
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter

EMBEDDING_WIDTH = 128
"""Default of `embedding_size` (configuration_electra.py)."""


def _embed(w: GraphWriter, inputs: PackedInputs, config: Config) -> Value:
    """Embed, then project to the encoder's size if the tables have another."""
    width, hidden = config.size("embedding_size", EMBEDDING_WIDTH), config.size("hidden_size")
    embedded = embed(w, inputs, config, position_ids=inputs.position_ids, width=width)
    return embedded if width == hidden else w.linear(embedded, "embeddings_project", hidden, width)


def _sequence(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """Dense and GELU on the first token, then a linear layer.

    The GELU is fixed in `ElectraClassificationHead`: neither `hidden_act` nor `summary_activation`
    changes it.
    """
    shape = encoder_shape(config)
    firsts = encode_first_tokens(w, _embed(w, inputs, config), inputs, layer_names, shape)
    return dense_head(w, firsts, "gelu", shape.attention.hidden, labels)


def _token(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """A linear layer on every token."""
    shape = encoder_shape(config)
    tokens = encode_tokens(w, _embed(w, inputs, config), inputs, layer_names, shape)
    return w.exact_linear(tokens, "classifier", labels, shape.attention.hidden)


ELECTRA = Architecture(
    prefix="electra.",
    positions=lambda config: config.size("max_position_embeddings"),
    heads={
        "ElectraForSequenceClassification": "sequence",
        "ElectraForTokenClassification": "token",
    },
    layers={
        "sequence": HeadLayers(("classifier.dense", "classifier.out_proj")),
        "token": HeadLayers(("classifier",)),
    },
    writers={"sequence": _sequence, "token": _token},
    fields=by_name(
        LAYOUT_FIELDS,
        RELATIVE_FIELDS,
        obeyed("embedding_size", "width of the tables"),
        harmless(
            "summary_type summary_use_proj summary_activation summary_proj_to_labels "
            "summary_first_dropout summary_last_dropout",
            "of the multiple-choice head",
        ),
    ),
)
