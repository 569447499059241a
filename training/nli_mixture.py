"""What the model of inference is shown: which pairs, how often, in what order."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from training.data import LABELS as VALENCES
from training.data import Example, read_examples, seeded
from training.definitions import find_definitions
from training.hypotheses import ABOUT, TOPIC_SETS, LabelledText, recast
from training.pairs import Pair, mirror, read_pairs, without_premises
from training.topics import FEELS, PLEASANT, TOPICS, UNPLEASANT, Kind, Nearness, recast_nearest

MNLI = "mnli_part"
SNLI = "snli_derived"
LOGIC = "logic_small"
GENERATED = "generated"

FILES = {
    MNLI: "nli_mnli_part/train",
    SNLI: "nli_snli_derived/train",
    LOGIC: "nli_logic_small/train",
    GENERATED: "nli_generated/train",
}
"""Where each source lies below the data folder, without ``.jsonl.gz``."""

HELD_OUT = {MNLI: 1_000, SNLI: 500}
HELD_OUT_SEED = 2026
"""Not the recipe's seed: what is held out stays the same, so that seeds can be compared."""

SHOWN = {MNLI: 62_000, SNLI: 36_000, LOGIC: 6_000}
"""Pairs of each source at full effort; a source with fewer comes again in the second stage."""
MIRRORED = {MNLI: 3_000, SNLI: 5_000}
"""Pairs turned round, at full effort."""
SIFTED = 16_000
"""Machine-written pairs that the model looks at between the stages, at full effort."""
LABELLED_TEXTS = 7_500
"""Labelled texts at full effort, the sets alike; each makes three pairs."""
DEFINED_TEXTS = 3_400
TOPIC_TEXTS = 18_000
FEELING_TEXTS = 6_000
"""Texts looked at, at full effort; those with a sure label make three pairs each."""

# Nearness is in standard deviations; what is sure was chosen by eye. The nearest of 111 topics is
# 2.5 deviations near to a text about nothing; of one side's 12 feelings, 1.6.
TOPIC = Kind(source="topics", templates=ABOUT, sure=2.8, joined=0.2)
FEELING = Kind(source="feelings", templates=FEELS, sure=2.0)
DEFINITION = Kind(source="definitions", templates=ABOUT, sure=np.inf)
"""Here the text itself tells the right label, and the encoder only what else may be right."""

EARLY = frozenset({LOGIC})
"""Shown in the first stage alone: sentences made from templates."""
LATER = 0.5
"""The second stage's share of what would be its half: it starts from a model that has learnt, and
what is new to it are the sifted pairs."""

_GOEMOTIONS = "goemotions"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairCorpus:
    """Everything that is learnt from, and the pairs that choices rest on."""

    inference: dict[str, list[Pair]]
    """The sets of inference, by source."""
    held_out: Sequence[Pair]
    labelled: dict[str, list[LabelledText]]
    """Intents, domains and fields, by source."""
    defined: Sequence[LabelledText]
    topical: Sequence[str]
    """Unlabelled sentences: the premises of the generated and of the MultiNLI pairs."""
    felt: Sequence[Example]
    """Comments whose writers feel good or bad."""


def load_pair_corpus(data: Path) -> PairCorpus:
    """Read the sets, and hold some pairs out, along with all others on the same premises.

    Raises:
        DataError: a file is missing or is not what it should be.
    """
    inference = {
        source: read_pairs(data / f"{name}.jsonl.gz", source=source)
        for source, name in FILES.items()
    }
    held_out = [
        pair
        for source, rows in HELD_OUT.items()
        for pair in seeded(HELD_OUT_SEED).sample(inference[source], rows)
    ]
    premises = {pair.premise for pair in held_out}
    inference = {source: without_premises(pairs, premises) for source, pairs in inference.items()}
    topical = _premises(inference[GENERATED] + inference[MNLI])
    felt = read_examples(data / "sentiment_open/train.jsonl.gz")
    return PairCorpus(
        inference=inference,
        held_out=held_out,
        labelled={source: read(data) for source, read in TOPIC_SETS.items()},
        defined=find_definitions(_premises(inference[GENERATED] + inference[LOGIC])),
        topical=topical,
        felt=[example for example in felt if example.source == _GOEMOTIONS],
    )


def _premises(pairs: Sequence[Pair]) -> list[str]:
    return list(dict.fromkeys(pair.premise for pair in pairs))


def lay_out_pairs(
    corpus: PairCorpus, near: Nearness, *, effort: float, draw: random.Random
) -> tuple[list[Pair], list[Pair]]:
    """Lay out what two stages show; a row and its repeat are in different stages.

    Args:
        corpus: what there is.
        near: finds topics and feelings for unlabelled texts.
        effort: the share of the full recipe to show, 1 for all of it.
        draw: draws rows, templates and wrong labels.
    """
    first: list[Pair] = []
    second: list[Pair] = []

    def deal(pairs: Sequence[Pair]) -> None:
        half = len(pairs) // 2
        first.extend(pairs[:half])
        second.extend(pairs[half : half + round(LATER * half)])

    for source, rows in SHOWN.items():
        drawn = take(corpus.inference[source], round(effort * rows), draw)
        if source in EARLY:
            first.extend(drawn)
        else:
            deal(drawn)
    for source, rows in MIRRORED.items():
        turned = mirror(corpus.inference[source])
        deal(take(turned, round(effort * rows), draw))
    for source, texts in corpus.labelled.items():
        some = take(texts, round(effort * LABELLED_TEXTS / len(corpus.labelled)), draw)
        deal(recast(some, source=source, wrong=2, templates=ABOUT, draw=draw))
    defined = take(corpus.defined, round(effort * DEFINED_TEXTS), draw)
    deal(find_kinds(defined, near, draw))
    topical = take(corpus.topical, round(effort * TOPIC_TEXTS), draw)
    deal(find_topics(topical, near, draw))
    felt = take(corpus.felt, round(effort * FEELING_TEXTS), draw)
    deal(find_feelings(felt, near, draw))
    return first, second


AnyRow = TypeVar("AnyRow")


def take(rows: Sequence[AnyRow], count: int, draw: random.Random) -> list[AnyRow]:
    """Draw so many rows; none comes again before all have come."""
    return list(islice(cycle(draw.sample(rows, len(rows))), count))


def draw_unsifted(corpus: PairCorpus, *, effort: float, draw: random.Random) -> list[Pair]:
    """Draw the machine-written pairs that the model is to sift after its first stage."""
    return take(corpus.inference[GENERATED], round(effort * SIFTED), draw)


def find_kinds(defined: Sequence[LabelledText], near: Nearness, draw: random.Random) -> list[Pair]:
    """Make pairs of the sentences that say what they are about, and of kinds far from that."""
    kinds = list(dict.fromkeys(item.label for item in defined))
    texts = [item.text for item in defined]
    nearness = near(texts, kinds)
    right = [kinds.index(item.label) for item in defined]
    nearness[np.arange(len(defined)), right] = np.inf
    return recast_nearest(texts, kinds, nearness, kind=DEFINITION, draw=draw)


def find_topics(texts: Sequence[str], near: Nearness, draw: random.Random) -> list[Pair]:
    """Let the encoder find a topic for each text, and make pairs of those that are sure."""
    nearness = near(texts, TOPICS)
    return recast_nearest(texts, TOPICS, nearness, kind=TOPIC, draw=draw)


def find_feelings(examples: Sequence[Example], near: Nearness, draw: random.Random) -> list[Pair]:
    """Let the encoder find a feeling for each comment, among those of the comment's own side."""
    texts = [example.text for example in examples]
    feelings = PLEASANT + UNPLEASANT
    nearness = near(texts, feelings)
    pleasant = np.array([VALENCES[example.label] == "positive" for example in examples])
    sides = np.array([feeling in PLEASANT for feeling in feelings])
    nearness[pleasant[:, None] != sides[None, :]] = -np.inf
    return recast_nearest(texts, feelings, nearness, kind=FEELING, draw=draw)
