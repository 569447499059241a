"""ALBERT, whose layers share their weights."""

from collections.abc import Iterator
from dataclasses import replace

from golden.case import GoldenCase, Text
from golden.sizes import SENTIMENT, as_tagger, in_three_sizes
from golden.texts import FEW_TEXTS, PAIRS, SINGLES, edge_pairs, edge_texts
from support.checkpoints import CheckpointSpec

USUAL = CheckpointSpec(
    architecture="albert", embedding=20, hidden_act="gelu_new", label_names=SENTIMENT
)
"""What the published models of the second version have in common."""

SEEDS = (23, 1, 4)


def _shapes() -> Iterator[GoldenCase]:
    """Each head in each size, asked about every kind of text."""
    for size, model in in_three_sizes(USUAL, SEEDS).items():
        limit = model.max_tokens
        texts: tuple[Text, ...] = (*SINGLES, *PAIRS, *edge_texts(limit), *edge_pairs(limit))
        for spec in (model, as_tagger(model)):
            yield GoldenCase(f"albert-{spec.head}-{size}", spec, texts)


def _traps() -> Iterator[GoldenCase]:
    """What differs from checkpoint to checkpoint."""
    plain = replace(USUAL, seed=8, layers=5)
    traps = {
        "usual": plain,
        # Five runs through two groups, the first of which gets three.
        "groups": replace(plain, layer_groups=2),
        "inner-layers": replace(plain, layer_groups=2, group_layers=2),
        "wide-embeddings": replace(plain, embedding=None),
        "relu": replace(plain, hidden_act="relu"),
        "layer_norm_eps": replace(plain, layer_norm_eps=1e-5),
        "gamma-beta": replace(plain, seed=9, weight_names="gamma-beta"),
        "no-prefix": replace(plain, weight_names="no-prefix"),
        "bfloat16": replace(plain, storage="bfloat16"),
        "int8": replace(plain, storage="int8"),
        "one-label": replace(plain, num_labels=1, label_names=None),
    }
    for name, spec in traps.items():
        yield GoldenCase(f"albert-{name}", spec, FEW_TEXTS)


ALBERT_CASES = (*_shapes(), *_traps())
