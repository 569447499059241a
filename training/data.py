"""Labelled sentences and unlabelled review prose, read from the data folder."""

import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import (
    Any,
    Protocol,
)  # Any: a row's fields differ from set to set; each reader picks its own

LABELS = ("negative", "positive")
"""The data's label names; the position is the class index (0 negative, 1 positive)."""

# Penn Treebank splits "doesn't" into "does n't" and "it's" into "it 's". WordPiece sees
# different pieces for the two spellings, so a model trained on one is weaker on the other.
_NEGATED = re.compile(r"(?<=\w)n't\b")
_CLITIC = re.compile(r"(?<=\w)'(s|re|ve|ll|d|m)\b")
_HYPHEN = re.compile(r"(?<=\w)-(?=\w)")
_FINAL_STOP = re.compile(r"[\s.]+$")
_SENTENCE_END = re.compile(r"(?<=\s[.!?])\s+")


class DataError(Exception):
    """The data folder lacks what the recipe needs; the message says what and where."""


class HasSource(Protocol):
    """Anything that tells which data set it came from."""

    @property
    def source(self) -> str:
        """The name of the source."""


@dataclass(frozen=True, slots=True)
class Example:
    """One text with its class index (see `LABELS`) and the source that it came from."""

    text: str
    label: int
    source: str


@dataclass(frozen=True, slots=True)
class ReviewSentence:
    """One sentence of a whole film review, with the class index of that *review*."""

    text: str
    review_label: int


def require_folder(folder: Path) -> Path:
    """Return `folder` if it is one.

    Raises:
        DataError: there is no such folder.
    """
    if not folder.is_dir():
        raise DataError(f"no data folder at {folder}: give the folder that holds it with --data")
    return folder


def read_examples(path: Path) -> list[Example]:
    """Read a gzipped JSON-lines file of labelled texts, in file order; neutral rows are dropped.

    Raises:
        DataError: the file is missing, or a line of it is not a labelled text.
    """
    return [
        Example(row["text"], LABELS.index(row["label"]), row.get("source", path.parent.name))
        for row in read_rows(path, fields=("text", "label"))
        if row["label"] in LABELS
    ]


def read_rows(path: Path, *, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Read a gzipped JSON-lines file, row by row in file order; each row has these fields.

    Raises:
        DataError: the file is missing, or a line of it is no JSON object with these fields.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                row = json.loads(line)
                if not isinstance(row, dict) or not set(fields) <= row.keys():
                    raise DataError(
                        f"{path}, line {number}: expected fields {' and '.join(fields)}"
                    )
                yield row
    except FileNotFoundError as error:
        raise DataError(f"no file {path}: is --data the right folder?") from error
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}") from error


def seeded(seed: int) -> random.Random:
    """Make the source of a stage's draws: the same seed, the same rows, order and spellings."""
    return random.Random(seed)  # noqa: S311  # draws training rows, guards nothing


def hold_out(
    examples: Sequence[Example], *, source: str, rows: int, seed: int
) -> tuple[list[Example], list[Example]]:
    """Split off `rows` examples of one source, drawn by `seed`.

    Returns:
        What stays for training, and what is held out; both in the order given.
    """
    candidates = [index for index, example in enumerate(examples) if example.source == source]
    chosen = set(seeded(seed).sample(candidates, rows))
    kept = [example for index, example in enumerate(examples) if index not in chosen]
    held = [example for index, example in enumerate(examples) if index in chosen]
    return kept, held


def split_reviews(
    reviews: Iterable[Example], *, least_words: int, most_words: int
) -> list[ReviewSentence]:
    """Cut tokenised reviews at " . ", " ! " and " ? "; keep each sentence of fitting length once.

    The bounds count words. The lower one drops the shards that "u . s ." or "$11 . 99" leave.
    """
    sentences: dict[str, ReviewSentence] = {}
    for review in reviews:
        for text in _SENTENCE_END.split(review.text):
            if least_words <= len(text.split()) <= most_words:
                sentences.setdefault(text, ReviewSentence(text, review.label))
    return list(sentences.values())


def as_treebank(text: str) -> str:
    """Rewrite a text as treebanks and bare-bones pipelines spell it.

    Contractions are split ("does n't", "it 's"), hyphens become spaces, the final stop goes.

    >>> as_treebank("it's a by-the-book film that doesn't work .")
    "it 's a by the book film that does n't work"
    """
    text = _NEGATED.sub(" n't", text)
    text = _CLITIC.sub(r" '\1", text)
    text = _HYPHEN.sub(" ", text)
    return _FINAL_STOP.sub("", text) or text


def vary(text: str, draw: random.Random) -> str:
    """Draw one spelling of a text: as it is, or as treebanks write it, with equal chance."""
    return as_treebank(text) if draw.getrandbits(1) else text


def count_sources(examples: Iterable[HasSource]) -> dict[str, int]:
    """Count the examples of each source, sources in alphabetical order."""
    return dict(sorted(Counter(example.source for example in examples).items()))
