"""Sequence heads that the zero-shot-classification pipeline is asked about.

What matters of a head is where its entailment stands, and whether its name says so.
"""

from dataclasses import replace

from golden.case import GoldenCase, Sorting
from golden.texts import PREMISES
from support.checkpoints import CheckpointSpec

ONE = ("refund",)
TWO = ("the film is good", "awful")
SEVEN = ("refund", "legal", "film", "good food", "电影", "", "people {0}")
DOUBLED = ("good", "bad", "good")

ASKED = (
    *(Sorting(labels) for labels in (ONE, TWO, SEVEN, DOUBLED)),
    *(Sorting(labels, multi_label=True) for labels in (ONE, TWO, SEVEN, DOUBLED)),
    Sorting(SEVEN, "{}"),
    Sorting(TWO, "Is it {0}? Really {0}, or {0} more than {{0}}.", multi_label=True),
    Sorting(TWO, "{{{}}} }}{{"),
)
"""What every one of these heads is asked about each text."""


def _case(name: str, seed: int, *labels: str) -> GoldenCase:
    spec = CheckpointSpec(seed=seed, num_labels=len(labels), label_names=labels)
    return GoldenCase(f"sorts-{name}", spec, PREMISES, sortings=ASKED)


_UNNAMED = _case("unnamed", 56, "LABEL_0", "LABEL_1", "LABEL_2")

SORTING_CASES = (
    _case("entailment-last", 46, "contradiction", "neutral", "entailment"),
    _case("entailment-first", 36, "entailment", "neutral", "contradiction"),
    _case("entailment-inside", 40, "CONTRADICTION", "ENTAILED", "NEUTRAL", "Entailment"),
    _case("entailment-or-not", 39, "entailment", "not_entailment"),
    replace(_UNNAMED, spec=replace(_UNNAMED.spec, architecture="distilbert")),
)
