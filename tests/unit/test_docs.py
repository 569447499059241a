"""Pages in docs/ name files that are there, and tables are whole."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_on_architectures_names_files_that_are_there() -> None:
    """Every path it names exists, but for those of the architecture to be added."""
    page = (ROOT / "docs" / "adding-an-architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:src|tests)/[\w/.-]+)`", page)
    assert len(named) > 10
    assert [name for name in named if "NAME" not in name and not (ROOT / name).exists()] == []


def test_every_difference_says_what_theirs_ours_and_why() -> None:
    """Five cells a row, none of them empty; README leads to the page."""
    page = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert len(rows) > 10
    for row in rows:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        assert len(cells) == 5, row
        assert all(cells), row
    assert "docs/differences.md" in (ROOT / "README.md").read_text(encoding="utf-8")
