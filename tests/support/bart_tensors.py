"""The tensors of a tiny BART."""

from collections.abc import Iterator

from support.checkpoint_spec import CheckpointSpec
from support.tensor_plans import TensorPlan, linear, norm


def plan_bart(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    """List every tensor of a BART."""
    hidden = spec.hidden
    words, places = (spec.vocab_size, hidden), (spec.max_positions + 2, hidden)
    yield TensorPlan("model.shared.weight", words, "embedding")
    sides = {
        "encoder": (spec.layers, spec.intermediate, ("self_attn",)),
        "decoder": (
            spec.bart.decoder_layers,
            spec.bart.decoder_intermediate,
            ("self_attn", "encoder_attn"),
        ),
    }
    for side, (layers, inner, attentions) in sides.items():
        if spec.bart.tables == "untied":
            yield TensorPlan(f"model.{side}.embed_tokens.weight", words, "embedding")
        yield TensorPlan(f"model.{side}.embed_positions.weight", places, "embedding")
        yield from norm(f"model.{side}.layernorm_embedding", hidden)
        for index in range(layers):
            layer = f"model.{side}.layers.{index}"
            for attention in attentions:
                for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                    yield from linear(f"{layer}.{attention}.{part}", hidden, hidden)
                yield from norm(f"{layer}.{attention}_layer_norm", hidden)
            yield from linear(f"{layer}.fc1", inner, hidden)
            yield from linear(f"{layer}.fc2", hidden, inner)
            yield from norm(f"{layer}.final_layer_norm", hidden)
    yield from linear("classification_head.dense", hidden, hidden)
    yield from linear("classification_head.out_proj", spec.num_labels, hidden, role="head")
