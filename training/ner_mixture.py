"""What the model of names is shown: which sentences, how often, in what order."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.data import seeded
from training.tagged import OUTSIDE, TaggedSentence, read_tagged

WEB = "uner_ewt"
WIKIPEDIA = "crossner"
TWEETS = "btc"
EMERGING = "wnut17"
LINKED = "wikiann"

FILES = {
    WEB: "ner_uner_ewt/train",
    WIKIPEDIA: "ner_crossner/all",
    EMERGING: "ner_wnut17/train",
    LINKED: "ner_wikiann_en/train",
    TWEETS: "ner_btc/all",
}
"""Where each source lies below the data folder, without ``.jsonl.gz``."""

MARK_MISC = frozenset({WEB, WIKIPEDIA})
"""The sources in which an O is surely no MISC. WNUT's folded classes hold products and works, but
not nationalities and events, so there too an O leaves the question open."""

HELD_OUT = {WEB: 1_000, WIKIPEDIA: 500}
HELD_OUT_SEED = 2026
"""Not the recipe's seed: what is held out stays the same, so that seeds can be compared."""

DOSES = {LINKED: 7_000, TWEETS: 4_500}
"""Sentences drawn anew for each run; of the other sources, all are shown."""

LINKED_LEAST_WORDS = 5
"""WikiANN is full of bare titles, whose type is often wrong ("List of years in Brazil", ORG)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedCorpus:
    """Everything that is learnt from, and the sentences that choices rest on."""

    train: Sequence[TaggedSentence]
    held_out: Sequence[TaggedSentence]

    def of(self, source: str) -> list[TaggedSentence]:
        """List the training sentences of one source."""
        return [sentence for sentence in self.train if sentence.source == source]


def load_tagged_corpus(data: Path) -> TaggedCorpus:
    """Read the sets of names, and hold some sentences out.

    Raises:
        DataError: a file is missing or is not what it should be.
    """
    train: list[TaggedSentence] = []
    held_out: list[TaggedSentence] = []
    for source, name in FILES.items():
        path = data / f"{name}.jsonl.gz"
        sentences = read_tagged(path, source=source, marks_misc=source in MARK_MISC)
        chosen = set(seeded(HELD_OUT_SEED).sample(range(len(sentences)), HELD_OUT.get(source, 0)))
        held_out += [sentences[index] for index in sorted(chosen)]
        train += [
            sentence
            for index, sentence in enumerate(sentences)
            if index not in chosen and (source != LINKED or is_prose(sentence))
        ]
    return TaggedCorpus(train=train, held_out=held_out)


def is_prose(sentence: TaggedSentence) -> bool:
    """Tell a sentence from a bare title: it has some length, and a third of it is no name."""
    outside = sum(tag == OUTSIDE for tag in sentence.tags)
    return len(sentence.words) >= LINKED_LEAST_WORDS and 3 * outside >= len(sentence.words)


def lay_out_passes(corpus: TaggedCorpus, *, draw: random.Random) -> list[list[TaggedSentence]]:
    """Lay out two passes over the hand-marked sets of edited text.

    Tweets and linked titles, the farthest from what is measured, go into the first alone, so
    that training ends on the cleanest labels. Each of the two passes has half of WNUT.
    """
    clean = corpus.of(WEB) + corpus.of(WIKIPEDIA)
    emerging = corpus.of(EMERGING)
    draw.shuffle(emerging)
    half = len(emerging) // 2
    noisy: list[TaggedSentence] = []
    for source, rows in DOSES.items():
        candidates = corpus.of(source)
        noisy += draw.sample(candidates, min(rows, len(candidates)))
    return [clean + emerging[:half] + noisy, clean + emerging[half:]]
