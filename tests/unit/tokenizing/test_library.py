"""Which errors of the `tokenizers` library are complaints about a file, and which are not."""

from pathlib import Path

import pytest
from tokenizers.models import BPE

from earmark.errors import InvalidCheckpoint
from earmark.tokenizing.library import complaints_about

PATH = Path("vocab.json")


def test_a_panic_is_a_complaint_too() -> None:
    """A panic over a bad merge becomes an error that names the file."""
    with (
        pytest.raises(InvalidCheckpoint, match=r"vocab\.json cannot be read as a vocabulary: "),
        complaints_about(PATH, expected="a vocabulary"),
    ):
        BPE({"a": 0, "b": 1}, [("a", "b")], continuing_subword_prefix="##")


def test_an_interruption_is_none() -> None:
    """An interrupt passes through, and is no complaint about a file."""
    with pytest.raises(KeyboardInterrupt), complaints_about(PATH, expected="a vocabulary"):
        raise KeyboardInterrupt
