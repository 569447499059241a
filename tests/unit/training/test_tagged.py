"""Tags gathered into names, and names scored."""

import gzip
import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data import DataError
from training.tagged import TAGS, find_spans, read_tagged, score_spans

TAG_LISTS = st.lists(st.sampled_from(TAGS), max_size=12)


def test_a_name_runs_from_its_b_to_its_last_i() -> None:
    """B-PER I-PER is one name of two words."""
    assert find_spans(["O", "B-PER", "I-PER", "O", "B-LOC"]) == {("PER", 1, 3), ("LOC", 4, 5)}


def test_a_b_right_after_a_name_opens_another() -> None:
    """Two persons side by side stay two."""
    assert find_spans(["B-PER", "B-PER"]) == {("PER", 0, 1), ("PER", 1, 2)}


def test_an_i_of_another_type_opens_a_name() -> None:
    """I-LOC after B-ORG does not lengthen the organisation."""
    assert find_spans(["B-ORG", "I-LOC"]) == {("ORG", 0, 1), ("LOC", 1, 2)}


@given(TAG_LISTS)
def test_names_cover_every_tagged_word_once(tags: list[str]) -> None:
    """Whatever the tags, names do not overlap, and no word with a tag is left out."""
    spans = sorted(find_spans(tags), key=lambda span: span[1])
    assert all(before[2] <= after[1] for before, after in pairwise(spans))
    covered = {position for _, start, end in spans for position in range(start, end)}
    assert covered == {position for position, tag in enumerate(tags) if tag != "O"}


@given(st.lists(TAG_LISTS, max_size=4))
def test_right_tags_score_full_marks(sentences: list[list[str]]) -> None:
    """Against themselves, tags have as many agreed names as marked ones."""
    together = score_spans(sentences, sentences)["all"]
    assert together.agreed == together.found == together.marked


def test_f1_counts_whole_names() -> None:
    """One name of two found to its end gives half precision, half recall, half F1."""
    scores = score_spans([["B-PER", "I-PER", "B-LOC", "I-LOC"]], [["B-PER", "I-PER", "B-LOC", "O"]])
    assert scores["all"].f1 == 50.0
    assert scores["PER"].f1 == 100.0
    assert scores["LOC"].recall == 0.0


def test_types_that_do_not_count_are_left_out_on_both_sides() -> None:
    """A found MISC is no mistake where MISC is not marked."""
    scores = score_spans([["B-MISC", "B-PER"]], [["O", "B-PER"]], types=("PER", "ORG", "LOC"))
    assert scores["all"].f1 == 100.0


def test_an_unknown_tag_is_refused_with_its_line(tmp_path: Path) -> None:
    """A tag outside the four types names file, line and what was expected."""
    path = tmp_path / "tags.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.write(json.dumps({"tokens": ["May"], "tags": ["B-DATE"]}) + "\n")
    with pytest.raises(DataError, match=r"line 1: expected a tag of O, B-PER"):
        read_tagged(path, source="test", marks_misc=True)
