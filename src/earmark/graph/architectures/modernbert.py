"""ModernBERT (Warner et al. 2024, arXiv:2412.13663).

Follows `transformers` 5.24.0, models/modernbert/modeling_modernbert.py. Differs from BERT in norms
before each block, rotary positions, layers with local attention, a gate inside the feed-forward
block, and optional biases. There are no token types.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from earmark.checkpoint.config import Config
from earmark.errors import InvalidCheckpoint, UnsupportedCheckpoint
from earmark.graph.architectures.architecture import Architecture, HeadLayers
from earmark.graph.blocks.activations import activation
from earmark.graph.blocks.attention import AttentionShape, attend, packed_bias, within_reach
from earmark.graph.blocks.pooling import first_of_texts, mean_of_texts
from earmark.graph.blocks.rotary import Rotation, rotate, rotation
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

GLOBAL, LOCAL = "full_attention", "sliding_attention"
"""Names of kinds of layers in `layer_types` and `rope_parameters` of newer configs."""
OLD_THETA = {GLOBAL: "global_rope_theta", LOCAL: "local_rope_theta"}
THETA = {GLOBAL: 160_000.0, LOCAL: 10_000.0}
PLAIN_ROTATION: Mapping[str, tuple[object, ...]] = {
    "rope_type": ("default",),
    "type": ("default",),
    "partial_rotary_factor": (1,),
}
"""Fields of a rotation, and the values with which it depends only on its base."""
POOLINGS = {"cls": first_of_texts, "mean": mean_of_texts}
"""`classifier_pooling` -> how a text's tokens become one vector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """Sizes, functions and biases, from the config (defaults: configuration_modernbert.py)."""

    attention: AttentionShape
    intermediate: int
    activation: str
    epsilon: float
    norm_bias: bool
    attention_bias: bool
    feed_forward_bias: bool


@dataclass(frozen=True, slots=True)
class _View:
    """The attention of one kind of layers: which tokens they see, and their angles."""

    bias: Value
    rotation: Rotation


def _shape(config: Config) -> _Shape:
    attention = AttentionShape.read(config, "hidden_size", "num_attention_heads")
    if attention.head % 2:
        raise InvalidCheckpoint(
            f"{config.path}: heads are {attention.head} wide, expected an even number: "
            "rotary positions turn values in pairs"
        )
    return _Shape(
        attention=attention,
        intermediate=config.size("intermediate_size"),
        activation=config.text("hidden_activation", "gelu"),
        epsilon=config.number("norm_eps", 1e-5),
        norm_bias=config.flag("norm_bias", default=False),
        attention_bias=config.flag("attention_bias", default=False),
        feed_forward_bias=config.flag("mlp_bias", default=False),
    )


def _kinds(config: Config) -> tuple[str, ...]:
    """Return the kind of each layer, from the newer list or the older rule."""
    count = config.size("num_hidden_layers")
    named = config.words("layer_types")
    if not named:
        every = config.size("global_attn_every_n_layers", 3)
        return tuple(LOCAL if layer % every else GLOBAL for layer in range(count))
    if len(named) != count or not set(named) <= {GLOBAL, LOCAL}:
        raise InvalidCheckpoint(
            f'{config.path}: "layer_types" is {list(named)}, expected {count} times '
            f"{GLOBAL} or {LOCAL}"
        )
    return named


def _theta(config: Config, kind: str) -> float:
    """Return the base of a kind's angles, from the newer field or the older one.

    If it is null for local layers, it is that of the others, as in `transformers` 4.57.1 (class
    ModernBertAttention); 5.24 fails there.
    """
    newer = config.section("rope_parameters").section(kind)
    for place, key in ((newer, "rope_theta"), (config, OLD_THETA[kind])):
        if place.fields.get(key) is not None:
            return place.number(key, THETA[kind])
        if kind == LOCAL and place.is_null(key):
            return _theta(config, GLOBAL)
    return THETA[kind]


def _check_rotation(config: Config) -> None:
    """Raise an error if angles depend on more than their base."""
    newer = config.section("rope_parameters")
    places = [config.section("rope_scaling"), *(newer.section(kind) for kind in THETA)]
    scaled = [
        f"{key} is {value!r}"
        for place in places
        for key, value in place.fields.items()
        if value is not None and value not in PLAIN_ROTATION.get(key, ())
        if not (key == "rope_theta" and place is not places[0])
    ]
    scaled += [f"{key} is {newer.fields[key]!r}" for key in newer.fields if key not in THETA]
    if scaled:
        raise UnsupportedCheckpoint(
            f"{config.path}: rotary positions are scaled ({', '.join(scaled)}); supported is "
            f"rope_type 'default' with a rope_theta each for {' and '.join(THETA)}"
        )


def _views(w: GraphWriter, inputs: PackedInputs, config: Config, head: int) -> dict[str, _View]:
    """Record the attention of each kind of layers, once for all layers."""
    r, reach = w.recorder, config.size("local_attention", 128) // 2
    seen = {GLOBAL: None, LOCAL: within_reach(r, inputs.position_ids, reach)}
    positions = config.size("max_position_embeddings")

    def view(kind: str) -> _View:
        theta = _theta(config, kind)
        angles = rotation(r, inputs.position_ids, theta=theta, positions=positions, head=head)
        return _View(packed_bias(r, inputs.segment_ids, seen[kind]), angles)

    return {kind: view(kind) for kind in seen}


def _norm(w: GraphWriter, x: Value, name: str, shape: _Shape) -> Value:
    return w.layer_norm(x, name, shape.attention.hidden, shape.epsilon, bias=shape.norm_bias)


def _attention(w: GraphWriter, x: Value, name: str, view: _View, shape: _Shape) -> Value:
    r, hidden, sizes = w.recorder, shape.attention.hidden, shape.attention
    fused = w.linear(x, f"{name}.Wqkv", 3 * hidden, hidden, bias=shape.attention_bias)
    parts = r.ops("Split", fused, outputs=3, axis=-1, num_outputs=3)
    query, key, value = (
        r.op("Transpose", r.reshape(part, 0, 0, sizes.heads, sizes.head), perm=(0, 2, 1, 3))
        for part in parts
    )
    turned = r.op("Transpose", rotate(r, key, view.rotation), perm=(0, 1, 3, 2))
    mixed = attend(r, rotate(r, query, view.rotation), turned, value, view.bias, sizes.head)
    joined = r.reshape(r.op("Transpose", mixed, perm=(0, 2, 1, 3)), 0, 0, hidden)
    return w.linear(joined, f"{name}.Wo", hidden, hidden, bias=shape.attention_bias)


def _feed_forward(w: GraphWriter, x: Value, name: str, shape: _Shape) -> Value:
    """Apply a gated feed-forward block: one half, activated, is multiplied by the other."""
    r, hidden, wide = w.recorder, shape.attention.hidden, shape.intermediate
    both = w.linear(x, f"{name}.Wi", 2 * wide, hidden, bias=shape.feed_forward_bias)
    active, gate = r.ops("Split", both, outputs=2, axis=-1, num_outputs=2)
    gated = r.op("Mul", activation(r, active, shape.activation), gate)
    return w.linear(gated, f"{name}.Wo", hidden, wide, bias=shape.feed_forward_bias)


def _encode(w: GraphWriter, inputs: PackedInputs, config: Config, shape: _Shape) -> Value:
    r, hidden = w.recorder, shape.attention.hidden
    words = config.size("vocab_size")
    x = w.embedding(inputs.input_ids, "embeddings.tok_embeddings", words, hidden)
    x = _norm(w, x, "embeddings.norm", shape)
    views = _views(w, inputs, config, shape.attention.head)
    for index, kind in enumerate(_kinds(config)):
        layer = f"layers.{index}"
        # The first layer's input is already normalised, as embeddings.
        before = _norm(w, x, f"{layer}.attn_norm", shape) if index else x
        x = r.op("Add", x, _attention(w, before, f"{layer}.attn", views[kind], shape))
        before = _norm(w, x, f"{layer}.mlp_norm", shape)
        x = r.op("Add", x, _feed_forward(w, before, f"{layer}.mlp", shape))
    return _norm(w, x, "final_norm", shape)


def _classify(w: GraphWriter, x: Value, config: Config, shape: _Shape, labels: int) -> Value:
    """Dense, activation and norm, then a linear layer; the same for texts and tokens."""
    hidden, bias = shape.attention.hidden, config.flag("classifier_bias", default=False)
    dense = w.exact_linear(x, "head.dense", hidden, hidden, bias=bias)
    active = activation(w.recorder, dense, config.text("classifier_activation", "gelu"))
    return w.exact_linear(_norm(w, active, "head.norm", shape), "classifier", labels, hidden)


def _sequence(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """Pool the tokens by the config's rule, then classify."""
    shape = _shape(config)
    tokens = _encode(w, inputs, config, shape)
    pool = POOLINGS[config.text("classifier_pooling", "cls")]
    pooled = pool(w.recorder, tokens, inputs, shape.attention.hidden)
    return _classify(w, pooled, config, shape, labels)


def _token(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """Classify every token."""
    shape = _shape(config)
    return _classify(w, _encode(w, inputs, config, shape), config, shape, labels)


MODERNBERT = Architecture(
    prefix="model.",
    positions=lambda config: config.size("max_position_embeddings"),
    heads={
        "ModernBertForSequenceClassification": "sequence",
        "ModernBertForTokenClassification": "token",
    },
    layers={
        "sequence": HeadLayers(("head.dense", "head.norm", "classifier")),
        "token": HeadLayers(("head.dense", "head.norm", "classifier")),
    },
    writers={"sequence": _sequence, "token": _token},
    fields=by_name(
        COMMON,
        FOREIGN,
        obeyed("hidden_size num_hidden_layers num_attention_heads intermediate_size", "sizes"),
        function("hidden_activation", "function in the feed-forward block"),
        function("classifier_activation", "function in the head"),
        obeyed("classifier_pooling", "how tokens become one vector", tuple(POOLINGS)),
        obeyed("norm_eps", "epsilon of every norm"),
        obeyed("norm_bias attention_bias mlp_bias classifier_bias", "which layers have biases"),
        obeyed("layer_types global_attn_every_n_layers", "which layers see the whole text"),
        obeyed("local_attention", "how far the others see"),
        refused(
            "sliding_window",
            "half of `local_attention`",
            lambda config: (config.size("local_attention", 128) // 2,),
        ),
        refused(
            "position_embedding_type",
            "positions are rotary here whatever it says",
            ("absolute", "rope", "rotary", "sans_pos"),
        ),
        obeyed("global_rope_theta local_rope_theta", "bases of the rotary angles"),
        obeyed("rope_parameters rope_scaling", "rotary angles", reader=_check_rotation),
        refused(
            "rope_theta",
            "another name of `global_rope_theta`",
            lambda config: (_theta(config, GLOBAL),),
        ),
        refused("head_dim", "width of a head", lambda config: (_shape(config).attention.head,)),
        harmless("attention_dropout embedding_dropout mlp_dropout classifier_dropout", "training"),
        harmless("initializer_cutoff_factor", "of training"),
        harmless("decoder_bias sparse_prediction sparse_pred_ignore_index", "of the masked head"),
        harmless(
            "deterministic_flash_attn reference_compile repad_logits_with_grad",
            "the same products by another kernel",
        ),
        harmless("layer_norm_eps", "no class reads it; `norm_eps` counts"),
    ),
)
