"""DeBERTa, whose generations differ in their configs more than in their names."""

from collections.abc import Iterator
from dataclasses import replace

from golden.case import GoldenCase, Text
from golden.sizes import SENTIMENT, as_tagger, in_three_sizes
from golden.texts import FEW_TEXTS, PAIRS, SINGLES, edge_pairs, edge_texts
from support.checkpoints import CheckpointSpec

V3 = CheckpointSpec(architecture="deberta-v2", layer_norm_eps=1e-7, label_names=SENTIMENT)
V1 = replace(V3, architecture="deberta")

SIZES = ((V1, (4, 13, 5)), (V3, (10, 4, 9)))
"""What a generation's published models have in common, and seeds of the three sizes."""


def _shapes() -> Iterator[GoldenCase]:
    """Each generation and head in each size, asked about every kind of text."""
    for base, seeds in SIZES:
        for size, model in in_three_sizes(base, seeds).items():
            limit = model.max_tokens
            texts: tuple[Text, ...] = (*SINGLES, *PAIRS, *edge_texts(limit), *edge_pairs(limit))
            for spec in (model, as_tagger(model)):
                yield GoldenCase(f"{spec.architecture}-{spec.head}-{size}", spec, texts)


def _traps_of_v1() -> Iterator[GoldenCase]:
    """What differs from checkpoint to checkpoint of the first generation."""
    plain = replace(V1, seed=8)
    v1 = plain.deberta
    traps = {
        "usual": v1,
        "c2p": replace(v1, terms=("c2p",)),
        "p2c": replace(v1, terms=("p2c",), joined=False),
        "few-distances": replace(v1, longest=5),
        "no-distances": replace(v1, relative=False),
        "positions-and-types": replace(v1, placed=True, types=2),
    }
    texts: tuple[Text, ...] = (*FEW_TEXTS, *edge_texts(plain.max_tokens)[:1])
    for name, deberta in traps.items():
        yield GoldenCase(f"deberta-{name}", replace(plain, deberta=deberta), texts)
    yield GoldenCase("deberta-narrow-embeddings", replace(plain, embedding=20), texts)
    yield GoldenCase("deberta-layer_norm_eps", replace(plain, layer_norm_eps=1e-5), texts)
    yield GoldenCase("deberta-no-prefix", replace(plain, weight_names="no-prefix"), texts)
    yield GoldenCase("deberta-int8", replace(plain, storage="int8"), texts)


def _traps_of_v2() -> Iterator[GoldenCase]:
    """What differs from checkpoint to checkpoint of the second and third generation."""
    plain = replace(V3, seed=8)
    v3 = plain.deberta
    # As DeBERTa-v2-xlarge has it; the published kernels reach over three tokens.
    convolution = replace(v3, convolution=3, convolved="gelu")
    traps = {
        "usual": v3,
        "c2p": replace(v3, terms=("c2p",)),
        "p2c": replace(v3, terms=("p2c",), joined=False),
        "own-projections": replace(v3, shared=False),
        "own-c2p": replace(v3, shared=False, terms=("c2p",)),
        "own-p2c": replace(v3, shared=False, terms=("p2c",)),
        "no-buckets": replace(v3, buckets=-1),
        "few-distances": replace(v3, buckets=-1, longest=5),
        "bucketed-beyond": replace(v3, buckets=6, longest=20),
        "many-buckets": replace(v3, buckets=32, longest=64),
        "table-as-it-is": replace(v3, normed=False),
        "no-distances": replace(v3, relative=False),
        "positions": replace(v3, placed=True),
        "types": replace(v3, types=2),
        "convolution": convolution,
        "wide-convolution": replace(convolution, convolution=5, groups=4, convolved="tanh"),
        "pooled-by-tanh": replace(v3, pooled="tanh"),
    }
    texts: tuple[Text, ...] = (*FEW_TEXTS, *edge_texts(plain.max_tokens)[:1])
    for name, deberta in traps.items():
        yield GoldenCase(f"deberta-v2-{name}", replace(plain, deberta=deberta), texts)
    # The numbers of every published DeBERTa-v3, and a text that needs all of them.
    published = replace(plain, max_positions=512, deberta=replace(v3, buckets=256))
    long = (*edge_texts(published.max_tokens)[:1], *FEW_TEXTS[:2])
    yield GoldenCase("deberta-v2-published-buckets", published, long)
    narrow = replace(plain, embedding=20, deberta=replace(v3, placed=True, types=2))
    yield GoldenCase("deberta-v2-narrow-embeddings", narrow, texts)
    single = replace(plain, layers=1, deberta=convolution)
    yield GoldenCase("deberta-v2-convolution-only-layer", single, texts)
    yield GoldenCase("deberta-v2-convolution-tagger", as_tagger(single), texts)
    yield GoldenCase("deberta-v2-layer_norm_eps", replace(plain, layer_norm_eps=1e-5), texts)
    yield GoldenCase("deberta-v2-relu", replace(plain, hidden_act="relu"), texts)
    yield GoldenCase("deberta-v2-float16", replace(plain, storage="float16"), texts)
    yield GoldenCase("deberta-v2-int8", replace(plain, storage="int8"), texts)
    nameless = replace(plain, weight_names="no-prefix")
    yield GoldenCase("deberta-v2-no-prefix", nameless, texts)
    ranker = replace(plain, num_labels=1, label_names=None)
    yield GoldenCase("deberta-v2-one-label", ranker, texts)


DEBERTA_CASES = (*_shapes(), *_traps_of_v1(), *_traps_of_v2())
