"""Distances in place of positions (`position_embedding_type`), which `transformers` 4 computes."""

from collections.abc import Iterator
from dataclasses import replace

from golden.case import GoldenCase, Text
from golden.sizes import SENTIMENT, as_tagger
from golden.texts import FEW_TEXTS, edge_texts
from support.checkpoint_spec import RELATIVE
from support.checkpoints import CheckpointSpec, TokenizerSpec

SEEDS = {"bert": 3, "electra": 2, "roberta": 2, "xlm-roberta": 2, "camembert": 3, "albert": 1}
EMBEDDING = {"electra": 20, "albert": 20}
"""Narrower than the encoder."""


def _model(architecture: str) -> CheckpointSpec:
    name = next(one for one in RELATIVE if one == architecture)
    model = CheckpointSpec(
        architecture=name,
        seed=SEEDS[name],
        embedding=EMBEDDING.get(name),
        label_names=SENTIMENT,
        position_type="relative_key_query",
    )
    if name in {"bert", "electra", "albert"}:
        return model
    byte_level = TokenizerSpec(kind="byte-level", prefix_space=False)
    kind = byte_level if name == "roberta" else TokenizerSpec(kind="unigram")
    return replace(
        model, vocab_size=448, pad_id=1, type_vocab_size=1, layer_norm_eps=1e-5, tokenizer=kind
    )


def _cases() -> Iterator[GoldenCase]:
    """Both kinds of each, and a token head and an odd shape, whose last layer is not cut short."""
    for name in SEEDS:
        both = _model(name)
        queries = replace(both, position_type="relative_key")
        texts: tuple[Text, ...] = (*FEW_TEXTS, *edge_texts(both.max_tokens)[:1])
        for spec in (both, queries):
            case = f"{name}-{spec.position_type.replace('_', '-')}"
            yield GoldenCase(case, spec, texts, release="4")
    bert = _model("bert")
    tagger = as_tagger(bert)
    yield GoldenCase("bert-token-relative-key-query", tagger, FEW_TEXTS, release="4")
    albert = replace(as_tagger(_model("albert")), position_type="relative_key")
    yield GoldenCase("albert-token-relative-key", albert, FEW_TEXTS, release="4")
    odd = replace(bert, layers=1, hidden=48, heads=3, max_positions=37)
    yield GoldenCase("bert-relative-odd", odd, FEW_TEXTS, release="4")


RELATIVE_CASES = (*_cases(),)
