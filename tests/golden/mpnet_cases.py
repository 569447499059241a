"""MPNet, which counts positions as RoBERTa does, and distances besides."""

from collections.abc import Iterator
from dataclasses import replace

from golden.case import GoldenCase, Text
from golden.sizes import SENTIMENT, as_tagger, in_three_sizes
from golden.texts import FEW_TEXTS, PAIRS, SINGLES, edge_pairs, edge_texts
from support.checkpoints import CheckpointSpec, TokenizerSpec

PAIR_TOKENS = 4
"""Special tokens of a pair: ``<s> a </s></s> b </s>``."""

USUAL = CheckpointSpec(
    architecture="mpnet",
    pad_id=1,
    layer_norm_eps=1e-5,
    label_names=SENTIMENT,
    tokenizer=TokenizerSpec(kind="unigram"),
)
"""What the published models have in common, but for a tokenizer that cuts as BERT's does."""

SEEDS = (3, 22, 9)

SPELT_PADDING: tuple[Text, ...] = (
    "good",
    "a <pad> good film<pad><pad> is dull",
    ("I <pad> love", "<pad> never"),
)
"""Texts that spell the padding token out, which then has no place of its own."""


def _shapes() -> Iterator[GoldenCase]:
    """Each head in each size, asked about every kind of text."""
    for size, model in in_three_sizes(USUAL, SEEDS).items():
        limit = model.max_tokens
        pairs = edge_pairs(limit, special_tokens=PAIR_TOKENS)
        texts: tuple[Text, ...] = (*SINGLES, *PAIRS, *edge_texts(limit), *pairs)
        for spec in (model, as_tagger(model)):
            yield GoldenCase(f"mpnet-{spec.head}-{size}", spec, texts)


def _traps() -> Iterator[GoldenCase]:
    """What differs from checkpoint to checkpoint."""
    plain = replace(USUAL, seed=8)
    # Long enough for the distances that share the last of their buckets.
    far = replace(plain, max_positions=152)
    yield GoldenCase("mpnet-far", far, edge_texts(far.max_tokens)[:1] + FEW_TEXTS[:2])
    yield GoldenCase("mpnet-spelt-padding", plain, SPELT_PADDING)
    yield GoldenCase("mpnet-padding-elsewhere", replace(plain, pad_id=0), SPELT_PADDING)
    traps = {
        "usual": plain,
        "relu": replace(plain, hidden_act="relu"),
        "layer_norm_eps": replace(plain, layer_norm_eps=1e-12),
        "no-prefix": replace(plain, weight_names="no-prefix"),
        "float16": replace(plain, storage="float16"),
        "int8": replace(plain, storage="int8"),
        "one-label": replace(plain, num_labels=1, label_names=None),
    }
    for name, spec in traps.items():
        yield GoldenCase(f"mpnet-{name}", spec, FEW_TEXTS)


MPNET_CASES = (*_shapes(), *_traps())
