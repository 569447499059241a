"""The table of faults in docs/operating.md has its place, and is read back as it was written."""

from pathlib import Path

import pytest
from faults.figures import HEADER, PAGE, Figures, read_rows, table, with_table


def test_rows_come_in_the_order_of_their_tests(tmp_path: Path) -> None:
    """From several processes; without a folder nothing is kept."""
    later = Figures(tmp_path / "one.jsonl", ("test_b.py", 3))
    later.add("c", "d", "2 s")
    later.add("e", "f", "3 s")
    Figures(tmp_path / "two.jsonl", ("test_a.py", 90)).add("a", "b", "1 s")
    Figures(None, ("test_a.py", 1)).add("x", "y", "z")
    rows = table(read_rows(tmp_path)).splitlines()
    assert rows == [*HEADER, "| a | b | 1 s |", "| c | d | 2 s |", "| e | f | 3 s |"]


def test_the_page_has_a_place_for_the_table() -> None:
    """The rest of the page stays as it is."""
    page = PAGE.read_text("utf-8")
    written = with_table(page, "| a |\n")
    assert "\n| a |\n" in written
    assert with_table(written, "| b |\n") == with_table(page, "| b |\n")
    with pytest.raises(ValueError, match="marks no place"):
        with_table("# Operating\n", "")
