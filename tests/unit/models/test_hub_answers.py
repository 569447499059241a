"""What the Hub answered is remembered for a while, and only so much of it."""

import pytest
from support.fake_hub import found

from earmark.models.hub_answers import Absent, Found, HubAnswers, Outcome, Unreachable, Unusable


def test_a_model_that_was_found_stays_known() -> None:
    """A model that was found keeps its commit as long as the server runs."""
    answers = HubAnswers()
    answers.keep("org/a", Found(found("org/a")), now_s=0.0)
    assert answers.recall("org/a", now_s=1e9) == Found(found("org/a"))
    assert answers.find("org/a") == found("org/a")


@pytest.mark.parametrize(
    ("outcome", "kept_s"),
    [(Absent(), 60.0), (Unusable("no head"), 300.0), (Unreachable("no route"), 10.0)],
)
def test_every_other_answer_is_forgotten_after_its_time(outcome: Outcome, kept_s: float) -> None:
    """The Hub is asked again later: a repository may be created, mended or reached again."""
    answers = HubAnswers()
    answers.keep("org/a", outcome, now_s=100.0)
    assert answers.recall("org/a", now_s=99.9 + kept_s) == outcome
    assert answers.left_s("org/a", now_s=98.0 + kept_s) == pytest.approx(2.0)
    assert answers.recall("org/a", now_s=100.0 + kept_s) is None
    assert answers.left_s("org/a", now_s=100.0 + kept_s) == 0.0
    assert answers.find("org/a") is None


def test_the_model_used_least_recently_makes_room() -> None:
    """The model that was used least recently is forgotten; finding it counts as a use."""
    answers = HubAnswers(most_found=2)
    for name in ("a", "b"):
        answers.keep(name, Found(found(name)), now_s=0.0)
    answers.find("a")
    answers.keep("c", Found(found("c")), now_s=0.0)
    assert [answers.find(name) is not None for name in ("a", "b", "c")] == [True, False, True]


def test_ids_that_are_none_do_not_fill_the_memory_and_push_out_no_model() -> None:
    """Of ids that are no model's the oldest is forgotten, and no model is."""
    answers = HubAnswers(most_found=1, most_others=2)
    answers.keep("model", Found(found("model")), now_s=0.0)
    for index in range(5):
        answers.keep(f"guess-{index}", Absent(), now_s=0.0)
    assert answers.find("model") is not None
    remembered = [answers.recall(f"guess-{index}", now_s=1.0) for index in range(5)]
    assert remembered == [None, None, None, Absent(), Absent()]


def test_a_later_outcome_takes_the_place_of_an_earlier_one() -> None:
    """The last answer counts, whether it is a model or not."""
    answers = HubAnswers()
    answers.keep("a", Absent(), now_s=0.0)
    answers.keep("a", Found(found("a")), now_s=1.0)
    assert answers.recall("a", now_s=1.0) == Found(found("a"))
    answers.keep("a", Unusable("changed"), now_s=2.0)
    assert answers.find("a") is None
