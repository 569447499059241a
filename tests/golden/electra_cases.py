"""ELECTRA, with embeddings narrower than the encoder, and as wide."""

from collections.abc import Iterator
from dataclasses import replace

from golden.case import GoldenCase, Text
from golden.sizes import SENTIMENT, as_tagger, in_three_sizes
from golden.texts import PAIRS, SINGLES, edge_pairs, edge_texts
from support.checkpoints import CheckpointSpec, TokenizerSpec

SEEDS = (1, 5, 1)
WIDTHS = {"small": 20, "medium": None, "odd": 21}
"""Of the embeddings; None is the encoder's own, as in the base and large models."""

NARROW = CheckpointSpec(architecture="electra", seed=2, embedding=20, label_names=SENTIMENT)


def _shapes() -> Iterator[GoldenCase]:
    """Each head in each size, asked about every kind of text."""
    for size, shape in in_three_sizes(CheckpointSpec(architecture="electra"), SEEDS).items():
        model = replace(shape, embedding=WIDTHS[size])
        limit = model.max_tokens
        texts: tuple[Text, ...] = (*SINGLES, *PAIRS, *edge_texts(limit), *edge_pairs(limit))
        for spec in (model, as_tagger(model)):
            yield GoldenCase(f"electra-{spec.head}-{size}", spec, texts)


def _traps() -> tuple[GoldenCase, ...]:
    """What differs from checkpoint to checkpoint."""
    return (
        # The head keeps its GELU whatever the encoder has.
        GoldenCase("electra-relu", replace(NARROW, hidden_act="relu")),
        GoldenCase("electra-no-prefix", replace(NARROW, weight_names="no-prefix")),
        GoldenCase("electra-gamma-beta", replace(NARROW, weight_names="gamma-beta")),
        GoldenCase("electra-int8", replace(NARROW, storage="int8")),
        GoldenCase(
            "electra-vocab-txt", replace(NARROW, tokenizer=TokenizerSpec(files="vocab.txt"))
        ),
    )


ELECTRA_CASES = (*_shapes(), *_traps())
