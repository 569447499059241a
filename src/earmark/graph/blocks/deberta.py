"""Parts that the generations of DeBERTa share: embeddings, encoder and heads.

Follows `transformers` 5.23.0, models/deberta/modeling_deberta.py, from which
models/deberta_v2/modeling_deberta_v2.py copies these parts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from earmark.checkpoint.config import Config
from earmark.checkpoint.weights.weights import floats_of
from earmark.domain.head import HeadKind
from earmark.domain.packing import Float32
from earmark.graph.blocks.activations import activation
from earmark.graph.blocks.attention import AttentionShape, first_token_bias, packed_bias
from earmark.graph.blocks.bert_layout import LAYOUT_FIELDS, encoder_shape, layer_names
from earmark.graph.blocks.disentangled import (
    Disentangled,
    Distances,
    Int64,
    disentangled_attention,
    first_token_disentangled_attention,
)
from earmark.graph.blocks.encoder import EncoderShape, finish_layer
from earmark.graph.config_fields import Field, function, harmless, obeyed, refused
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter

EPSILON = 1e-7
"""Default of `layer_norm_eps` (configuration_deberta_v2.py)."""

PRETRAINED = ("word", "position")
"""Tables that were in two parts when DeBERTa-v3 was pretrained (arXiv:2111.09543, section 3.3)."""


def _head(config: Config) -> tuple[object, ...]:
    return (AttentionShape.read(config, "hidden_size", "num_attention_heads").head,)


DEBERTA_FIELDS: tuple[Field, ...] = (
    *LAYOUT_FIELDS,
    *obeyed("relative_attention max_relative_positions", "whether distances count, and which"),
    *obeyed("pos_att_type", "which products with distances", ("c2p", "p2c"), words=True),
    *obeyed("position_biased_input", "positions are added to the words"),
    *obeyed("embedding_size", "width of the tables"),
    *function("pooler_hidden_act", "function in the head"),
    *refused("pooler_hidden_size", "width of the head", lambda c: (c.size("hidden_size"),)),
    *refused("attention_head_size", "width of a head", _head),
    *harmless("pooler_dropout cls_dropout", "of training"),
    *harmless("legacy", "of heads that write text"),
    *harmless("padding_idx", "of training"),
)
"""Fields of both generations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """The parts that differ between generations, for one checkpoint.

    Attributes:
        rows: row of each distance in the table, for `Distances`.
        layer: returns the attention of the layer with an index.
        convolve: computes from the embeddings what is added to the first layer's output, both
            ``[rows, width, hidden]``, before the norm ``encoder.conv.LayerNorm``; None if there is
            no convolution.
    """

    rows: Int64
    layer: Callable[[int], Disentangled]
    convolve: Callable[[Value], Value] | None = None


GenerationOf: TypeAlias = Callable[[GraphWriter, PackedInputs, Config, AttentionShape], Generation]
Writer: TypeAlias = Callable[[GraphWriter, PackedInputs, Config, int], Value]


def position_terms(config: Config) -> tuple[frozenset[str], int]:
    """Return the products with distances, and the number of products that scores are scaled for.

    Without `relative_attention` there are no such products, but the scale still counts them.
    """
    words = config.words("pos_att_type")
    made = frozenset(words) if config.flag("relative_attention", default=False) else frozenset()
    return made, 1 + len({"c2p", "p2c"} & set(words))


def longest_distance(config: Config) -> int:
    """Return the longest distance of two tokens that has its own value."""
    stated = config.integer("max_relative_positions", -1)
    return stated if stated > 0 else config.size("max_position_embeddings")


def project_table(w: GraphWriter, table: Float32, name: str, *, bias: bool = True) -> Float32:
    """Apply a linear layer to the vectors of distances, ``[table, hidden]`` both.

    They are the same for every text, so this is computed once, when the graph is written, and
    always in float32.
    """
    hidden = table.shape[1]
    weight = floats_of(w.weights.matrix(f"{name}.weight", hidden, hidden))
    projected: Float32 = table @ weight.T
    return projected + w.weights.vector(f"{name}.bias", hidden) if bias else projected


def _shape(config: Config) -> EncoderShape:
    return replace(encoder_shape(config), epsilon=config.number("layer_norm_eps", EPSILON))


def _embed(w: GraphWriter, inputs: PackedInputs, config: Config, epsilon: float) -> Value:
    """Add the embeddings of words, and of positions and types if there are any; normalise."""
    r, hidden = w.recorder, config.size("hidden_size")
    narrow = config.size("embedding_size", hidden)

    def table(ids: Value, name: str, rows: int) -> Value:
        return w.embedding(ids, f"embeddings.{name}_embeddings", rows, narrow)

    # The differences from the generator's tables in pretraining; the tables here are the sums.
    w.weights.disregard(*(f"embeddings.{name}_embeddings._weight" for name in PRETRAINED))
    total = table(inputs.input_ids, "word", config.size("vocab_size"))
    if config.flag("position_biased_input", default=True):
        rows = config.size("max_position_embeddings")
        total = r.op("Add", total, table(inputs.position_ids, "position", rows))
    else:
        w.weights.disregard("embeddings.position_embeddings.weight")
    types = config.integer("type_vocab_size", 0)
    if types > 0:
        total = r.op("Add", total, table(inputs.token_type_ids, "token_type", types))
    if narrow != hidden:
        name = "embeddings.embed_proj"
        weight = w.weights.matrix(f"{name}.weight", hidden, narrow)
        total = w.project(total, name, weight, None)
    return w.layer_norm(total, "embeddings.LayerNorm", hidden, epsilon)


@dataclass(frozen=True, slots=True)
class _Encoder:
    """Writes the layers of one checkpoint into a graph."""

    w: GraphWriter
    inputs: PackedInputs
    shape: EncoderShape
    generation: Generation
    distances: Distances
    embedded: Value

    def tokens(self, count: int) -> Value:
        """Write so many layers, for every token."""
        x = self.embedded
        bias = packed_bias(self.w.recorder, self.inputs.segment_ids)
        for index in range(count):
            layer = self.generation.layer(index)
            attended = disentangled_attention(
                self.w, x, bias, self.distances, layer, self.shape.attention
            )
            x = self._finish(index, x, attended, self._neighbours(index))
        return x

    def first_tokens(self) -> Value:
        """Write every layer, the last one for each text's first token only."""
        r, hidden, index = self.w.recorder, self.shape.attention.hidden, self.shape.layers - 1
        x = self.tokens(index)

        def firsts_of(of: Value) -> Value:
            return r.op("Gather", r.reshape(of, -1, hidden), self.inputs.first_token)

        firsts = firsts_of(x)
        view = first_token_bias(r, self.inputs.segment_ids, self.inputs.first_token)
        layer = self.generation.layer(index)
        attended = first_token_disentangled_attention(
            self.w, x, firsts, view, self.distances, layer, self.shape.attention
        )
        neighbours = self._neighbours(index)
        added = None if neighbours is None else firsts_of(neighbours)
        return self._finish(index, firsts, attended, added)

    def _neighbours(self, index: int) -> Value | None:
        if index > 0 or self.generation.convolve is None:
            return None
        return self.generation.convolve(self.embedded)

    def _finish(self, index: int, x: Value, attended: Value, neighbours: Value | None) -> Value:
        w, hidden, names = self.w, self.shape.attention.hidden, layer_names(index)
        attended = w.linear(attended, names.attention.output, hidden, hidden)
        x = finish_layer(w, x, attended, names, self.shape)
        if neighbours is None:
            return x
        total = w.recorder.op("Add", x, neighbours)
        return w.layer_norm(total, "encoder.conv.LayerNorm", hidden, self.shape.epsilon)


def write_heads(generation_of: GenerationOf) -> dict[HeadKind, Writer]:
    """Return the writers of both heads of a generation."""

    def encoder(w: GraphWriter, inputs: PackedInputs, config: Config) -> _Encoder:
        shape = _shape(config)
        generation = generation_of(w, inputs, config, shape.attention)
        distances = Distances.of(w.recorder, inputs, generation.rows)
        embedded = _embed(w, inputs, config, shape.epsilon)
        return _Encoder(w, inputs, shape, generation, distances, embedded)

    def sequence(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
        """Pooler (dense and an activation on the first token), then a linear layer."""
        firsts, hidden = encoder(w, inputs, config).first_tokens(), config.size("hidden_size")
        dense = w.exact_linear(firsts, "pooler.dense", hidden, hidden)
        pooled = activation(w.recorder, dense, config.text("pooler_hidden_act", "gelu"))
        return w.exact_linear(pooled, "classifier", labels, hidden)

    def token(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
        """A linear layer on every token."""
        built = encoder(w, inputs, config)
        tokens = built.tokens(built.shape.layers)
        return w.exact_linear(tokens, "classifier", labels, config.size("hidden_size"))

    return {"sequence": sequence, "token": token}
