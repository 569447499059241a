"""What the model of names is shown: which sentences, how often, in what order."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from training.data import seeded
from training.name_swap import Name, gather_names, is_organisation, swap_names
from training.tagged import OUTSIDE, TaggedSentence, find_spans, read_tagged

WEB = "uner_ewt"
NEWS = "uner_pud"
WIKIPEDIA = "crossner"
TWEETS = "btc"
EMERGING = "wnut17"
LINKED = "wikiann"

FILES = {
    WEB: ("ner_uner_ewt/train",),
    NEWS: ("ner_uner_ewt/pud_test",),
    WIKIPEDIA: ("ner_crossner/all",),
    EMERGING: ("ner_wnut17/train", "ner_wnut17/dev"),
    LINKED: ("ner_wikiann_en/train",),
    TWEETS: ("ner_btc/all",),
}
"""Where each source lies below the data folder, without ``.jsonl.gz``."""

MARK_MISC = frozenset({WEB, WIKIPEDIA})
"""The sources in which an O is surely no MISC. WNUT's folded classes hold products and works, but
not nationalities and events, so there too an O leaves the question open."""

HELD_OUT = {WEB: 1_000, WIKIPEDIA: 500}
HELD_OUT_SEED = 2026
"""Not the recipe's seed: what is held out stays the same, so that seeds can be compared."""

DOSES = {LINKED: 7_000, TWEETS: 2_500}
"""The most sentences drawn for each run (WikiANN has fewer); of other sources, all are shown."""

NAMELESS_AGAIN = 0.4
"""Share of the web sentences without a name, two in three of all, that the second pass repeats."""

LOWERED = 0.15
RAISED = 0.03
"""Shares of the sentences that are shown in small letters, and in capitals, instead of as they
are: who writes without capitals is to be understood too."""

SWAPPED = 0.35
"""Chance of each name in the second pass to be another of its type."""

LINKED_LEAST_WORDS = 5
"""WikiANN is full of bare titles, whose type is often wrong ("List of years in Brazil", ORG)."""

_QUOTES = frozenset(("``", "''", '"', "'", "“", "«", "'''"))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedCorpus:
    """Everything that is learnt from, and the sentences that choices rest on."""

    train: Sequence[TaggedSentence]
    held_out: Sequence[TaggedSentence]
    names: Mapping[str, Sequence[Name]]
    """What names may be swapped for, by type."""

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
    linked: list[TaggedSentence] = []
    for source, names in FILES.items():
        sentences = [
            sentence
            for name in names
            for sentence in read_tagged(
                data / f"{name}.jsonl.gz", source=source, marks_misc=source in MARK_MISC
            )
        ]
        if source == WIKIPEDIA:
            sentences = [without_common_nouns(sentence) for sentence in sentences]
        if source == LINKED:
            linked = sentences
        chosen = set(seeded(HELD_OUT_SEED).sample(range(len(sentences)), HELD_OUT.get(source, 0)))
        held_out += [sentences[index] for index in sorted(chosen)]
        train += [
            sentence
            for index, sentence in enumerate(sentences)
            if index not in chosen and is_wanted(sentence)
        ]
    return TaggedCorpus(train=train, held_out=held_out, names=spare_names(train, linked))


def spare_names(
    train: Iterable[TaggedSentence], linked: Iterable[TaggedSentence]
) -> dict[str, list[Name]]:
    """List the names of edited text, and those of all of WikiANN, bare titles too."""
    edited = gather_names(row for row in train if row.source in {WEB, NEWS, WIKIPEDIA})
    titles = gather_names(linked)
    titles["ORG"] = [name for name in titles["ORG"] if is_organisation(name)]
    return {kind: list(dict.fromkeys([*edited[kind], *titles[kind]])) for kind in edited}


def without_common_nouns(sentence: TaggedSentence) -> TaggedSentence:
    """Unmark what is written in small letters: CrossNER's MISC has "novel", "jazz", "soul blues".

    Its guidelines mark terms of a field; no reader of four types takes these for names.
    """
    tags = list(sentence.tags)
    for kind, start, end in find_spans(sentence.tags):
        if kind == "MISC" and all(word == word.lower() for word in sentence.words[start:end]):
            tags[start:end] = [OUTSIDE] * (end - start)
    return replace(sentence, tags=tuple(tags))


def is_wanted(sentence: TaggedSentence) -> bool:
    """Tell whether to learn from a sentence; of most sources, all are wanted."""
    if sentence.source == LINKED:
        return is_prose(sentence) and names_are_plain(sentence)
    if sentence.source == TWEETS:
        return not has_marked_handle(sentence)
    return True


def is_prose(sentence: TaggedSentence) -> bool:
    """Tell a sentence from a bare title: it has some length, and a third of it is no name."""
    outside = sum(tag == OUTSIDE for tag in sentence.tags)
    return len(sentence.words) >= LINKED_LEAST_WORDS and 3 * outside >= len(sentence.words)


def names_are_plain(sentence: TaggedSentence) -> bool:
    """Tell whether all names begin with a capital or digit, and none with a quotation mark.

    In WikiANN, a link to a common noun ("local government area") or to a work in quotation marks
    ("`` Shine a Little Love ''", ORG) has one of three types, all wrong. What is called an
    organisation must say so itself, or it may as well be a song.
    """
    return all(
        not sentence.words[start][0].islower()
        and not _QUOTES.intersection(sentence.words[max(0, start - 1) : start + 1])
        and (kind != "ORG" or is_organisation(sentence.words[start:end]))
        for kind, start, end in find_spans(sentence.tags)
    )


def has_marked_handle(sentence: TaggedSentence) -> bool:
    """Tell whether an "@" is marked: in parts of the tweets it is a person of its own."""
    return any(
        word == "@" and tag != OUTSIDE
        for word, tag in zip(sentence.words, sentence.tags, strict=True)
    )


def lay_out_passes(corpus: TaggedCorpus, *, draw: random.Random) -> list[list[TaggedSentence]]:
    """Lay out two passes over the hand-marked sets of edited text.

    Tweets and linked titles, the farthest from what is measured, go into the first alone, so
    that training ends on the cleanest labels. Each of the two passes has half of WNUT.
    """
    web = corpus.of(WEB)
    clean = corpus.of(WIKIPEDIA) + corpus.of(NEWS)
    emerging = corpus.of(EMERGING)
    draw.shuffle(emerging)
    half = len(emerging) // 2
    noisy: list[TaggedSentence] = []
    for source, rows in DOSES.items():
        candidates = corpus.of(source)
        noisy += draw.sample(candidates, min(rows, len(candidates)))
    again = [row for row in web if has_names(row) or draw.random() < NAMELESS_AGAIN]
    first = web + clean + emerging[:half] + noisy
    last = [
        swap_names(row, corpus.names, share=SWAPPED, draw=draw) for row in again + clean
    ] + emerging[half:]
    return [vary_case(first, draw=draw), vary_case(last, draw=draw)]


def has_names(sentence: TaggedSentence) -> bool:
    """Tell whether anything is marked."""
    return any(tag != OUTSIDE for tag in sentence.tags)


def vary_case(sentences: Iterable[TaggedSentence], *, draw: random.Random) -> list[TaggedSentence]:
    """Write some sentences in small letters, and fewer in capitals."""
    varied = []
    for sentence in sentences:
        chance = draw.random()
        if chance < LOWERED:
            varied.append(lowered(sentence))
        elif chance < LOWERED + RAISED:
            varied.append(replace(sentence, words=tuple(word.upper() for word in sentence.words)))
        else:
            varied.append(sentence)
    return varied


def lowered(sentence: TaggedSentence) -> TaggedSentence:
    """Write a sentence in small letters."""
    return replace(sentence, words=tuple(word.lower() for word in sentence.words))
