"""README's table of what is supported is what the registry holds."""

import re
from pathlib import Path

from earmark.graph.architectures.registry import ARCHITECTURES

README = Path(__file__).parents[2] / "README.md"


def test_the_supported_table_is_the_registry() -> None:
    """Every architecture has its row with every head, and no row promises anything else."""
    section = README.read_text(encoding="utf-8").partition("## What is supported")[2]
    table = section.partition("\n\n| precision")[0]
    rows = dict(re.findall(r"^\| `([\w-]+)` \| ([^|]+) \|", table, flags=re.MULTILINE))
    promised = {name: set(re.findall(r"`(\w+)`", heads)) for name, heads in rows.items()}
    assert promised == {name: set(one.heads) for name, one in ARCHITECTURES.items()}
