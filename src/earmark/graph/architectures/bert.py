"""BERT (Devlin et al. 2018, arXiv:1810.04805).

Follows `transformers` 5.23.0, models/bert/modeling_bert.py.
"""

from earmark.checkpoint.config import Config
from earmark.graph.architectures.architecture import Architecture
from earmark.graph.blocks.attention import AttentionNames, AttentionShape
from earmark.graph.blocks.encoder import (
    EncoderShape,
    LayerNames,
    encode_first_tokens,
    encode_tokens,
)
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter

__all__ = ["BERT"]

EPSILON = 1e-12
"""`layer_norm_eps` where the config does not say (configuration_bert.py)."""


def _shape(config: Config) -> EncoderShape:
    return EncoderShape(
        layers=config.size("num_hidden_layers"),
        attention=AttentionShape.read(config, "hidden_size", "num_attention_heads"),
        intermediate=config.size("intermediate_size"),
        activation=config.text("hidden_act", "gelu"),
        epsilon=config.number("layer_norm_eps", EPSILON),
    )


def _names(layer: int) -> LayerNames:
    base = f"encoder.layer.{layer}"
    return LayerNames(
        attention=AttentionNames(
            query=f"{base}.attention.self.query",
            key=f"{base}.attention.self.key",
            value=f"{base}.attention.self.value",
            output=f"{base}.attention.output.dense",
        ),
        attention_norm=f"{base}.attention.output.LayerNorm",
        intermediate=f"{base}.intermediate.dense",
        output=f"{base}.output.dense",
        output_norm=f"{base}.output.LayerNorm",
    )


def _embed(w: GraphWriter, inputs: PackedInputs, config: Config, epsilon: float) -> Value:
    r, hidden = w.recorder, config.size("hidden_size")

    def table(ids: Value, name: str, rows: int) -> Value:
        return w.embedding(ids, f"embeddings.{name}_embeddings", rows, hidden)

    words = table(inputs.input_ids, "word", config.size("vocab_size"))
    types = _types(w, inputs, config.size("type_vocab_size", 2), hidden)
    places = table(inputs.position_ids, "position", config.size("max_position_embeddings"))
    total = r.op("Add", r.op("Add", words, types), places)
    return w.layer_norm(total, "embeddings.LayerNorm", hidden, epsilon)


def _types(w: GraphWriter, inputs: PackedInputs, rows: int, hidden: int) -> Value:
    """Look token types up; a table of one row has one answer, also for the second of a pair."""
    name = "embeddings.token_type_embeddings"
    ids = inputs.token_type_ids if rows > 1 else w.recorder.integers(0)
    return w.embedding(ids, name, rows, hidden)


def _sequence(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """Pooler (dense and tanh on the first token), then a linear layer."""
    shape = _shape(config)
    hidden = shape.attention.hidden
    embedded = _embed(w, inputs, config, shape.epsilon)
    firsts = encode_first_tokens(w, embedded, inputs, _names, shape)
    pooled = w.recorder.op("Tanh", w.exact_linear(firsts, "pooler.dense", hidden, hidden))
    return w.exact_linear(pooled, "classifier", labels, hidden)


def _token(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """A linear layer on every token."""
    shape = _shape(config)
    embedded = _embed(w, inputs, config, shape.epsilon)
    tokens = encode_tokens(w, embedded, inputs, _names, shape)
    return w.exact_linear(tokens, "classifier", labels, shape.attention.hidden)


BERT = Architecture(
    prefix="bert.",
    positions=lambda config: config.size("max_position_embeddings"),
    heads={
        "BertForSequenceClassification": "sequence",
        "BertForTokenClassification": "token",
    },
    writers={"sequence": _sequence, "token": _token},
)
