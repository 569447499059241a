"""Sentences that say what a thing is ("X is a river in Y."), recast as texts about that kind."""

import re
from collections import Counter
from collections.abc import Sequence

from training.hypotheses import LabelledText

_DEFINES = re.compile(
    r"[^.;:]{1,120}? (?:is|was) an? (?P<kind>[A-Za-z][A-Za-z -]{2,50}?)"
    # Where a noun phrase is over: a stop, or a word that can only follow one.
    r"(?=[.,]| (?:of|in|that|who|which|from|by|for|and|at|on|with|to|as|where|when|whose|or|near"
    r"|about|between|under|within|during|into|after|before|along|than|but|is|was|located|found"
    r"|known|based|used|born|held|made|written|produced|directed|released|published|built"
    r"|situated|founded|established|operated|owned|native|created|developed|formed)\b)"
)

_VAGUE = frozenset((
    "member", "list", "son", "daughter", "part", "one", "name", "type", "form", "kind", "lot",
    "series", "example", "first", "same", "term", "number", "result", "success", "way",
    "difference", "time", "thing", "point", "case", "winner", "mixture", "combination", "bit",
    "collection", "version", "range", "line", "set", "piece", "variety", "matter", "element",
    "component", "fact", "idea", "key", "majority", "minority", "total", "pair", "couple", "few",
    "little", "good", "great", "major", "minor", "small", "large", "popular", "former",
    "recipient", "figure", "subject", "finalist", "nominee", "location", "site", "area", "home",
    "stage", "seat", "title", "division", "member", "fellow", "regular", "candidate", "group",
    "body", "head", "leader", "founder", "owner", "brother", "sister", "cousin", "child",
    "father", "mother", "husband", "wife", "man", "woman", "person", "people",
))  # fmt: skip
_MEASURED = frozenset((
    "company", "institution", "artist", "athlete", "holder", "transportation", "building",
    "place", "village", "animal", "plant", "album", "film", "work",
))  # fmt: skip
"""The classes of DBpedia-14, which measures labels that training never named."""
_NO_NOUNS = ("s", "est", "ed", "ly", "ing")
"""Endings of plurals, verbs and adverbs: a phrase was cut where it goes on."""

_LEAST = 2
"""A kind that is named once is as often a slip of the expression above as a kind."""


def find_definitions(texts: Sequence[str]) -> list[LabelledText]:
    """Find the sentences that say what kind of thing they are about; the kind is the label.

    The kind is the last word of the noun phrase ("a French film critic" is a critic).
    """
    found = [(text, match["kind"].split()[-1]) for text in texts if (match := _DEFINES.match(text))]
    often = Counter(kind for _, kind in found)
    return [
        LabelledText(text, f"{_article(kind)} {kind}")
        for text, kind in found
        if often[kind] >= _LEAST and _is_kind(kind)
    ]


def _is_kind(word: str) -> bool:
    noun = word.isalpha() and word.islower() and not word.endswith(_NO_NOUNS)
    return noun and word not in _VAGUE | _MEASURED


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" and not noun.startswith("uni") else "a"
