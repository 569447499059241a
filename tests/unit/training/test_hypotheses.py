"""Labelled and unlabelled texts recast as pairs."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.data import seeded
from training.hypotheses import ABOUT, CONTRADICTION, ENTAILMENT, LabelledText, recast
from training.nli_mixture import find_kinds, take
from training.topics import Kind, Vectors, recast_nearest

TEXTS = [LabelledText(f"text {number}", f"label {number % 4}") for number in range(40)]
NEAR = Kind(source="near", templates=("About {}.",), sure=2.0)


@given(st.integers(min_value=0, max_value=99))
def test_each_text_is_entailed_once_and_contradicted_by_other_labels(seed: int) -> None:
    """Of a text's three pairs, only its own label's is entailed, and no label comes twice."""
    pairs = recast(TEXTS, source="s", wrong=2, templates=("About {}.",), draw=seeded(seed))
    for item, group in zip(TEXTS, zip(*[iter(pairs)] * 3, strict=True), strict=True):
        assert [pair.label for pair in group] == [ENTAILMENT, CONTRADICTION, CONTRADICTION]
        assert group[0].hypothesis == f"About {item.label}."
        assert len({pair.hypothesis for pair in group}) == 3


def test_a_label_is_wrong_as_often_as_it_is_right_elsewhere() -> None:
    """A label's share among the wrong follows its share among the texts, so it tells nothing."""
    texts = [LabelledText(f"text {number}", "rare" if number % 10 == 0 else f"label {number % 3}")
             for number in range(3000)]  # fmt: skip
    pairs = recast(texts, source="s", wrong=1, templates=("{}",), draw=seeded(1))
    rare = Counter(pair.label for pair in pairs if pair.hypothesis == "rare")
    assert 0.7 < rare[CONTRADICTION] / rare[ENTAILMENT] < 1.4


def test_the_pairs_of_a_text_share_their_template() -> None:
    """Wording cannot give the answer away."""
    pairs = recast(TEXTS, source="s", wrong=1, templates=ABOUT, draw=seeded(3))
    for right, wrong in zip(pairs[::2], pairs[1::2], strict=True):
        words = right.hypothesis.partition("label")[0]
        assert wrong.hypothesis.startswith(words)


def test_a_text_that_is_near_to_nothing_makes_no_pair() -> None:
    """Only a label at least `sure` deviations near is taken for right."""
    nearness = np.array([[2.5, -1.0], [1.0, -1.0], [-1.0, 3.0]], dtype=np.float32)
    pairs = recast_nearest(["a", "b", "c"], ["x", "y"], nearness, kind=NEAR, draw=seeded(1))
    assert {pair.premise for pair in pairs} == {"a", "c"}


def test_a_label_that_is_rather_near_is_never_taken_for_wrong() -> None:
    """Between sure and unsure, a label is left alone."""
    nearness = np.array([[3.0, 1.0], [1.0, 3.0]], dtype=np.float32)
    pairs = recast_nearest(["a", "b"], ["x", "y"], nearness, kind=NEAR, draw=seeded(1))
    assert [pair.label for pair in pairs] == [ENTAILMENT, ENTAILMENT]


@given(st.integers(min_value=0, max_value=50), st.integers(min_value=0, max_value=99))
def test_no_row_is_taken_again_before_all_have_come(count: int, seed: int) -> None:
    """Rows repeat evenly: no two rows' counts differ by more than one."""
    taken = Counter(take(range(8), count, seeded(seed)))
    counts = [taken[row] for row in range(8)]
    assert sum(counts) == count
    assert max(counts) - min(counts) <= 1


def test_two_near_topics_may_be_joined_into_one_label() -> None:
    """A text about both is about "x and y", in either order; one of each alone is not."""
    kind = Kind(source="near", templates=("About {}.",), sure=2.0, joined=1.0)
    nearness = np.array([[3.0, 2.0, -1.0], [-1.0, -1.0, 3.0]] * 20, dtype=np.float32)
    texts = [f"text {number}" for number in range(40)]
    pairs = recast_nearest(texts, ["x", "y", "z"], nearness, kind=kind, draw=seeded(1))
    entailed = {pair.hypothesis for pair in pairs if pair.label == ENTAILMENT}
    refused = {pair.hypothesis for pair in pairs if pair.label == CONTRADICTION}
    assert entailed == refused == {"About x and y.", "About y and x.", "About z."}


def test_a_kind_that_may_be_right_too_is_never_taken_for_wrong() -> None:
    """A text names one kind; which others are surely wrong, nearness tells."""
    near = {"a river": [9.0, 9.0, -1.0], "a stream": [9.0, 9.0, -1.0], "a poet": [-1.0, -1.0, 9.0]}
    defined = [LabelledText(f"{kind} {number}", kind) for kind in near for number in range(9)]

    def nearness(texts: Sequence[str], labels: Sequence[str]) -> Vectors:
        assert list(labels) == list(near)
        return np.array([near[text.rpartition(" ")[0]] for text in texts], dtype=np.float32)

    pairs = find_kinds(defined, nearness, seeded(1))
    assert {(pair.premise.rpartition(" ")[0], pair.label) for pair in pairs} == {
        (kind, answer) for kind in near for answer in (ENTAILMENT, CONTRADICTION)
    }
    for pair in pairs:
        own = pair.premise.rpartition(" ")[0]
        if pair.label == ENTAILMENT:
            assert own in pair.hypothesis
        else:
            assert ("poet" in own) != ("poet" in pair.hypothesis)
