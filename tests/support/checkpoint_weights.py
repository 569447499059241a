"""The tensors of a tiny checkpoint: names, shapes and values.

Names are those `transformers` 5 saves. Values are the same on every machine and with every NumPy:
the raw stream of PCG64 is guaranteed where the distributions of `numpy.random.Generator` are not
(NEP 19), and everything done to it here is exact IEEE arithmetic.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from support.checkpoint_spec import CheckpointSpec

__all__ = ["TensorPlan", "plan_tensors", "seeded_values"]

Float32: TypeAlias = NDArray[np.float32]
Role = Literal["embedding", "matrix", "head", "norm", "bias"]

EMBEDDING_STD = 0.05
"""Near BERT's own; small enough that `layer_norm_eps` 1e-5 shows in the logits."""
BIAS_STD = 0.1
"""Far from zero, so that a bias left out shows."""
NORM_STD = 0.1
"""LayerNorm weights stand around one."""
MATRIX_GAIN = 1.2
"""Above one, so that a text's words weigh more than what stands in every text. At 1.4 the
reference itself strayed from its float64 self by half of the parity tolerance."""
HEAD_GAIN = 1.5
"""Widens the classifier, so that texts differ by more than rounding can hide."""


@dataclass(frozen=True, slots=True)
class TensorPlan:
    """A tensor to be made.

    Attributes:
        name: as `transformers` saves it today.
        shape: of a matrix, ``[out, in]``.
        role: decides the spread of its values.
    """

    name: str
    shape: tuple[int, ...]
    role: Role


def seeded_values(tensor: TensorPlan, seed: int) -> Float32:
    """Draw a tensor's values, uniform around its role's middle.

    The tensor's name is part of the seed: a change to one tensor leaves the others alone.
    """
    name_seed = zlib.crc32(tensor.name.encode())
    stream = np.random.PCG64(np.random.SeedSequence([seed, name_seed]))
    raw: NDArray[np.uint64] = stream.random_raw(int(np.prod(tensor.shape)))
    # 53 bits make a double in [0, 1); sqrt(12) makes its standard deviation one.
    unit = ((raw >> np.uint64(11)).astype(np.float64) * 2.0**-53 - 0.5) * np.sqrt(12.0)
    values: NDArray[np.float64] = unit.reshape(tensor.shape)
    match tensor.role:
        case "embedding":
            values = values * EMBEDDING_STD
        case "matrix":
            values = values * (MATRIX_GAIN / np.sqrt(tensor.shape[1]))
        case "head":
            values = values * (HEAD_GAIN / np.sqrt(tensor.shape[1]))
        case "norm":
            values = 1.0 + values * NORM_STD
        case "bias":
            values = values * BIAS_STD
    return values.astype(np.float32)


def plan_tensors(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    """List every tensor of the checkpoint."""
    match spec.architecture:
        case "bert":
            yield from _bert(spec)
        case "distilbert":
            yield from _distilbert(spec)
        case "modernbert":
            yield from _modernbert(spec)
        case "bart":
            yield from _bart(spec)


def _bert(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    hidden, inner = spec.hidden, spec.intermediate
    embeddings = "bert.embeddings"
    yield from _embeddings(spec, embeddings)
    types = (spec.type_vocab_size, hidden)
    yield TensorPlan(f"{embeddings}.token_type_embeddings.weight", types, "embedding")
    for index in range(spec.layers):
        layer = f"bert.encoder.layer.{index}"
        for part in ("query", "key", "value"):
            yield from _linear(f"{layer}.attention.self.{part}", hidden, hidden)
        yield from _linear(f"{layer}.attention.output.dense", hidden, hidden)
        yield from _norm(f"{layer}.attention.output.LayerNorm", hidden)
        yield from _linear(f"{layer}.intermediate.dense", inner, hidden)
        yield from _linear(f"{layer}.output.dense", hidden, inner)
        yield from _norm(f"{layer}.output.LayerNorm", hidden)
    if spec.head == "sequence":  # BertForTokenClassification has no pooler
        yield from _linear("bert.pooler.dense", hidden, hidden)
    yield from _linear("classifier", spec.num_labels, hidden, role="head")


def _distilbert(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    hidden, inner = spec.hidden, spec.intermediate
    yield from _embeddings(spec, "distilbert.embeddings")
    for index in range(spec.layers):
        layer = f"distilbert.transformer.layer.{index}"
        for part in ("q_lin", "k_lin", "v_lin", "out_lin"):
            yield from _linear(f"{layer}.attention.{part}", hidden, hidden)
        yield from _norm(f"{layer}.sa_layer_norm", hidden)
        yield from _linear(f"{layer}.ffn.lin1", inner, hidden)
        yield from _linear(f"{layer}.ffn.lin2", hidden, inner)
        yield from _norm(f"{layer}.output_layer_norm", hidden)
    if spec.head == "sequence":
        yield from _linear("pre_classifier", hidden, hidden)
    yield from _linear("classifier", spec.num_labels, hidden, role="head")


def _modernbert(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    hidden, inner, bias = spec.hidden, spec.intermediate, spec.modernbert.biases
    words = (spec.vocab_size, hidden)
    yield TensorPlan("model.embeddings.tok_embeddings.weight", words, "embedding")
    yield from _norm("model.embeddings.norm", hidden, bias=bias)
    for index in range(spec.layers):
        layer = f"model.layers.{index}"
        if index:  # the first has none
            yield from _norm(f"{layer}.attn_norm", hidden, bias=bias)
        yield from _linear(f"{layer}.attn.Wqkv", 3 * hidden, hidden, bias=bias)
        yield from _linear(f"{layer}.attn.Wo", hidden, hidden, bias=bias)
        yield from _norm(f"{layer}.mlp_norm", hidden, bias=bias)
        yield from _linear(f"{layer}.mlp.Wi", 2 * inner, hidden, bias=bias)
        yield from _linear(f"{layer}.mlp.Wo", hidden, inner, bias=bias)
    yield from _norm("model.final_norm", hidden, bias=bias)
    yield from _linear("head.dense", hidden, hidden, bias=bias)
    yield from _norm("head.norm", hidden, bias=bias)
    yield from _linear("classifier", spec.num_labels, hidden, role="head")


def _bart(spec: CheckpointSpec) -> Iterator[TensorPlan]:
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
        yield from _norm(f"model.{side}.layernorm_embedding", hidden)
        for index in range(layers):
            layer = f"model.{side}.layers.{index}"
            for attention in attentions:
                for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                    yield from _linear(f"{layer}.{attention}.{part}", hidden, hidden)
                yield from _norm(f"{layer}.{attention}_layer_norm", hidden)
            yield from _linear(f"{layer}.fc1", inner, hidden)
            yield from _linear(f"{layer}.fc2", hidden, inner)
            yield from _norm(f"{layer}.final_layer_norm", hidden)
    yield from _linear("classification_head.dense", hidden, hidden)
    yield from _linear("classification_head.out_proj", spec.num_labels, hidden, role="head")


def _embeddings(spec: CheckpointSpec, prefix: str) -> Iterator[TensorPlan]:
    for part, rows in (("word", spec.vocab_size), ("position", spec.max_positions)):
        name = f"{prefix}.{part}_embeddings.weight"
        yield TensorPlan(name, (rows, spec.hidden), "embedding")
    yield from _norm(f"{prefix}.LayerNorm", spec.hidden)


def _linear(
    name: str, out: int, into: int, *, role: Role = "matrix", bias: bool = True
) -> Iterator[TensorPlan]:
    yield TensorPlan(f"{name}.weight", (out, into), role)
    if bias:
        yield TensorPlan(f"{name}.bias", (out,), "bias")


def _norm(name: str, hidden: int, *, bias: bool = True) -> Iterator[TensorPlan]:
    yield TensorPlan(f"{name}.weight", (hidden,), "norm")
    if bias:
        yield TensorPlan(f"{name}.bias", (hidden,), "bias")
