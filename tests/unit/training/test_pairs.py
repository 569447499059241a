"""Pairs of a premise and a hypothesis."""

import numpy as np

from training.pairs import LABELS, Pair, mirror, sift

CONTRADICTION, NEUTRAL, ENTAILMENT = range(3)
LONG, SHORT = "A man in a red hat sells fruit.", "A man sells."


def test_the_labels_stand_in_the_order_that_clients_count_on() -> None:
    """Contradiction is first and entailment last, for those who go by place."""
    assert LABELS == ("contradiction", "neutral", "entailment")


def test_a_contradicted_pair_turned_round_is_contradicted() -> None:
    """What rules a text out is ruled out by it."""
    assert mirror([Pair(LONG, SHORT, CONTRADICTION, "s")]) == [
        Pair(SHORT, LONG, CONTRADICTION, "s_mirrored")
    ]


def test_a_short_entailed_text_leaves_the_longer_one_open() -> None:
    """The details that it lacks may be so or not."""
    assert mirror([Pair(LONG, SHORT, ENTAILMENT, "s")]) == [
        Pair(SHORT, LONG, NEUTRAL, "s_mirrored")
    ]


def test_pairs_whose_label_is_in_doubt_are_not_turned_round() -> None:
    """A paraphrase may be entailed both ways; what is open one way may be anything the other."""
    assert mirror([Pair(LONG, LONG, ENTAILMENT, "s"), Pair(LONG, SHORT, NEUTRAL, "s")]) == []


def test_sifting_keeps_the_pairs_whose_label_is_likely_enough() -> None:
    """The probability of the pair's own label counts, whichever label the model likes best."""
    pairs = [Pair("p", f"h{number}", ENTAILMENT, "s") for number in range(3)]
    shares = np.array([[0.1, 0.1, 0.8], [0.45, 0.1, 0.45], [0.5, 0.2, 0.3]], dtype=np.float32)
    assert sift(pairs, np.log(shares), believed=0.4) == pairs[:2]
