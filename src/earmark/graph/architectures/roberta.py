"""RoBERTa (Liu et al. 2019, arXiv:1907.11692).

Follows `transformers` 5.23.0, models/roberta/modeling_roberta.py. Differs from BERT in the counting
of positions, in having no pooler, and in its own head.
"""

from earmark.checkpoint.config import Config
from earmark.errors import InvalidCheckpoint
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
from earmark.graph.blocks.positions import positions_past_padding
from earmark.graph.config_fields import by_name, obeyed
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter

PADDING = 1
"""Default of `pad_token_id` (configuration_roberta.py, and those of related architectures)."""


def _padding(config: Config) -> int:
    return config.index("pad_token_id", PADDING)


def _positions(config: Config) -> int:
    """Return how many rows of the position table are positions in a text."""
    rows, padding = config.size("max_position_embeddings"), _padding(config)
    if rows <= padding + 1:
        raise InvalidCheckpoint(
            f'{config.path}: "max_position_embeddings" is {rows}, but positions begin after '
            f'"pad_token_id", which is {padding}; expected more'
        )
    return rows - padding - 1


def _embed(w: GraphWriter, inputs: PackedInputs, config: Config) -> Value:
    places = positions_past_padding(w.recorder, inputs, _padding(config))
    return embed(w, inputs, config, position_ids=places, width=config.size("hidden_size"))


def _sequence(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """Dense and tanh on the first token, then a linear layer."""
    shape = encoder_shape(config)
    firsts = encode_first_tokens(w, _embed(w, inputs, config), inputs, layer_names, shape)
    return dense_head(w, firsts, "tanh", shape.attention.hidden, labels)


def _token(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """A linear layer on every token."""
    shape = encoder_shape(config)
    tokens = encode_tokens(w, _embed(w, inputs, config), inputs, layer_names, shape)
    return w.exact_linear(tokens, "classifier", labels, shape.attention.hidden)


ROBERTA = Architecture(
    prefix="roberta.",
    positions=_positions,
    heads={
        "RobertaForSequenceClassification": "sequence",
        "RobertaForTokenClassification": "token",
    },
    layers={
        "sequence": HeadLayers(("classifier.dense", "classifier.out_proj")),
        "token": HeadLayers(("classifier",)),
    },
    writers={"sequence": _sequence, "token": _token},
    fields=by_name(
        LAYOUT_FIELDS, RELATIVE_FIELDS, obeyed("pad_token_id", "what positions are counted from")
    ),
)
