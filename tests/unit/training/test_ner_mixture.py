"""What the model of names is shown."""

from collections import Counter
from collections.abc import Sequence

import pytest

from training.data import seeded
from training.ner_mixture import (
    EMERGING,
    LINKED,
    NEWS,
    TWEETS,
    WEB,
    WIKIPEDIA,
    TaggedCorpus,
    is_prose,
    is_wanted,
    lay_out_passes,
    spare_names,
    vary_case,
    without_common_nouns,
)
from training.tagged import TaggedSentence


def tagged(words: str, tags: str, source: str = LINKED) -> TaggedSentence:
    """Make a sentence of words and tags, both written with spaces between."""
    return TaggedSentence(tuple(words.split()), tuple(tags.split()), source, marks_misc=False)


def sentence(source: str, number: int) -> TaggedSentence:
    """Make a sentence that differs from others, every other one with a name."""
    return tagged(f"Word{number} x", "B-PER O" if number % 2 else "O O", source)


CORPUS = TaggedCorpus(
    train=[
        sentence(source, number)
        for source in (WEB, NEWS, WIKIPEDIA, EMERGING, LINKED, TWEETS)
        for number in range(10)
    ],
    held_out=(),
    names={"PER": [("Ada",)]},
)


def sources(rows: Sequence[TaggedSentence]) -> Counter[str]:
    """Count sentences by source."""
    return Counter(row.source for row in rows)


def test_clean_sets_come_twice_and_the_rest_once() -> None:
    """Two passes over edited text; tweets and linked titles in the first alone."""
    first, last = (sources(rows) for rows in lay_out_passes(CORPUS, draw=seeded(1)))
    assert first == {WEB: 10, NEWS: 10, WIKIPEDIA: 10, EMERGING: 5, LINKED: 10, TWEETS: 10}
    assert 5 <= last[WEB] < 10
    assert last - Counter({WEB: 10}) == {NEWS: 10, WIKIPEDIA: 10, EMERGING: 5}


def test_web_sentences_with_names_all_come_again() -> None:
    """Only those without a name are thinned."""
    _, last = lay_out_passes(CORPUS, draw=seeded(1))
    assert sum(row.source == WEB and row.tags[0] == "B-PER" for row in last) == 5


def test_names_are_swapped_in_the_second_pass_alone() -> None:
    """First the sentences as they are; then others' names in some of them."""
    first, last = (
        {row.words[0].lower() for row in rows} for rows in lay_out_passes(CORPUS, draw=seeded(1))
    )
    assert "ada" not in first
    assert "ada" in last


def test_the_same_seed_lays_out_the_same_rows() -> None:
    """The seed alone decides what is drawn."""
    assert lay_out_passes(CORPUS, draw=seeded(7)) == lay_out_passes(CORPUS, draw=seeded(7))


def test_some_sentences_lose_their_capitals_and_fewer_the_small_letters() -> None:
    """Words and tags stay otherwise as they are."""
    rows = [tagged("Ada sleeps", "B-PER O")] * 1000
    spelt = Counter(" ".join(row.words) for row in vary_case(rows, draw=seeded(1)))
    assert set(spelt) == {"Ada sleeps", "ada sleeps", "ADA SLEEPS"}
    assert spelt["Ada sleeps"] > spelt["ada sleeps"] > spelt["ADA SLEEPS"]


def test_a_bare_title_is_no_prose() -> None:
    """A row that is all name is left out; a name inside a sentence is not."""
    assert not is_prose(tagged("List of years in Brazil", "B-ORG I-ORG I-ORG I-ORG I-ORG"))
    assert is_prose(tagged("It was sold to Connex", "O O O O B-ORG"))


@pytest.mark.parametrize(
    "row",
    [
        tagged("It is a local government area", "O O O B-ORG I-ORG I-ORG"),
        tagged("He sang `` Shine '' first", "O O O B-PER O O"),
        tagged("It was sold to Connex", "O O O O B-ORG"),
        tagged("thanks @ ada !", "O B-PER B-PER O", TWEETS),
    ],
)
def test_rows_that_are_surely_marked_wrong_are_left_out(row: TaggedSentence) -> None:
    """Links to common nouns and works in WikiANN, an "@" as a person in tweets."""
    assert not is_wanted(row)


@pytest.mark.parametrize(
    "row",
    [
        tagged("It was sold to Connex Group", "O O O O B-ORG I-ORG"),
        tagged("It was sold in Oslo", "O O O O B-LOC"),
        tagged("thanks @ ada !", "O O O O", TWEETS),
        tagged("a jazz", "O B-MISC", WIKIPEDIA),
    ],
)
def test_other_rows_are_learnt_from(row: TaggedSentence) -> None:
    """What is a fault in one source is none in another."""
    assert is_wanted(row)


def test_common_nouns_are_no_names() -> None:
    """Small letters throughout unmark a MISC, and nothing else."""
    row = tagged("soul blues by ada , Pop music", "B-MISC I-MISC O B-PER O B-MISC I-MISC")
    assert without_common_nouns(row).tags == ("O", "O", "O", "B-PER", "O", "B-MISC", "I-MISC")


def test_linked_organisations_must_say_that_they_are_such() -> None:
    """Of WikiANN's, a song is left out; edited text is believed."""
    names = spare_names(
        [tagged("Connex", "B-ORG", WEB), tagged("Twitter", "B-ORG", TWEETS)],
        [tagged("Bigger", "B-ORG"), tagged("Oslo University", "B-ORG I-ORG")],
    )
    assert names["ORG"] == [("Connex",), ("Oslo", "University")]
