"""Pairs of a premise and a hypothesis."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.data import read_rows

LABELS = ("contradiction", "neutral", "entailment")
"""Label names in class order. Whoever looks for the entailment class by its name finds it; and
with contradiction first and entailment last, so does whoever goes by place."""

_MUCH_SHORTER = 0.5


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


def mirror(pairs: Sequence[Pair]) -> list[Pair]:
    """Turn pairs round, hypothesis first, where that leaves no doubt about the label.

    What contradicts is contradicted. What is entailed, and is much the shorter text, leaves most
    of the longer one open: turned round, that is neutral. Other pairs are left out.
    """
    turned = []
    for pair in pairs:
        shorter = len(pair.hypothesis) < _MUCH_SHORTER * len(pair.premise)
        if LABELS[pair.label] == "contradiction":
            label = pair.label
        elif LABELS[pair.label] == "entailment" and shorter:
            label = LABELS.index("neutral")
        else:
            continue
        turned.append(Pair(pair.hypothesis, pair.premise, label, f"{pair.source}_mirrored"))
    return turned


def sift(pairs: Sequence[Pair], logits: npt.NDArray[np.float32], *, believed: float) -> list[Pair]:
    """Keep the pairs whose label a model can believe.

    Args:
        pairs: with labels that are often wrong.
        logits: the model's, [pairs, classes].
        believed: the least probability of a pair's own label.
    """
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    own = odds[np.arange(len(pairs)), [pair.label for pair in pairs]] / odds.sum(axis=1)
    return [pair for pair, share in zip(pairs, own, strict=True) if share >= believed]
