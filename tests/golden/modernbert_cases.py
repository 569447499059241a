"""ModernBERT: layers of short reach, rotary positions, gates, and biases that come and go.

The reach is so short here that every text of more than a few words goes beyond it.
"""

from collections.abc import Iterator
from dataclasses import replace

from golden.case import GoldenCase, Strategy, Tagging, Text
from golden.sizes import SENTIMENT, as_tagger, in_three_sizes
from golden.texts import FEW_TEXTS, MARKED_TEXTS, PAIRS, SINGLES, edge_pairs, edge_texts
from support.checkpoints import CheckpointSpec, ModernBertSpec, TokenizerSpec

USUAL = CheckpointSpec(
    architecture="modernbert",
    layers=3,
    vocab_size=448,
    layer_norm_eps=1e-5,
    label_names=SENTIMENT,
    tokenizer=TokenizerSpec(kind="byte-level"),
)
"""Two layers that see all around one that does not."""

SEEDS = (1, 2, 3)
ODD_VOCABULARY = 443
"""All bytes and every word of the texts, and no multiple of eight."""

BIASES = ModernBertSpec(biases=True)
NEWER = ModernBertSpec(newer_config=True, thetas=(500.0, 20.0))
"""Thetas so small that one taken for the other shows in texts of a dozen tokens."""

ONE_THETA = ModernBertSpec(thetas=(20.0, None))
PLAIN = TokenizerSpec(kind="byte-level", prefix_space=False)
SILU = ModernBertSpec(classifier_activation="silu")

STRATEGIES: tuple[Strategy, ...] = ("none", "simple", "max")


def _shapes() -> Iterator[GoldenCase]:
    """Each head in each size, asked about every kind of text; the odd one has an odd reach too."""
    for size, shape in in_three_sizes(USUAL, SEEDS).items():
        model = shape
        if size == "odd":
            own = ModernBertSpec(local_attention=7, pooling="cls")
            model = replace(shape, layers=2, vocab_size=ODD_VOCABULARY, modernbert=own)
        limit = model.max_tokens
        texts: tuple[Text, ...] = (*SINGLES, *PAIRS, *edge_texts(limit), *edge_pairs(limit))
        for spec in (model, as_tagger(model)):
            yield GoldenCase(f"modernbert-{spec.head}-{size}", spec, texts)


def _traps() -> tuple[GoldenCase, ...]:
    """What differs from checkpoint to checkpoint."""
    model = replace(USUAL, seed=4)
    whole = edge_texts(model.max_tokens)[:1]
    texts: tuple[Text, ...] = (*FEW_TEXTS, *whole)

    def case(name: str, spec: CheckpointSpec) -> GoldenCase:
        return GoldenCase(f"modernbert-{name}", spec, texts)

    return (
        case("usual", model),
        case("biases", replace(model, modernbert=BIASES)),
        case("token-biases", replace(as_tagger(model), modernbert=BIASES)),
        case("cls", replace(model, modernbert=ModernBertSpec(pooling="cls"))),
        case("longer-reach", replace(model, modernbert=ModernBertSpec(local_attention=20))),
        case("newer-config", replace(model, modernbert=NEWER)),
        case("thetas", replace(model, modernbert=replace(NEWER, newer_config=False))),
        # No space before a text's first word: releases differ in whether they put one there.
        replace(
            case("one-theta", replace(model, modernbert=ONE_THETA, tokenizer=PLAIN)), release="4"
        ),
        case("every-third", replace(model, layers=4, modernbert=ModernBertSpec(global_every=3))),
        case("relu", replace(model, hidden_act="relu")),
        case("classifier-silu", replace(model, modernbert=SILU)),
        case("norm_eps", replace(model, layer_norm_eps=1e-3)),
        case("no-prefix", replace(model, weight_names="no-prefix")),
        case("bfloat16", replace(model, storage="bfloat16")),
        case("int8", replace(model, storage="int8")),
        case("one-label", replace(model, num_labels=1, label_names=None)),
    )


def _tags() -> GoldenCase:
    spec = as_tagger(replace(USUAL, seed=1))
    asked = tuple(Tagging(strategy) for strategy in STRATEGIES)
    return GoldenCase("tags-modernbert", spec, MARKED_TEXTS, asked)


MODERNBERT_CASES = (*_shapes(), *_traps(), _tags())
