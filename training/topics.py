"""Topics and feelings that the encoder itself finds in unlabelled texts, recast as pairs.

The untrained encoder places texts and words in one space. A topic whose place is much nearer to
a text than to most texts is taken for right, topics that are farther than usual for wrong.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.hypotheses import CONTRADICTION, ENTAILMENT
from training.pairs import Pair

TOPICS = (
    "politics", "elections", "the government", "diplomacy", "international affairs",
    "world affairs", "foreign countries", "disasters", "law",
    "crime", "war", "the military", "terrorism", "human rights", "protests",
    "sports", "football", "baseball", "tennis", "cycling", "the Olympic Games",
    "business", "finance", "the economy", "trade", "the stock market", "banks", "employment",
    "taxes", "energy", "oil prices", "real estate", "marketing",
    "technology", "computers", "software", "the internet", "mobile phones", "robots",
    "video games", "engineering", "science", "physics", "chemistry", "biology", "mathematics",
    "space", "astronomy", "genetics", "psychology", "archaeology",
    "health", "medicine", "diseases", "nutrition", "drugs", "pregnancy",
    "travel", "tourism", "hotels", "aviation", "railways", "ships", "cars", "roads",
    "geography", "cities", "rivers", "mountains", "islands", "the climate", "the weather",
    "the environment", "earthquakes", "insects", "birds", "fish", "trees", "gardening", "farming",
    "food", "cooking", "wine", "restaurants", "shopping", "fashion",
    "entertainment", "music", "television", "cinema", "theatre", "comedy", "celebrities",
    "literature", "poetry", "painting", "photography", "museums", "architecture",
    "history", "religion", "philosophy", "language", "education", "universities", "children",
    "family", "marriage", "royalty", "immigration", "charity",
)  # fmt: skip
"""Words that people sort texts by. None is a class of DBpedia-14."""

PLEASANT = (
    "happiness", "gratitude", "love", "amusement", "excitement", "pride", "admiration", "hope",
    "relief", "approval", "affection", "delight",
)  # fmt: skip
UNPLEASANT = (
    "annoyance", "grief", "disgust", "fear", "disappointment", "embarrassment", "rage",
    "frustration", "loneliness", "regret", "worry", "disapproval",
)  # fmt: skip
"""Feelings. None of them is a class of TweetEval emotion (anger, joy, optimism, sadness)."""

FEELS = (
    "This text expresses {}.",
    "This text expresses {}.",
    "This example is {}.",
    "This example is {}.",
    "The feeling in this text is {}.",
    "The writer feels {}.",
)

UNSURE = 0.3
"""A wrong label's nearness, in standard deviations over all texts, is below this."""

COMPANION = 1.5
"""A label that joins the right one is at least so near; half the texts have one such."""

Vectors = npt.NDArray[np.float32]

Nearness = Callable[[Sequence[str], Sequence[str]], Vectors]
"""Tells how near labels are to texts, [texts, labels], in standard deviations above each label's
mean over the texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of label: where its pairs are noted, how they are worded, when one is right."""

    source: str
    templates: Sequence[str]
    sure: float
    """The least nearness of a right label."""
    joined: float = 0.0
    """The share of texts whose label is "one and another": the nearest two, both near."""


def recast_nearest(
    texts: Sequence[str],
    labels: Sequence[str],
    nearness: Vectors,
    *,
    kind: Kind,
    draw: random.Random,
) -> list[Pair]:
    """Make one entailed pair of each text whose nearest label is surely near.

    And up to two contradicted ones, of labels that are right for other texts and far from this.

    Args:
        texts: the premises.
        labels: what may fill a template.
        nearness: of labels to texts, [texts, labels]; -inf rules a label out as the right one
            and leaves it a likely wrong one.
        kind: what kind of labels these are.
        draw: draws templates and wrong labels.
    """
    best = nearness.argmax(axis=1)
    chosen = [row for row in range(len(texts)) if nearness[row, best[row]] >= kind.sure]
    # Settled before any wrong label is drawn: what is joined is as often wrong as right.
    claimed = {row: _claim(nearness[row], kind, draw) for row in chosen}
    pairs: list[Pair] = []
    for row in chosen:
        template = draw.choice(kind.templates)
        # Drawn by how often each is right elsewhere, as in `hypotheses.recast`.
        drawn = dict.fromkeys(claimed[other] for other in draw.choices(chosen, k=12))
        wrong = [claim for claim in drawn if nearness[row, list(claim)].max() < UNSURE]
        claims = [(claimed[row], ENTAILMENT), *((claim, CONTRADICTION) for claim in wrong[:2])]
        for claim, answer in claims:
            words = " and ".join(labels[label] for label in claim)
            hypothesis = template.replace("{}", words)
            pairs.append(Pair(texts[row], hypothesis, answer, kind.source))
    return pairs


def _claim(nearness: Vectors, kind: Kind, draw: random.Random) -> tuple[int, ...]:
    """Choose what one text is said to be about: its nearest label, or its nearest two."""
    first, second = (int(label) for label in nearness.argsort()[::-1][:2])
    if draw.random() >= kind.joined or nearness[second] < COMPANION:
        return (first,)
    return (first, second) if draw.random() < 1 / 2 else (second, first)
