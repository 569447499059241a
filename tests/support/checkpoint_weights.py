"""The tensors of a tiny checkpoint: names, shapes and values.

Names are those `transformers` 5 saves. Values are the same on every machine and with every NumPy:
the raw stream of PCG64 is guaranteed where the distributions of `numpy.random.Generator` are not
(NEP 19), and everything done to it here is exact IEEE arithmetic.
"""

import zlib
from collections.abc import Callable, Iterator
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from support.bart_tensors import plan_bart
from support.checkpoint_spec import ROBERTA_KIN, Architecture, CheckpointSpec
from support.deberta_tensors import plan_deberta, plan_deberta_v2
from support.modernbert_tensors import plan_modernbert
from support.tensor_plans import TensorPlan
from support.tensor_plans import linear as _linear
from support.tensor_plans import norm as _norm

Float32: TypeAlias = NDArray[np.float32]

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

MPNET_BUCKETS = 32
"""`relative_attention_num_buckets`; distances fall into as many whatever the config says."""


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
    return PLANS[spec.architecture](spec)


def _bert(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    yield from _bert_encoder(spec, spec.hidden)
    if spec.head == "sequence":  # BertForTokenClassification has no pooler
        yield from _linear("bert.pooler.dense", spec.hidden, spec.hidden)
    yield from _linear("classifier", spec.num_labels, spec.hidden, role="head")


def _roberta(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    yield from _bert_encoder(spec, spec.hidden)
    yield from _classifier(spec)


def _electra(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    width = spec.embedding or spec.hidden
    yield from _bert_encoder(spec, width)
    if width != spec.hidden:
        yield from _linear("electra.embeddings_project", spec.hidden, width)
    yield from _classifier(spec)


def _albert(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    hidden, inner, width = spec.hidden, spec.intermediate, spec.embedding or spec.hidden
    yield from _embeddings(spec, "albert.embeddings", width)
    types = (spec.type_vocab_size, width)
    yield TensorPlan("albert.embeddings.token_type_embeddings.weight", types, "embedding")
    yield from _linear("albert.encoder.embedding_hidden_mapping_in", hidden, width)
    for group, index in product(range(spec.layer_groups), range(spec.group_layers)):
        layer = f"albert.encoder.albert_layer_groups.{group}.albert_layers.{index}"
        for part in ("query", "key", "value", "dense"):
            yield from _linear(f"{layer}.attention.{part}", hidden, hidden)
        yield from _distances(spec, f"{layer}.attention")
        yield from _norm(f"{layer}.attention.LayerNorm", hidden)
        yield from _linear(f"{layer}.ffn", inner, hidden)
        yield from _linear(f"{layer}.ffn_output", hidden, inner)
        yield from _norm(f"{layer}.full_layer_layer_norm", hidden)
    if spec.head == "sequence":
        yield from _linear("albert.pooler", hidden, hidden)
    yield from _linear("classifier", spec.num_labels, hidden, role="head")


def _mpnet(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    hidden, inner = spec.hidden, spec.intermediate
    yield from _embeddings(spec, "mpnet.embeddings", hidden)
    for index in range(spec.layers):
        layer = f"mpnet.encoder.layer.{index}"
        for part in ("q", "k", "v", "o"):
            yield from _linear(f"{layer}.attention.attn.{part}", hidden, hidden)
        yield from _norm(f"{layer}.attention.LayerNorm", hidden)
        yield from _linear(f"{layer}.intermediate.dense", inner, hidden)
        yield from _linear(f"{layer}.output.dense", hidden, inner)
        yield from _norm(f"{layer}.output.LayerNorm", hidden)
    biases = (MPNET_BUCKETS, spec.heads)
    # As far apart as weights of norms and biases are: at the spread of embeddings they hardly show.
    yield TensorPlan("mpnet.encoder.relative_attention_bias.weight", biases, "norm")
    yield from _classifier(spec)


def _classifier(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    """List the head of RoBERTa, ELECTRA and MPNet."""
    if spec.head == "token":
        yield from _linear("classifier", spec.num_labels, spec.hidden, role="head")
        return
    yield from _linear("classifier.dense", spec.hidden, spec.hidden)
    yield from _linear("classifier.out_proj", spec.num_labels, spec.hidden, role="head")


def _bert_encoder(spec: CheckpointSpec, embedding: int) -> Iterator[TensorPlan]:
    """List embeddings and layers as BERT and its kin call them."""
    hidden, inner = spec.hidden, spec.intermediate
    embeddings = f"{spec.prefix}.embeddings"
    yield from _embeddings(spec, embeddings, embedding)
    types = (spec.type_vocab_size, embedding)
    yield TensorPlan(f"{embeddings}.token_type_embeddings.weight", types, "embedding")
    for index in range(spec.layers):
        layer = f"{spec.prefix}.encoder.layer.{index}"
        for part in ("query", "key", "value"):
            yield from _linear(f"{layer}.attention.self.{part}", hidden, hidden)
        yield from _distances(spec, f"{layer}.attention.self")
        yield from _linear(f"{layer}.attention.output.dense", hidden, hidden)
        yield from _norm(f"{layer}.attention.output.LayerNorm", hidden)
        yield from _linear(f"{layer}.intermediate.dense", inner, hidden)
        yield from _linear(f"{layer}.output.dense", hidden, inner)
        yield from _norm(f"{layer}.output.LayerNorm", hidden)


def _distances(spec: CheckpointSpec, attention: str) -> Iterator[TensorPlan]:
    """List the table of distances of a layer, which all heads share, where there is one."""
    if spec.position_type != "absolute":
        shape = (2 * spec.max_positions - 1, spec.hidden // spec.heads)
        yield TensorPlan(f"{attention}.distance_embedding.weight", shape, "matrix")


def _distilbert(spec: CheckpointSpec) -> Iterator[TensorPlan]:
    hidden, inner = spec.hidden, spec.intermediate
    yield from _embeddings(spec, "distilbert.embeddings", hidden)
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


def _embeddings(spec: CheckpointSpec, prefix: str, width: int) -> Iterator[TensorPlan]:
    for part, rows in (("word", spec.vocab_size), ("position", spec.max_positions)):
        name = f"{prefix}.{part}_embeddings.weight"
        yield TensorPlan(name, (rows, width), "embedding")
    yield from _norm(f"{prefix}.LayerNorm", width)


PLANS: dict[Architecture, Callable[[CheckpointSpec], Iterator[TensorPlan]]] = {
    "bert": _bert,
    "distilbert": _distilbert,
    **dict.fromkeys(ROBERTA_KIN, _roberta),
    "electra": _electra,
    "albert": _albert,
    "mpnet": _mpnet,
    "deberta": plan_deberta,
    "deberta-v2": plan_deberta_v2,
    "modernbert": plan_modernbert,
    "bart": plan_bart,
}
