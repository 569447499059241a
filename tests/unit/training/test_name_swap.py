"""Names put in the places of others."""

from hypothesis import given
from hypothesis import strategies as st

from training.data import seeded
from training.name_swap import Name, gather_names, is_organisation, looks_like_a_name, swap_names
from training.tagged import TaggedSentence, find_spans

NAMES: dict[str, list[Name]] = {
    "PER": [("Ada",), ("Alan", "M.", "Turing")],
    "LOC": [("Isle", "of", "Man")],
}


def sentence(text: str) -> TaggedSentence:
    """Read words and tags off "Ada/B-PER sleeps"."""
    pairs = [word.partition("/") for word in text.split()]
    return TaggedSentence(
        tuple(word for word, _, _ in pairs),
        tuple(tag or "O" for _, _, tag in pairs),
        "test",
        marks_misc=True,
    )


MEETING = sentence("John/B-PER Smith/I-PER met Linux/B-MISC in York/B-LOC .")


@given(st.integers(min_value=0, max_value=99))
def test_a_name_gives_way_to_one_of_its_type(seed: int) -> None:
    """Types and what is no name stay; the names are from the list."""
    swapped = swap_names(MEETING, NAMES, share=1.0, draw=seeded(seed))
    spans = sorted(find_spans(swapped.tags), key=lambda span: span[1])
    assert [kind for kind, _, _ in spans] == ["PER", "MISC", "LOC"]
    person, product, place = (swapped.words[start:end] for _, start, end in spans)
    assert (person in NAMES["PER"], product, place) == (True, ("Linux",), ("Isle", "of", "Man"))
    others = [word for word, tag in zip(swapped.words, swapped.tags, strict=True) if tag == "O"]
    assert others == ["met", "in", "."]


def test_without_a_share_nothing_changes() -> None:
    """A chance of nought swaps nothing."""
    assert swap_names(MEETING, NAMES, share=0.0, draw=seeded(1)) == MEETING


def test_a_type_without_names_keeps_its_own() -> None:
    """There is nothing to put in their places."""
    assert swap_names(MEETING, {}, share=1.0, draw=seeded(1)) == MEETING


def test_names_are_gathered_once_each_by_type() -> None:
    """MISC is not gathered, nor what is written like a common noun or a species."""
    rows = [MEETING, MEETING, sentence("Agama/B-LOC agama/I-LOC lives near bath/B-LOC")]
    assert gather_names(rows) == {"PER": [("John", "Smith")], "ORG": [], "LOC": [("York",)]}


def test_small_words_may_stand_inside_a_name_alone() -> None:
    """As "Isle of Man" is one, "Man of" and "of Man" are cut wrong."""
    assert looks_like_a_name(("Isle", "of", "Man"))
    assert not looks_like_a_name(("Man", "of"))
    assert not looks_like_a_name(("of", "Man"))


def test_an_organisation_says_so_at_one_of_its_ends() -> None:
    """So "University of Oslo" and "Labour Party" do; a king does not."""
    assert is_organisation(("University", "of", "Oslo"))
    assert is_organisation(("Labour", "Party"))
    assert not is_organisation(("Robert", "I", "of", "Flanders"))
