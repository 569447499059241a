"""README's table of architectures is that of the registry."""

import pytest
from support.readme_table import README, architecture_table, with_table

from earmark.graph.architectures.registry import ARCHITECTURES


def test_the_table_is_written_from_the_registry() -> None:
    """README's table equals what `make readme` writes."""
    readme = README.read_text("utf-8")
    assert with_table(readme) == readme


def test_every_architecture_has_its_row_with_every_head() -> None:
    """The table has a row for each architecture, in the registry's order, with every head."""
    rows = architecture_table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(ARCHITECTURES)
    for row, architecture in zip(rows, ARCHITECTURES.values(), strict=True):
        assert all(f"`{head}`" in row for head in architecture.heads)


def test_a_readme_without_a_place_for_it_is_no_readme() -> None:
    """Writing the table into a README without its markers is an error."""
    with pytest.raises(ValueError, match="marks no place"):
        with_table("# earmark\n")
