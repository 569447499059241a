"""Sentences with names marked, and how found names are scored against marked ones.

Tags are IOB2 over words: ``B-`` opens a name, ``I-`` goes on with it, ``O`` is no name.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.data import DataError, read_rows

TYPES = ("PER", "ORG", "LOC", "MISC")
OUTSIDE = "O"
TAGS = (OUTSIDE, *(f"{prefix}-{kind}" for kind in TYPES for prefix in "BI"))
"""Tag names in class order: O, B-PER, I-PER, B-ORG and so on."""

Span = tuple[str, int, int]
"""A name: its type, its first word, and the word after its last."""


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """Words with one tag each."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    source: str
    marks_misc: bool
    """False where an ``O`` may hide a name of type MISC, because the set does not mark all such."""


def read_tagged(path: Path, *, source: str, marks_misc: bool) -> list[TaggedSentence]:
    """Read a gzipped JSON-lines file of tagged sentences, in file order.

    Raises:
        DataError: the file is missing, or a line of it is not a tagged sentence.
    """
    sentences = []
    for number, row in enumerate(read_rows(path, fields=("tokens", "tags")), start=1):
        words, tags = tuple(row["tokens"]), tuple(row["tags"])
        if len(words) != len(tags) or not set(tags) <= set(TAGS):
            raise DataError(f"{path}, line {number}: expected a tag of {', '.join(TAGS)} a token")
        sentences.append(TaggedSentence(words, tags, source, marks_misc))
    return sentences


def find_spans(tags: Sequence[str]) -> set[Span]:
    """Gather tags into names, as the CoNLL scorer and the ``simple`` strategy of serving do.

    A ``B-`` always opens a name; an ``I-`` opens one where it follows another type or an ``O``.
    """
    spans: set[Span] = set()
    kind, start = "", 0
    for position, tag in enumerate([*tags, OUTSIDE]):
        prefix, _, found = tag.partition("-")
        if kind and (prefix != "I" or found != kind):
            spans.add((kind, start, position))
            kind = ""
        if found and not kind:
            kind, start = found, position
    return spans


@dataclass(frozen=True, slots=True)
class SpanScore:
    """How many names were found, how many there are, and how many agree in type and place."""

    agreed: int
    found: int
    marked: int

    @property
    def precision(self) -> float:
        """Share of the found names that are marked, in percent."""
        return round(100 * self.agreed / max(1, self.found), 2)

    @property
    def recall(self) -> float:
        """Share of the marked names that were found, in percent."""
        return round(100 * self.agreed / max(1, self.marked), 2)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in percent."""
        return round(200 * self.agreed / max(1, self.found + self.marked), 2)

    def as_json(self) -> dict[str, float]:
        """All figures, percents to two places."""
        return {
            "f1": self.f1,
            "precision": self.precision,
            "recall": self.recall,
            "names": self.marked,
        }


def score_spans(
    found: Iterable[Sequence[str]], marked: Iterable[Sequence[str]], *, types: Sequence[str] = TYPES
) -> dict[str, SpanScore]:
    """Score the tags found against those marked, sentence by sentence.

    Args:
        found: a model's tags for each sentence.
        marked: the right ones, in the same order and of the same lengths.
        types: the types that count; names of others are left out on both sides.

    Returns:
        A score for each type, and for ``all`` of them together.
    """
    agreed: Counter[str] = Counter()
    claimed: Counter[str] = Counter()
    present: Counter[str] = Counter()
    for ours, theirs in zip(found, marked, strict=True):
        found_spans, marked_spans = find_spans(ours), find_spans(theirs)
        agreed.update(kind for kind, _, _ in found_spans & marked_spans)
        claimed.update(kind for kind, _, _ in found_spans)
        present.update(kind for kind, _, _ in marked_spans)
    scores = {kind: SpanScore(agreed[kind], claimed[kind], present[kind]) for kind in types}
    return {"all": _together(scores.values()), **scores}


def _together(scores: Iterable[SpanScore]) -> SpanScore:
    listed = list(scores)
    return SpanScore(
        sum(score.agreed for score in listed),
        sum(score.found for score in listed),
        sum(score.marked for score in listed),
    )
