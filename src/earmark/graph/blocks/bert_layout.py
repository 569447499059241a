"""Parts that BERT and related architectures share: config fields, tensor names, embeddings.

Follows `transformers` 5.23.0, models/bert/modeling_bert.py.
"""

from earmark.checkpoint.config import Config
from earmark.graph.blocks.attention import AttentionNames, AttentionShape
from earmark.graph.blocks.encoder import EncoderShape, LayerNames
from earmark.graph.blocks.relative_keys import POSITION_TYPES, RelativeKeys
from earmark.graph.config_fields import COMMON, FOREIGN, Field, function, harmless, obeyed
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter

EPSILON = 1e-12
"""Default of `layer_norm_eps` (configuration_bert.py, and those of related architectures)."""

LAYOUT_FIELDS: tuple[Field, ...] = (
    *COMMON,
    *FOREIGN,
    *obeyed("hidden_size num_hidden_layers num_attention_heads intermediate_size", "sizes"),
    *obeyed("type_vocab_size", "kinds of tokens"),
    *obeyed("layer_norm_eps", "epsilon of every norm"),
    *function("hidden_act", "function in the feed-forward block"),
    *harmless("hidden_dropout_prob attention_probs_dropout_prob", "of training"),
    *harmless("classifier_dropout classifier_dropout_prob", "of training"),
)
"""Fields of BERT and all related architectures."""
RELATIVE_FIELDS: tuple[Field, ...] = (
    *obeyed("position_embedding_type", "positions, or distances", POSITION_TYPES),
)
"""Fields of those that may use relative positions."""


def encoder_shape(config: Config) -> EncoderShape:
    """Return the encoder's sizes and functions.

    Raises:
        InvalidCheckpoint: a size is missing or wrong.
    """
    return EncoderShape(
        layers=config.size("num_hidden_layers"),
        attention=AttentionShape.read(config, "hidden_size", "num_attention_heads"),
        intermediate=config.size("intermediate_size"),
        activation=config.text("hidden_act", "gelu"),
        epsilon=config.number("layer_norm_eps", EPSILON),
        relative_keys=RelativeKeys.read(config),
    )


def layer_names(layer: int) -> LayerNames:
    """Return the names of the tensors of the layer with that index."""
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


def embed(
    w: GraphWriter, inputs: PackedInputs, config: Config, *, position_ids: Value, width: int
) -> Value:
    """Add the embeddings of words, token types and positions, and normalise.

    If attention uses relative positions, positions are not added, though files contain their table.

    Args:
        w: the graph.
        inputs: the packed batch.
        config: the sizes of the tables.
        position_ids: rows of the position table, ``[rows, width of the batch]``.
        width: of every table.

    Returns:
        ``[rows, width of the batch, width]``.
    """
    r = w.recorder

    def table(ids: Value, name: str, rows: int) -> Value:
        return w.embedding(ids, f"embeddings.{name}_embeddings", rows, width)

    words = table(inputs.input_ids, "word", config.size("vocab_size"))
    kinds = config.size("type_vocab_size", 2)
    # A table of one row gives the same answer for the second text of a pair.
    types = table(inputs.token_type_ids if kinds > 1 else r.integers(0), "token_type", kinds)
    total = r.op("Add", words, types)
    if RelativeKeys.read(config) is None:
        places = table(position_ids, "position", config.size("max_position_embeddings"))
        total = r.op("Add", total, places)
    else:
        w.weights.disregard("embeddings.position_embeddings.weight")
    epsilon = config.number("layer_norm_eps", EPSILON)
    return w.layer_norm(total, "embeddings.LayerNorm", width, epsilon)
