"""BART: a decoder that reads the text again, one place to the right."""

from collections.abc import Iterator
from dataclasses import replace

from golden.case import GoldenCase, Text
from golden.sizes import SENTIMENT, in_three_sizes
from golden.sorting_cases import ASKED
from golden.texts import FEW_TEXTS, PAIRS, PREMISES, SINGLES, edge_pairs, edge_texts
from support.checkpoints import BartSpec, CheckpointSpec, TokenizerSpec

USUAL = CheckpointSpec(
    architecture="bart",
    vocab_size=448,
    label_names=SENTIMENT,
    tokenizer=TokenizerSpec(kind="byte-level"),
)
SEEDS = (1, 2, 3)
ODD_VOCABULARY = 443
"""All bytes and every word of the texts, and no multiple of eight."""

SPELT_ENDS: tuple[Text, ...] = (
    "good",
    "</s>",
    "a good </s> film </s></s> is dull",
    ("I </s> love", "never </s>"),
)
"""Texts that spell the end of a sentence out: there are more, and the last still counts."""

NLI = ("contradiction", "neutral", "entailment")
"""Labels of facebook/bart-large-mnli."""


def _shapes() -> Iterator[GoldenCase]:
    """Each size, asked about every kind of text; the odd one has a decoder of other sizes."""
    for size, shape in in_three_sizes(USUAL, SEEDS).items():
        own = BartSpec(decoder_layers=shape.layers, decoder_heads=shape.heads)
        model = replace(shape, bart=own)
        if size == "odd":
            own = BartSpec(decoder_layers=2, decoder_heads=4, decoder_intermediate=70)
            model = replace(model, vocab_size=ODD_VOCABULARY, bart=own)
        limit = model.max_tokens
        texts: tuple[Text, ...] = (*SINGLES, *PAIRS, *edge_texts(limit), *edge_pairs(limit))
        yield GoldenCase(f"bart-sequence-{size}", model, texts)


def _traps() -> tuple[GoldenCase, ...]:
    """What differs from checkpoint to checkpoint."""
    model = replace(USUAL, seed=4)
    # No space before a text's first word: releases differ in whether they put one there.
    plain = TokenizerSpec(kind="byte-level", prefix_space=False)
    stated = replace(model, bart=BartSpec(stated_layers=1), tokenizer=plain)
    unnamed = replace(model, num_labels=3, label_names=None)

    def case(name: str, spec: CheckpointSpec) -> GoldenCase:
        return GoldenCase(f"bart-{name}", spec)

    return (
        GoldenCase("bart-spelt-ends", model, (*FEW_TEXTS[:1], *SPELT_ENDS)),
        case("scaled", replace(model, bart=BartSpec(scale_embedding=True))),
        case("start-token", replace(model, bart=BartSpec(start_token=2))),
        case("all-tables", replace(model, bart=BartSpec(tables="all"))),
        case("untied", replace(model, bart=BartSpec(tables="untied"))),
        replace(case("stated-layers", stated), release="4"),
        case("relu", replace(model, hidden_act="relu")),
        case("no-prefix", replace(model, weight_names="no-prefix")),
        case("float16", replace(model, storage="float16")),
        case("int8", replace(model, storage="int8")),
        case("unnamed-labels", unnamed),
        case("one-label", replace(model, num_labels=1, label_names=None)),
    )


def _sorts() -> GoldenCase:
    spec = replace(USUAL, seed=1, num_labels=len(NLI), label_names=NLI)
    return GoldenCase("sorts-bart", spec, PREMISES, sortings=ASKED)


BART_CASES = (*_shapes(), *_traps(), _sorts())
