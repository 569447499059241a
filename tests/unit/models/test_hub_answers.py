"""What was found out is remembered for a while, and only so much of it."""

import pytest
from support.fake_hub import found

from earmark.models.hub_answers import Absent, Findings, Found, Outcome, Unreachable, Unusable


def test_a_model_that_was_found_stays_known() -> None:
    """Its commit does not change under whoever uses it."""
    findings = Findings()
    findings.keep("org/a", Found(found("org/a")), now_s=0.0)
    assert findings.recall("org/a", now_s=1e9) == Found(found("org/a"))
    assert findings.find("org/a") == found("org/a")


@pytest.mark.parametrize(
    ("outcome", "kept_s"),
    [(Absent(), 60.0), (Unusable("no head"), 300.0), (Unreachable("no route"), 10.0)],
)
def test_whatever_else_was_found_is_forgotten(outcome: Outcome, kept_s: float) -> None:
    """A repository may be created, mended or reached again."""
    findings = Findings()
    findings.keep("org/a", outcome, now_s=100.0)
    assert findings.recall("org/a", now_s=99.9 + kept_s) == outcome
    assert findings.left_s("org/a", now_s=98.0 + kept_s) == pytest.approx(2.0)
    assert findings.recall("org/a", now_s=100.0 + kept_s) is None
    assert findings.left_s("org/a", now_s=100.0 + kept_s) == 0.0
    assert findings.find("org/a") is None


def test_the_model_asked_for_least_lately_makes_room() -> None:
    """Looking one up counts as asking for it."""
    findings = Findings(most_found=2)
    for name in ("a", "b"):
        findings.keep(name, Found(found(name)), now_s=0.0)
    findings.find("a")
    findings.keep("c", Found(found("c")), now_s=0.0)
    assert [findings.find(name) is not None for name in ("a", "b", "c")] == [True, False, True]


def test_ids_that_are_none_do_not_fill_the_memory_and_push_out_no_model() -> None:
    """The oldest is forgotten first."""
    findings = Findings(most_found=1, most_others=2)
    findings.keep("model", Found(found("model")), now_s=0.0)
    for index in range(5):
        findings.keep(f"guess-{index}", Absent(), now_s=0.0)
    assert findings.find("model") is not None
    remembered = [findings.recall(f"guess-{index}", now_s=1.0) for index in range(5)]
    assert remembered == [None, None, None, Absent(), Absent()]


def test_a_later_outcome_takes_the_place_of_an_earlier_one() -> None:
    """Whichever of them is the model."""
    findings = Findings()
    findings.keep("a", Absent(), now_s=0.0)
    findings.keep("a", Found(found("a")), now_s=1.0)
    assert findings.recall("a", now_s=1.0) == Found(found("a"))
    findings.keep("a", Unusable("changed"), now_s=2.0)
    assert findings.find("a") is None
