"""Other names in the same sentences, so that a sentence tells what kind of name it holds.

A model learns some thousand names by heart, and sooner than what stands around them. Where a
sentence comes twice, the second time some of its names are others of their type.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from training.tagged import TaggedSentence, find_spans

SWAPPED_TYPES = ("PER", "ORG", "LOC")
"""Not MISC: a people's adjective cannot stand for a film."""

MOST_WORDS = 6

Name = tuple[str, ...]

ORGANISATION_WORDS = frozenset(
    ("academy", "agency", "airlines", "airways", "army", "association", "authority", "bank",
     "brigade", "brothers", "bureau", "city", "club", "college", "commission", "committee",
     "company", "conference", "congress", "corporation", "corps", "council", "court",
     "department", "division", "entertainment", "f.c.", "fc", "federation", "force", "foundation",
     "fund", "group", "guard", "inc.", "industries", "institute", "institution", "international",
     "journal", "laboratories", "laboratory", "league", "magazine", "ministry", "motors", "museum",
     "navy", "network", "news", "office", "orchestra", "organization", "parliament", "party",
     "police", "press", "records", "regiment", "school", "senate", "services", "society",
     "studios", "systems", "times", "trust", "union", "united", "university")
)  # fmt: skip
"""A name that WikiANN calls an organisation and that ends or begins with none of these may as well
be a song, an island or a king."""

_SMALL_WORDS = frozenset(("and", "d'", "da", "de", "del", "di", "du", "for", "in", "la", "le",
                          "of", "on", "the", "upon", "van", "von", "&"))  # fmt: skip


def gather_names(
    sentences: Iterable[TaggedSentence], *, types: Sequence[str] = SWAPPED_TYPES
) -> dict[str, list[Name]]:
    """List the distinct names of each type, in the order found; only those that look like names.

    The words of a name begin with capitals, small ones such as "of" aside; that leaves out
    species, which WikiANN takes for places ("Burkholderia gladioli").
    """
    names: dict[str, dict[Name, None]] = {kind: {} for kind in types}
    for sentence in sentences:
        for kind, start, end in sorted(find_spans(sentence.tags), key=lambda span: span[1]):
            name = sentence.words[start:end]
            if kind in names and looks_like_a_name(name):
                names[kind][name] = None
    return {kind: list(found) for kind, found in names.items()}


def is_organisation(name: Name) -> bool:
    """Tell whether a name says that it is an organisation's."""
    return bool(ORGANISATION_WORDS.intersection((name[0].lower(), name[-1].lower())))


def looks_like_a_name(words: Name) -> bool:
    """Tell whether words are written as names are, and are not too many."""
    return (
        len(words) <= MOST_WORDS
        and words[0][0].isupper()
        and words[-1][0].isupper()
        and all(word[0].isupper() or word.lower() in _SMALL_WORDS for word in words)
    )


def swap_names(
    sentence: TaggedSentence,
    names: Mapping[str, Sequence[Name]],
    *,
    share: float,
    draw: random.Random,
) -> TaggedSentence:
    """Put another name of its type in place of each name, with this chance; the rest stays."""
    words, tags = list(sentence.words), list(sentence.tags)
    # From the end, so that what is still to come keeps its place.
    for kind, start, end in sorted(find_spans(sentence.tags), key=lambda span: -span[1]):
        if not names.get(kind) or draw.random() >= share:
            continue
        name = draw.choice(names[kind])
        words[start:end] = name
        tags[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (len(name) - 1)]
    return replace(sentence, words=tuple(words), tags=tuple(tags))
