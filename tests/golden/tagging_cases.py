"""Token heads that the token-classification pipeline is asked about.

Every kind of tokenizer, as each finds words in its own way; and every kind of label. The texts
are whole in one case, and read in windows in another. Seeds are such that labels change from
token to token, and no choice between two of them is so close that rounding could decide it.

Left out is where the reference is not followed (docs/differences.md): words of byte-level and
Metaspace tokenizers that do not begin with a marked token, accents that a tokenizer drops, labels
ignored by the model's own name where they are joined, and labels that look like ``B-`` and are not.
"""

from dataclasses import replace

from golden.case import GoldenCase, Strategy, Tagging
from golden.texts import (
    DROPPED_ACCENTS,
    LONG_MARKED_TEXTS,
    LONG_TEXTS,
    MARKED_TEXTS,
    TABS,
    WORD_TEXTS,
    edge_texts,
)
from support.checkpoints import CheckpointSpec, TokenizerSpec

ENTITIES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
PARTS_OF_SPEECH = ("NOUN", "VERB", "ADJ", "DET", "PUNCT", "X")
DASHED = ("O", "B-NON-PERSON", "I-NON-PERSON", "PERSON", "B-A-B", "I-A-B")
"""Kinds of entities with a dash in their names."""

JOINED: tuple[Strategy, ...] = ("simple", "first", "average", "max")

WHOLE = (
    *(Tagging(strategy) for strategy in ("none", *JOINED)),
    Tagging("none", ("O", "B-PER", "I-PER", "B-LOC")),
    Tagging("simple", ("O",)),
    Tagging("average", ("PER", "LOC")),
)
TOKENS = tuple(one for one in WHOLE if one.strategy in {"none", "simple"})
WORDS = tuple(one for one in WHOLE if one not in TOKENS)
WINDOWS = tuple(
    Tagging(strategy, ignored, stride)
    for strategy in JOINED
    for ignored, stride in (((), 5), (("O",), 0))
)
WINDOW_TOKENS = 20

CASED = TokenizerSpec(lower_case=False)
BYTE_LEVEL = TokenizerSpec(kind="byte-level")
UNIGRAM = TokenizerSpec(kind="unigram")


def _spec(seed: int, tokenizer: TokenizerSpec, labels: tuple[str, ...]) -> CheckpointSpec:
    return CheckpointSpec(
        head="token",
        seed=seed,
        layers=1,
        vocab_size=512,
        num_labels=len(labels),
        label_names=labels,
        tokenizer=tokenizer,
    )


def _whole() -> tuple[GoldenCase, ...]:
    cased = _spec(6, CASED, ENTITIES)
    byte_level, unigram = _spec(2, BYTE_LEVEL, ENTITIES), _spec(8, UNIGRAM, ENTITIES)
    known = tuple(text for text in WORD_TEXTS if text not in {TABS, DROPPED_ACCENTS})
    long = edge_texts(cased.max_tokens)[2]
    return (
        GoldenCase("tags-wordpiece-cased", cased, (*WORD_TEXTS, long), WHOLE),
        GoldenCase("tags-byte-level", byte_level, (*WORD_TEXTS, long), TOKENS),
        GoldenCase("tags-byte-level-words", byte_level, (*MARKED_TEXTS, long), WORDS),
        GoldenCase("tags-unigram", unigram, (*known, long), TOKENS),
        GoldenCase("tags-unigram-words", unigram, (*MARKED_TEXTS, long), WORDS),
    )


def _labels() -> tuple[GoldenCase, ...]:
    """Other labels, and the other forms that tokenizers and models have."""
    speech = replace(_spec(57, TokenizerSpec(), PARTS_OF_SPEECH), architecture="distilbert")
    dashed = _spec(4, TokenizerSpec(files="vocab.txt"), DASHED)
    spaces = TokenizerSpec(kind="byte-level", prefix_space=False, trim_offsets=False)
    spaced = replace(_spec(41, spaces, PARTS_OF_SPEECH), architecture="distilbert")
    some = tuple(text for text in WORD_TEXTS[1:7] if text != DROPPED_ACCENTS)
    ignored = (("NOUN", "PERSON"), ("ADJ", "NON-PERSON"))
    asked = (*WHOLE[:5], Tagging("simple", ignored[0]), Tagging("max", ignored[1]))
    return (
        GoldenCase("tags-parts-of-speech", speech, some, asked),
        GoldenCase("tags-dashed", dashed, some, asked),
        GoldenCase("tags-byte-level-spaces", spaced, WORD_TEXTS[3:8], asked[:2]),
        GoldenCase("tags-byte-level-spaces-words", spaced, MARKED_TEXTS, asked[2:]),
    )


def _windows() -> tuple[GoldenCase, ...]:
    """Long texts, none of which begins with an entity of no width: the reference doubles it."""
    models = {
        "wordpiece": _spec(6, TokenizerSpec(model_max_length=WINDOW_TOKENS), ENTITIES),
        "byte-level": _spec(34, replace(BYTE_LEVEL, model_max_length=WINDOW_TOKENS), ENTITIES),
        "unigram": _spec(8, replace(UNIGRAM, model_max_length=WINDOW_TOKENS), ENTITIES),
    }
    texts = {"wordpiece": tuple(text for text in LONG_TEXTS if "cafe\u0301" not in text)}
    return tuple(
        GoldenCase(f"windows-{name}", spec, texts.get(name, LONG_MARKED_TEXTS), WINDOWS)
        for name, spec in models.items()
    )


TAGGING_CASES = (*_whole(), *_labels(), *_windows())
