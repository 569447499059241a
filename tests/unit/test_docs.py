"""Pages in docs/ name files that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_on_architectures_names_files_that_are_there() -> None:
    """Every path it names exists, but for those of the architecture to be added."""
    page = (ROOT / "docs" / "adding-an-architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:src|tests)/[\w/.-]+)`", page)
    assert len(named) > 10
    assert [name for name in named if "NAME" not in name and not (ROOT / name).exists()] == []
