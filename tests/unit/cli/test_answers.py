"""What answers look like."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from earmark.cli.answers import BarAnswers, JsonAnswers, bar
from earmark.domain.labels import LabelSet
from earmark.domain.results import Classification, LabelScore

RESULT = Classification((LabelScore("GOOD", 0.75), LabelScore("BAD", 0.25)), 4)
LABELS = LabelSet(("BAD", "GOOD"))


def shown(
    text: str,
    result: Classification = RESULT,
    *,
    labels: LabelSet = LABELS,
    top_k: int | None = None,
    width: int = 60,
    encoding: str = "utf-8",
) -> str:
    """Show one answer on a terminal of some width."""
    out = io.TextIOWrapper(io.BytesIO(), encoding, errors="backslashreplace")
    console = Console(file=out, width=width, color_system=None)
    BarAnswers(console, labels, top_k=top_k).show(text, result)
    out.seek(0)
    return out.read()


shares = st.floats(0, 1)


@given(shares, shares, st.integers(0, 200), st.booleans())
def test_a_larger_share_never_has_a_shorter_bar(
    one: float,
    other: float,
    width: int,
    ascii_only: bool,  # noqa: FBT001 - hypothesis passes by name
) -> None:
    """Bars can be compared by their length, whatever they are drawn with."""
    small, large = sorted((one, other))
    lengths = [len(bar(share, width, ascii_only=ascii_only)) for share in (small, large)]
    assert lengths[0] <= lengths[1] <= width


def test_a_full_bar_fills_its_width_and_half_a_cell_shows() -> None:
    """Bars are exact to an eighth of a cell."""
    assert bar(1, 3, ascii_only=False) == "███"
    assert bar(0.5, 3, ascii_only=False) == "█▌"
    assert bar(0, 3, ascii_only=False) == ""


def test_a_json_line_holds_the_text_and_every_score() -> None:
    """One object a line, its fields in one order, characters as they are."""
    out = io.BytesIO()
    answers = JsonAnswers(out)
    answers.show("naïve\n", Classification(RESULT.scores, 4, 9))
    answers.flush()
    line = out.getvalue().decode()
    assert line.startswith('{"text":"naïve\\n","label":"GOOD","score":0.75,"scores":[')
    assert line.endswith("\n")
    assert json.loads(line) == {
        "text": "naïve\n",
        "label": "GOOD",
        "score": 0.75,
        "scores": [{"label": "GOOD", "score": 0.75}, {"label": "BAD", "score": 0.25}],
        "truncated_tokens": 9,
    }


def test_an_answer_is_the_text_and_a_bar_for_each_label() -> None:
    """Labels stand below each other, and so do their bars."""
    assert shown("I like it").splitlines() == [
        "I like it",
        "  GOOD  0.7500  ██████████████████████████████",
        "  BAD   0.2500  ██████████",
        "",
    ]


def test_bars_become_signs_where_the_terminal_knows_no_blocks() -> None:
    """An ASCII terminal shows bars too."""
    assert "GOOD  0.7500  ####" in shown("I like it", encoding="ascii")


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Long texts and labels are cut; nothing wraps."""
    labels = LabelSet(("a label with a very long name indeed", "b"))
    result = Classification(tuple(LabelScore(name, 0.5) for name in labels.names), 3, 12345)
    lines = shown("word " * 100, result, labels=labels, width=width).splitlines()
    assert all(len(line) <= width for line in lines)
    assert "…" in lines[0]


def test_control_characters_of_a_text_do_not_reach_the_terminal() -> None:
    """A text cannot move the cursor, set colours or ring the bell."""
    assert shown("a\x1b[2Jb\x07\n\tc").splitlines()[0] == "a�[2Jb� c"


def test_what_was_cut_off_is_said() -> None:
    """A person sees that the model did not read the whole text."""
    assert "long  (7 tokens cut off)" in shown("long", Classification(RESULT.scores, 512, 7))


def test_an_empty_text_is_named_so() -> None:
    """A block never starts with a blank line."""
    assert shown("").startswith("(empty text)\n")


def test_only_the_best_labels_are_shown_unless_more_are_asked_for() -> None:
    """A model of many labels does not flood the terminal; the rest is counted."""
    labels = LabelSet(tuple(f"L{index}" for index in range(8)))
    result = Classification(tuple(LabelScore(name, 0.125) for name in labels.names), 3)
    assert "… 3 more: --top-k 8" in shown("x", result, labels=labels)
    assert "more" not in shown("x", result, labels=labels, top_k=8)


def test_a_raw_logit_has_a_number_and_no_bar() -> None:
    """A regression's answer is no share of anything."""
    line = shown("x", Classification((LabelScore("GOOD", -3.5),), 3)).splitlines()[1]
    assert line.rstrip() == "  GOOD  -3.5000"
