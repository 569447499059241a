"""What the model of names is shown."""

from collections import Counter

from training.data import seeded
from training.ner_mixture import (
    EMERGING,
    LINKED,
    TWEETS,
    WEB,
    WIKIPEDIA,
    TaggedCorpus,
    is_prose,
    lay_out_passes,
)
from training.tagged import TaggedSentence


def sentence(source: str, number: int) -> TaggedSentence:
    """Make a sentence that can be told from others."""
    return TaggedSentence((f"word{number}",), ("O",), source, marks_misc=True)


CORPUS = TaggedCorpus(
    train=[
        sentence(source, number)
        for source in (WEB, WIKIPEDIA, EMERGING, LINKED, TWEETS)
        for number in range(10)
    ],
    held_out=(),
)


def test_clean_sets_come_twice_and_the_rest_once() -> None:
    """Two passes over edited text; tweets and linked titles in the first alone."""
    first, last = (
        Counter(row.source for row in rows) for rows in lay_out_passes(CORPUS, draw=seeded(1))
    )
    assert first == {WEB: 10, WIKIPEDIA: 10, EMERGING: 5, LINKED: 10, TWEETS: 10}
    assert last == {WEB: 10, WIKIPEDIA: 10, EMERGING: 5}


def test_the_same_seed_lays_out_the_same_rows() -> None:
    """The seed alone decides what is drawn."""
    assert lay_out_passes(CORPUS, draw=seeded(7)) == lay_out_passes(CORPUS, draw=seeded(7))


def test_a_bare_title_is_no_prose() -> None:
    """A row that is all name is left out; a name inside a sentence is not."""
    title = TaggedSentence(
        ("List", "of", "years", "in", "Brazil"), ("B-ORG", *["I-ORG"] * 4), LINKED, marks_misc=False
    )
    prose = TaggedSentence(
        ("It", "was", "sold", "to", "Connex"),
        ("O", "O", "O", "O", "B-ORG"),
        LINKED,
        marks_misc=False,
    )
    assert not is_prose(title)
    assert is_prose(prose)
