"""The tensors of a tiny ModernBERT."""

from collections.abc import Iterator

from support.checkpoint_spec import CheckpointSpec
from support.tensor_plans import TensorPlan, linear, norm


def plan_modernbert(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    """List every tensor of a ModernBERT."""
    hidden, inner, bias = spec.hidden, spec.intermediate, spec.modernbert.biases
    words = (spec.vocab_size, hidden)
    yield TensorPlan("model.embeddings.tok_embeddings.weight", words, "embedding")
    yield from norm("model.embeddings.norm", hidden, bias=bias)
    for index in range(spec.layers):
        layer = f"model.layers.{index}"
        if index:  # the first has none
            yield from norm(f"{layer}.attn_norm", hidden, bias=bias)
        yield from linear(f"{layer}.attn.Wqkv", 3 * hidden, hidden, bias=bias)
        yield from linear(f"{layer}.attn.Wo", hidden, hidden, bias=bias)
        yield from norm(f"{layer}.mlp_norm", hidden, bias=bias)
        yield from linear(f"{layer}.mlp.Wi", 2 * inner, hidden, bias=bias)
        yield from linear(f"{layer}.mlp.Wo", hidden, inner, bias=bias)
    yield from norm("model.final_norm", hidden, bias=bias)
    yield from linear("head.dense", hidden, hidden, bias=bias)
    yield from norm("head.norm", hidden, bias=bias)
    yield from linear("classifier", spec.num_labels, hidden, role="head")
