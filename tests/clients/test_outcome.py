"""The judgement of `make clients`: what a script wrote, and whether clients agree."""

import json

import pytest
from clients.outcome import Check, Seen, compare, read_lines


def _lines(*lines: object) -> str:
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def test_each_line_is_a_check() -> None:
    """With what it saw, up to the line of the end."""
    seen = {"sample": "a text", "scores": {"GOOD": 0.75}}
    output = _lines(
        {"name": "a", "seen": [seen]},
        {"name": "b", "state": "failed", "problem": "why"},
        {"end": 2},
    )
    assert read_lines(output, errors="") == [
        Check("a", seen=(Seen("a text", {"GOOD": 0.75}),)),
        Check("b", "failed", "why"),
    ]


@pytest.mark.parametrize(
    "output",
    [
        "",
        _lines({"end": 0}),
        _lines({"name": "a"}),
        _lines({"name": "a"}, {"end": 2}),
        _lines({"name": "a"}, {"end": 1}) + "something else\n",
        "something else\n" + _lines({"name": "a"}, {"end": 1}),
    ],
    ids=["nothing", "no check", "no end", "one lost", "words after", "words before"],
)
def test_a_script_that_breaks_off_has_failed(output: str) -> None:
    """Whatever it did not say is no success; the report has its last words."""
    last = read_lines(output, errors="Traceback\nKeyError: 'x'\n")[-1]
    assert last.state == "failed"
    assert "KeyError: 'x'" in last.problem


def test_clients_that_saw_the_same_agree() -> None:
    """But for rounding; a sample that one client alone saw is not compared."""
    runs = {
        "old": [Check("a", seen=(Seen("a text", {"GOOD": 0.75}),))],
        "new": [
            Check("a", seen=(Seen("a text", {"GOOD": 0.7500001}),)),
            Check("b", seen=(Seen("a pair", {"GOOD": 0.5}),)),
        ],
    }
    assert compare(runs) == [Check("a text (2 clients)")]


@pytest.mark.parametrize("other", [{"GOOD": 0.76}, {"BAD": 0.75}, {}])
def test_clients_that_saw_different_scores_have_failed(other: dict[str, float]) -> None:
    """The report names both, and what they saw."""
    runs = {
        "old": [Check("a", seen=(Seen("a text", {"GOOD": 0.75}),))],
        "new": [Check("a", seen=(Seen("a text", other),))],
    }
    (check,) = compare(runs)
    assert check.state == "failed"
    assert check.problem == f"old found {{'GOOD': 0.75}}, new {other}"
