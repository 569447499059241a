"""RoBERTa and its kin, which count positions from the padding token on.

Each has the tokenizer that it is usually found with. Their pairs have four special tokens, and
token types of one kind.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from golden.case import GoldenCase, Text
from golden.sizes import SENTIMENT, as_tagger, in_three_sizes
from golden.texts import FEW_TEXTS, PAIRS, SINGLES, edge_pairs, edge_texts
from support.checkpoint_spec import Architecture
from support.checkpoints import CheckpointSpec, TokenizerSpec

PAIR_TOKENS = 4
"""Special tokens of a pair: ``<s> a </s></s> b </s>``."""

BYTE_LEVEL = TokenizerSpec(kind="byte-level")
UNIGRAM = TokenizerSpec(kind="unigram")

USUAL = CheckpointSpec(
    architecture="roberta",
    vocab_size=448,
    pad_id=1,
    type_vocab_size=1,
    layer_norm_eps=1e-5,
    label_names=SENTIMENT,
    tokenizer=BYTE_LEVEL,
)
"""What the published models have in common."""

KIN: Mapping[Architecture, tuple[TokenizerSpec, tuple[int, int, int]]] = {
    "roberta": (BYTE_LEVEL, (1, 7, 2)),
    "xlm-roberta": (UNIGRAM, (1, 3, 2)),
    "camembert": (UNIGRAM, (10, 21, 12)),
}
"""Tokenizer, and seeds of the three sizes."""

SPELT_PADDING: tuple[Text, ...] = (
    "good",
    "<pad>",
    "a <pad> good film<pad><pad> is dull",
    ("I <pad> love", "<pad> never"),
    "we <s> love </s> it <pad>",
)
"""Texts that spell the padding token out, which then has no place of its own."""


def _shapes() -> Iterator[GoldenCase]:
    """Each name and head in each size, asked about every kind of text."""
    for name, (tokenizer, seeds) in KIN.items():
        base = replace(USUAL, architecture=name, tokenizer=tokenizer)
        for size, shape in in_three_sizes(base, seeds).items():
            # All bytes are in a byte-level vocabulary, and here every word too.
            model = (
                replace(shape, vocab_size=max(shape.vocab_size, 443)) if size == "odd" else shape
            )
            limit = model.max_tokens
            pairs = edge_pairs(limit, special_tokens=PAIR_TOKENS)
            texts: tuple[Text, ...] = (*SINGLES, *PAIRS, *edge_texts(limit), *pairs)
            for spec in (model, as_tagger(model)):
                yield GoldenCase(f"{name}-{spec.head}-{size}", spec, texts)


def _traps() -> tuple[GoldenCase, ...]:
    """What differs from checkpoint to checkpoint."""
    roberta = replace(USUAL, seed=2)
    unigram = replace(roberta, tokenizer=UNIGRAM)
    xlm_roberta = replace(unigram, architecture="xlm-roberta")
    camembert = replace(unigram, architecture="camembert")
    limit = roberta.max_tokens
    edges: tuple[Text, ...] = (*FEW_TEXTS, *edge_texts(limit))
    # As many as the position table has rows: two too many, and yet what some files say.
    rows = replace(BYTE_LEVEL, model_max_length=roberta.max_positions)
    ranker = replace(xlm_roberta, num_labels=1, label_names=None)
    return (
        GoldenCase("roberta-spelt-padding", roberta, SPELT_PADDING),
        GoldenCase("roberta-padding-first", replace(roberta, pad_id=0), edges),
        GoldenCase("roberta-rows-as-maximum", replace(roberta, tokenizer=rows), edges),
        GoldenCase("roberta-layer_norm_eps", replace(roberta, layer_norm_eps=1e-12)),
        GoldenCase("roberta-no-prefix", replace(roberta, weight_names="no-prefix")),
        GoldenCase("roberta-gamma-beta", replace(roberta, weight_names="gamma-beta")),
        GoldenCase("roberta-int8", replace(roberta, storage="int8")),
        GoldenCase("xlm-roberta-no-prefix", replace(xlm_roberta, weight_names="no-prefix")),
        GoldenCase("xlm-roberta-float16", replace(xlm_roberta, storage="float16")),
        GoldenCase("xlm-roberta-one-label", ranker),
        GoldenCase("camembert-no-prefix", replace(camembert, weight_names="no-prefix")),
    )


ROBERTA_CASES = (*_shapes(), *_traps())
