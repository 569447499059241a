"""Sentences that say what a thing is."""

from training.definitions import find_definitions
from training.hypotheses import LabelledText


def test_the_kind_is_the_last_word_of_the_noun_phrase() -> None:
    """What comes before it only says which river; the article fits the word."""
    assert find_definitions(
        [
            "The Aar is a fast river in Switzerland.",
            "Oka was a Russian river.",
            "He is an Italian actor, born in Rome.",
            "She is a stage actor and singer.",
            "X is a university.",
            "Y is an old university.",
        ]
    ) == [
        LabelledText("The Aar is a fast river in Switzerland.", "a river"),
        LabelledText("Oka was a Russian river.", "a river"),
        LabelledText("He is an Italian actor, born in Rome.", "an actor"),
        LabelledText("She is a stage actor and singer.", "an actor"),
        LabelledText("X is a university.", "a university"),
        LabelledText("Y is an old university.", "a university"),
    ]


def test_the_classes_that_measure_unseen_labels_stay_unseen() -> None:
    """A sentence about one of DBpedia-14's kinds is left out, however often there is one."""
    texts = [f"{name} is an album by {name}." for name in ("A", "B", "C")]
    assert find_definitions(texts) == []


def test_a_kind_that_is_named_once_is_left_out() -> None:
    """It is as often a slip as a kind."""
    assert find_definitions(["The Aar is a river in Switzerland.", "Rex is a dog."]) == []


def test_what_only_looks_like_a_noun_is_left_out() -> None:
    """Verbs, plurals, names and words that say nothing are no kinds."""
    texts = [
        "It was a song by A.",
        "It was a song composed by A.",
        "It was a recently by A.",
        "He is a member of it.",
        "It is a Fiat.",
        "No kind is named here.",
    ]
    assert {item.label for item in find_definitions(texts * 2)} == {"a song"}
