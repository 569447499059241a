"""What the generations of DeBERTa share: embeddings, encoder and heads.

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

__all__ = [
    "DEBERTA_FIELDS",
    "EPSILON",
    "Generation",
    "longest_distance",
    "position_terms",
    "project_table",
    "write_heads",
]

EPSILON = 1e-7
"""`layer_norm_eps` where the config does not say (configuration_deberta_v2.py)."""

PRETRAINED = ("word", "position")
"""Tables that DeBERTa-v3 was pretrained with in two parts (arXiv:2111.09543, section 3.3)."""


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
"""Fields that both generations have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What a generation does its own way, for one checkpoint.

    Attributes:
        rows: of the table of distances, as `Distances` takes them.
        layer: the attention of the layer of that index.
        convolve: makes of the embeddings what is added to the first layer's answer, both
            ``[rows, width, hidden]``, before the norm ``encoder.conv.LayerNorm``; None where
            nothing is.
    """

    rows: Int64
    layer: Callable[[int], Disentangled]
    convolve: Callable[[Value], Value] | None = None


GenerationOf: TypeAlias = Callable[[GraphWriter, PackedInputs, Config, AttentionShape], Generation]
Writer: TypeAlias = Callable[[GraphWriter, PackedInputs, Config, int], Value]


def position_terms(config: Config) -> tuple[frozenset[str], int]:
    """Read which products with distances are made, and how many the scores are scaled for.

    `relative_attention` off leaves the products out, and scales as if they were there.
    """
    words = config.words("pos_att_type")
    made = frozenset(words) if config.flag("relative_attention", default=False) else frozenset()
    return made, 1 + len({"c2p", "p2c"} & set(words))


def longest_distance(config: Config) -> int:
    """Read how far apart two tokens may be and still have a distance of their own."""
    stated = config.integer("max_relative_positions", -1)
    return stated if stated > 0 else config.size("max_position_embeddings")


def project_table(w: GraphWriter, table: Float32, name: str, *, bias: bool = True) -> Float32:
    """Put the vectors of distances through a linear layer, ``[table, hidden]`` both.

    They are the same for every text: once, as the graph is written, and in float32 whatever it
    computes in.
    """
    hidden = table.shape[1]
    weight = floats_of(w.weights.matrix(f"{name}.weight", hidden, hidden))
    projected: Float32 = table @ weight.T
    return projected + w.weights.vector(f"{name}.bias", hidden) if bias else projected


def _shape(config: Config) -> EncoderShape:
    return replace(encoder_shape(config), epsilon=config.number("layer_norm_eps", EPSILON))


def _embed(w: GraphWriter, inputs: PackedInputs, config: Config, epsilon: float) -> Value:
    """Words, and positions and types where the config has any; then the norm."""
    r, hidden = w.recorder, config.size("hidden_size")
    narrow = config.size("embedding_size", hidden)

    def table(ids: Value, name: str, rows: int) -> Value:
        return w.embedding(ids, f"embeddings.{name}_embeddings", rows, narrow)

    # What pretraining added to the generator's tables; the tables here are the sums.
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
    """The layers of one checkpoint, on their way into a graph."""

    w: GraphWriter
    inputs: PackedInputs
    shape: EncoderShape
    generation: Generation
    distances: Distances
    embedded: Value

    def tokens(self, count: int) -> Value:
        """Run that many layers on every token."""
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
        """Run every layer, the last one for each text's first token alone."""
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
