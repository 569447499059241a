"""Token heads that the token-classification pipeline is asked about.

Every kind of tokenizer, as each finds words in its own way; and every kind of label. The texts
are whole in one case, and read in windows in another. Seeds are such that labels change from
token to token, and no choice between two of them is so close that rounding could decide it.
"""

from dataclasses import replace

from golden.case import GoldenCase, Strategy, Tagging
from golden.texts import LONG_TEXTS, WORD_TEXTS, edge_texts
from support.checkpoints import CheckpointSpec, TokenizerSpec

__all__ = ["TAGGING_CASES"]

ENTITIES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
PARTS_OF_SPEECH = ("NOUN", "VERB", "ADJ", "DET", "PUNCT", "X")
DASHED = ("O", "NON-PERSON", "B-NON-PERSON", "I-NON-PERSON", "PERSON", "B-", "I-A-B")
"""Labels of no usual form: the reference cuts some at a dash that belongs to the name."""

JOINED: tuple[Strategy, ...] = ("simple", "first", "average", "max")

WHOLE = (
    *(Tagging(strategy) for strategy in ("none", *JOINED)),
    Tagging("none", ("O", "B-PER", "I-PER", "B-LOC")),
    Tagging("simple", ("O",)),
    Tagging("average", ("PER", "B-LOC")),
)
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
    models = {
        "wordpiece-cased": _spec(6, CASED, ENTITIES),
        "byte-level": _spec(2, BYTE_LEVEL, ENTITIES),
        "unigram": _spec(8, UNIGRAM, ENTITIES),
    }
    return tuple(
        GoldenCase(f"tags-{name}", spec, (*WORD_TEXTS, edge_texts(spec.max_tokens)[2]), WHOLE)
        for name, spec in models.items()
    )


def _labels() -> tuple[GoldenCase, ...]:
    """Other labels, and the other forms that tokenizers and models have."""
    speech = replace(_spec(57, TokenizerSpec(), PARTS_OF_SPEECH), architecture="distilbert")
    dashed = _spec(4, TokenizerSpec(files="vocab.txt"), DASHED)
    spaces = TokenizerSpec(kind="byte-level", prefix_space=False, trim_offsets=False)
    spaced = replace(_spec(41, spaces, PARTS_OF_SPEECH), architecture="distilbert")
    some = WORD_TEXTS[1:6]
    ignored = (("NOUN", "PERSON"), ("ADJ", "NON-PERSON"))
    asked = (*WHOLE[:5], Tagging("simple", ignored[0]), Tagging("max", ignored[1]))
    return (
        GoldenCase("tags-parts-of-speech", speech, some, asked),
        GoldenCase("tags-dashed", dashed, some, asked),
        GoldenCase("tags-byte-level-spaces", spaced, WORD_TEXTS[3:8], asked),
    )


def _windows() -> tuple[GoldenCase, ...]:
    """Long texts, none of which begins with an entity of no width: the reference doubles it."""
    models = {
        "wordpiece": _spec(6, TokenizerSpec(model_max_length=WINDOW_TOKENS), ENTITIES),
        "byte-level": _spec(34, replace(BYTE_LEVEL, model_max_length=WINDOW_TOKENS), ENTITIES),
        "unigram": _spec(8, replace(UNIGRAM, model_max_length=WINDOW_TOKENS), ENTITIES),
    }
    return tuple(
        GoldenCase(f"windows-{name}", spec, LONG_TEXTS, WINDOWS) for name, spec in models.items()
    )


TAGGING_CASES = (*_whole(), *_labels(), *_windows())
