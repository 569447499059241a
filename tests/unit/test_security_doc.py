"""docs/security.md names the bounds that the code has, and tests that are there."""

import re
from pathlib import Path

import pytest
from support.security_bounds import BOUNDS, DOC, Bound, security_doc

ROOT = Path(__file__).parents[2]
_ALL = [one for rows in BOUNDS.values() for one in rows]


def test_the_tables_are_written_from_the_code() -> None:
    """The page equals what `make security` writes."""
    page = DOC.read_text("utf-8")
    assert security_doc(page) == page


@pytest.mark.parametrize("bound", _ALL, ids=lambda bound: str(bound.what))
def test_a_bound_names_its_module_and_its_test(bound: Bound) -> None:
    """Both are there: a bound whose test is renamed or gone is found."""
    assert (ROOT / "src" / "earmark" / bound.where).is_file()
    file, _, name = bound.test.partition("::")
    text = (ROOT / "tests" / file).read_text("utf-8")
    assert re.search(rf"^(?:async )?def {name}\(", text, re.MULTILINE)


def test_a_page_without_a_place_for_a_table_is_none() -> None:
    """Writing the tables into a page without its markers is an error."""
    with pytest.raises(ValueError, match="marks no place"):
        security_doc("# Security\n")
