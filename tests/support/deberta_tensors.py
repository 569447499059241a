"""The tensors of a tiny DeBERTa."""

from collections.abc import Iterator

from support.checkpoint_spec import CheckpointSpec
from support.tensor_plans import TensorPlan, linear, norm


def plan_deberta(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    """List every tensor of a DeBERTa of the first generation."""
    deberta, hidden = spec.deberta, spec.hidden
    yield from _embeddings(spec)
    for index in range(spec.layers):
        attention = f"deberta.encoder.layer.{index}.attention.self"
        yield from linear(f"{attention}.in_proj", 3 * hidden, hidden, bias=False)
        for part in ("q_bias", "v_bias"):
            yield TensorPlan(f"{attention}.{part}", (hidden,), "bias")
        if deberta.relative and "c2p" in deberta.terms:
            yield from linear(f"{attention}.pos_proj", hidden, hidden, bias=False)
        if deberta.relative and "p2c" in deberta.terms:
            yield from linear(f"{attention}.pos_q_proj", hidden, hidden)
        yield from _layer(spec, index)
    if deberta.relative:
        yield _table(_longest(spec), hidden)
    yield from _head(spec)


def plan_deberta_v2(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    """List every tensor of a DeBERTa-v2 or -v3."""
    deberta, hidden = spec.deberta, spec.hidden
    yield from _embeddings(spec)
    for index in range(spec.layers):
        attention = f"deberta.encoder.layer.{index}.attention.self"
        for part in ("query", "key", "value"):
            yield from linear(f"{attention}.{part}_proj", hidden, hidden)
        if deberta.relative and not deberta.shared:
            for term, part in (("c2p", "key"), ("p2c", "query")):
                if term in deberta.terms:
                    yield from linear(f"{attention}.pos_{part}_proj", hidden, hidden)
        yield from _layer(spec, index)
    if deberta.relative:
        rows = deberta.buckets if deberta.buckets > 0 else _longest(spec)
        yield _table(rows, hidden)
    if deberta.normed:
        yield from norm("deberta.encoder.LayerNorm", hidden)
    if deberta.convolution:
        name = "deberta.encoder.conv"
        kernel = (hidden, hidden // deberta.groups, deberta.convolution)
        yield TensorPlan(f"{name}.conv.weight", kernel, "matrix")
        yield TensorPlan(f"{name}.conv.bias", (hidden,), "bias")
        yield from norm(f"{name}.LayerNorm", hidden)
    yield from _head(spec)


def _longest(spec: CheckpointSpec) -> int:
    return spec.deberta.longest if spec.deberta.longest > 0 else spec.max_positions


def _table(rows: int, hidden: int) -> TensorPlan:
    """Plan the table of distances, of both signs; in a real one they differ as words do."""
    return TensorPlan("deberta.encoder.rel_embeddings.weight", (2 * rows, hidden), "embedding")


def _embeddings(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    deberta, name = spec.deberta, "deberta.embeddings"
    width = spec.embedding or spec.hidden
    tables = {
        "word": spec.vocab_size,
        "position": spec.max_positions if deberta.placed else 0,
        "token_type": deberta.types,
    }
    for part, rows in tables.items():
        if rows:
            yield TensorPlan(f"{name}.{part}_embeddings.weight", (rows, width), "embedding")
    if width != spec.hidden:
        yield from linear(f"{name}.embed_proj", spec.hidden, width, bias=False)
    yield from norm(f"{name}.LayerNorm", spec.hidden)


def _layer(spec: CheckpointSpec, index: int) -> Iterator[TensorPlan]:
    """List what follows a layer's attention."""
    layer, hidden, inner = f"deberta.encoder.layer.{index}", spec.hidden, spec.intermediate
    yield from linear(f"{layer}.attention.output.dense", hidden, hidden)
    yield from norm(f"{layer}.attention.output.LayerNorm", hidden)
    yield from linear(f"{layer}.intermediate.dense", inner, hidden)
    yield from linear(f"{layer}.output.dense", hidden, inner)
    yield from norm(f"{layer}.output.LayerNorm", hidden)


def _head(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    if spec.head == "sequence":
        yield from linear("pooler.dense", spec.hidden, spec.hidden)
    yield from linear("classifier", spec.num_labels, spec.hidden, role="head")
