"""README's table of architectures is what the registry holds."""

import pytest
from support.readme_table import README, architecture_table, with_table

from earmark.graph.architectures.registry import ARCHITECTURES


def test_the_table_is_written_from_the_registry() -> None:
    """Where this fails, `make readme` mends it."""
    readme = README.read_text("utf-8")
    assert with_table(readme) == readme


def test_every_architecture_has_its_row_with_every_head() -> None:
    """In the registry's order."""
    rows = architecture_table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(ARCHITECTURES)
    for row, architecture in zip(rows, ARCHITECTURES.values(), strict=True):
        assert all(f"`{head}`" in row for head in architecture.heads)


def test_a_readme_without_a_place_for_it_is_no_readme() -> None:
    """Rather than a table that nobody reads."""
    with pytest.raises(ValueError, match="marks no place"):
        with_table("# earmark\n")
