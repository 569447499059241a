"""What the model of inference is shown."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from training.data import Example, seeded
from training.hypotheses import LabelledText
from training.nli_mixture import (
    FILES,
    GENERATED,
    LOGIC,
    MNLI,
    SNLI,
    PairCorpus,
    draw_unsifted,
    lay_out_pairs,
)
from training.pairs import Pair
from training.topics import Vectors

SHARE = 0.004


def nearness(texts: Sequence[str], labels: Sequence[str]) -> Vectors:
    """Find each text near to one label, by its number."""
    near = np.full((len(texts), len(labels)), -1, dtype=np.float32)
    for row, text in enumerate(texts):
        near[row, int(text.split()[-1]) % len(labels)] = 4
    return near


CORPUS = PairCorpus(
    inference={
        source: [
            Pair(f"{source} premise {number}", f"hypothesis {number}", number % 3, source)
            for number in range(90)
        ]
        for source in FILES
    },
    held_out=(),
    labelled={"intents": [LabelledText(f"text {n}", f"label {n % 5}") for n in range(20)]},
    defined=[LabelledText(f"text {number}", f"a kind {number % 3}") for number in range(9)],
    topical=[f"text {number}" for number in range(30)],
    felt=[Example(f"text {number}", number % 2, "goemotions") for number in range(24)],
)
FIRST, SECOND = (
    Counter(pair.source for pair in pairs)
    for pairs in lay_out_pairs(CORPUS, nearness, effort=SHARE, draw=seeded(1))
)


def test_the_second_stage_shows_half_as_much_and_no_templates() -> None:
    """Of every source but one; sentences made from templates come early alone."""
    assert (FIRST[MNLI], SECOND[MNLI]) == (124, 62)
    assert (FIRST[SNLI], SECOND[SNLI]) == (72, 36)
    assert (FIRST[LOGIC], SECOND[LOGIC]) == (24, 0)
    for source in ("mnli_part_mirrored", "snli_derived_mirrored", "intents", "definitions"):
        assert 0 < SECOND[source] <= FIRST[source]
    for source in ("topics", "feelings"):
        assert 0 < SECOND[source] < FIRST[source]


def test_machine_written_pairs_wait_until_the_model_can_sift_them() -> None:
    """Neither stage is laid out with them; they are drawn apart."""
    assert GENERATED not in FIRST + SECOND
    drawn = draw_unsifted(CORPUS, effort=SHARE, draw=seeded(1))
    assert {pair.source for pair in drawn} == {GENERATED}
    assert len(drawn) == len(set(drawn)) == 64
