"""Pairs of a premise and a hypothesis."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.data import read_rows

LABELS = ("contradiction", "neutral", "entailment")
"""Label names in class order. Whoever looks for the entailment class by its name finds it; and
with contradiction first and entailment last, so does whoever goes by place."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Does `premise` entail `hypothesis`? `label` is a class index (see `LABELS`)."""

    premise: str
    hypothesis: str
    label: int
    source: str


def read_pairs(path: Path, *, source: str) -> list[Pair]:
    """Read a gzipped JSON-lines file of labelled pairs, in file order.

    Rows with another label than the three (some sets have ``not_entailment``) are dropped.

    Raises:
        DataError: the file is missing, or a line of it is not a labelled pair.
    """
    return [
        Pair(row["premise"], row["hypothesis"], LABELS.index(row["label"]), source)
        for row in read_rows(path, fields=("premise", "hypothesis", "label"))
        if row["label"] in LABELS
    ]


def without_premises(pairs: Sequence[Pair], premises: Collection[str]) -> list[Pair]:
    """Leave out the pairs on these premises, so that no held-out premise is learnt from."""
    return [pair for pair in pairs if pair.premise not in premises]
