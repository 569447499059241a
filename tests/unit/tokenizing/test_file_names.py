"""The files that are fetched are those that tokenizers are built from."""

from earmark.checkpoint.files.names import VOCABULARY_FILES
from earmark.tokenizing.families import FAMILIES


def test_every_file_of_every_family_is_known_to_a_caller_who_fetches() -> None:
    """The files to fetch are exactly those that some family reads."""
    assert {file for family in FAMILIES.values() for file in family.files} == set(VOCABULARY_FILES)
