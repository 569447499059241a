"""Pages in docs/ name files that are there, and tables are whole."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


_PAGES = [
    page
    for page in (
        *sorted((ROOT / "docs").glob("*.md")),
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
    )
    if page.name != "differences.md"  # which names files of `transformers`
]
_BELOW = (ROOT, ROOT / "src" / "earmark")


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.name))
def test_a_page_names_files_that_are_there(page: Path) -> None:
    """From the root or from the package; a name without a folder is one of any file's."""
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:[\w-]+/)+[\w.-]+\.(?:py|mjs|toml|md|json))`", text)
    lost = [
        name
        for name in named
        if "NAME" not in name and not any((folder / name).exists() for folder in _BELOW)
    ]
    assert lost == []


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
