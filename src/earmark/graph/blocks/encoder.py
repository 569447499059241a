"""The encoder of BERT and related architectures: layers that normalise after each residual."""

from collections.abc import Callable
from dataclasses import dataclass

from earmark.graph.blocks.activations import activation
from earmark.graph.blocks.attention import (
    AttentionNames,
    AttentionShape,
    first_token_attention,
    first_token_bias,
    packed_attention,
    packed_bias,
)
from earmark.graph.blocks.relative_bias import RelativeBias
from earmark.graph.blocks.relative_keys import RelativeAttention, RelativeKeys
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderShape:
    """Sizes and functions of an encoder, from its config.

    Attributes:
        layers: how many.
        attention: hidden size and heads.
        intermediate: width inside the feed-forward block.
        activation: function inside the feed-forward block.
        epsilon: of every layer norm.
        relative_keys: relative positions in attention; None if positions are absolute.
    """

    layers: int
    attention: AttentionShape
    intermediate: int
    activation: str
    epsilon: float
    relative_keys: RelativeKeys | None = None


@dataclass(frozen=True, slots=True)
class LayerNames:
    """Names of one layer's tensors, without ``.weight``."""

    attention: AttentionNames
    attention_norm: str
    intermediate: str
    output: str
    output_norm: str


NamesOf = Callable[[int], LayerNames]
"""Returns the names of the layer with an index."""


def _feed_forward(w: GraphWriter, x: Value, names: LayerNames, shape: EncoderShape) -> Value:
    hidden = shape.attention.hidden
    wide = w.linear(x, names.intermediate, shape.intermediate, hidden)
    active = activation(w.recorder, wide, shape.activation)
    return w.linear(active, names.output, hidden, shape.intermediate)


def finish_layer(
    w: GraphWriter, x: Value, attended: Value, names: LayerNames, shape: EncoderShape
) -> Value:
    """Add both residuals, each followed by its norm.

    Args:
        w: the graph.
        x: hidden states, ``[..., hidden]``.
        attended: output of attention for them, output projection applied.
        names: the layer's tensors.
        shape: sizes.

    Returns:
        Hidden states after the layer, ``[..., hidden]``.
    """
    r, hidden = w.recorder, shape.attention.hidden
    x = w.layer_norm(r.op("Add", attended, x), names.attention_norm, hidden, shape.epsilon)
    wide = _feed_forward(w, x, names, shape)
    return w.layer_norm(r.op("Add", wide, x), names.output_norm, hidden, shape.epsilon)


@dataclass(frozen=True, slots=True)
class _Layers:
    """Writes the layers of one checkpoint into a graph."""

    w: GraphWriter
    inputs: PackedInputs
    names_of: NamesOf
    shape: EncoderShape
    relative: RelativeBias | None
    distant: RelativeAttention | None

    @classmethod
    def of(
        cls,
        w: GraphWriter,
        inputs: PackedInputs,
        names_of: NamesOf,
        shape: EncoderShape,
        relative: RelativeBias | None,
    ) -> "_Layers":
        """Record the parts that all layers share."""
        keys = shape.relative_keys
        distant = None if keys is None else keys.record(w.recorder, inputs)
        return cls(w, inputs, names_of, shape, relative, distant)

    def tokens(self, x: Value, count: int) -> Value:
        """Write so many layers, for every token."""
        w, sizes = self.w, self.shape.attention
        bias = packed_bias(w.recorder, self.inputs.segment_ids)
        if self.relative is not None:
            bias = w.recorder.op("Add", bias, self.relative.between)
        attend = packed_attention if self.distant is None else self.distant.of_tokens
        for index in range(count):
            names = self.names_of(index)
            attended = attend(w, x, bias, names.attention, sizes)
            x = finish_layer(w, x, attended, names, self.shape)
        return x

    def first_tokens(self, x: Value) -> Value:
        """Write every layer, the last one for each text's first token only."""
        w, r, sizes, last = self.w, self.w.recorder, self.shape.attention, self.shape.layers - 1
        x, names = self.tokens(x, last), self.names_of(last)
        firsts = r.op("Gather", r.reshape(x, -1, sizes.hidden), self.inputs.first_token)
        view = first_token_bias(r, self.inputs.segment_ids, self.inputs.first_token)
        if self.relative is not None:
            view = r.op("Add", view, self.relative.from_first)
        attend = first_token_attention if self.distant is None else self.distant.of_first_tokens
        attended = attend(w, x, firsts, view, names.attention, sizes)
        return finish_layer(w, firsts, attended, names, self.shape)


def encode_tokens(
    w: GraphWriter,
    x: Value,
    inputs: PackedInputs,
    names_of: NamesOf,
    shape: EncoderShape,
    relative: RelativeBias | None = None,
) -> Value:
    """Write every layer, for every token.

    Args:
        w: the graph.
        x: embeddings, ``[rows, width, hidden]``.
        inputs: the packed batch.
        names_of: names of each layer's tensors.
        shape: sizes.
        relative: added to scores by distance.

    Returns:
        Hidden states, ``[rows, width, hidden]``.
    """
    return _Layers.of(w, inputs, names_of, shape, relative).tokens(x, shape.layers)


def encode_first_tokens(
    w: GraphWriter,
    x: Value,
    inputs: PackedInputs,
    names_of: NamesOf,
    shape: EncoderShape,
    relative: RelativeBias | None = None,
) -> Value:
    """Write every layer, the last one for each text's first token only.

    Nothing reads the last layer's other tokens. Leaving them out is exact, and saves five sixths of
    that layer: a seventh of a model of six layers.

    Args:
        w: the graph.
        x: embeddings, ``[rows, width, hidden]``.
        inputs: the packed batch.
        names_of: names of each layer's tensors.
        shape: sizes.
        relative: added to scores by distance.

    Returns:
        Hidden states of the first tokens, ``[texts, hidden]``.
    """
    return _Layers.of(w, inputs, names_of, shape, relative).first_tokens(x)
