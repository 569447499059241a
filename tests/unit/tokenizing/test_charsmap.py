"""Broken tables of character replacements are refused at load."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tokenizer_files import charsmap
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import NFC, Precompiled, Sequence

from earmark.checkpoint.files.folder import LocalRepository
from earmark.errors import InvalidCheckpoint
from earmark.tokenizing.charsmap import check_charsmap, check_charsmaps_of
from earmark.tokenizing.load import load_tokenizer

PATH = Path("some.model")


def test_a_whole_table_passes() -> None:
    """A valid table is accepted."""
    check_charsmap(charsmap(), PATH)
    assert Precompiled(charsmap()).normalize_str("banana") == "bbnbnb"


@pytest.mark.parametrize(
    ("table", "found"),
    [
        (b"", "a trie of 0 bytes in a table of 0"),
        (charsmap()[:2000], "a trie of 3072 bytes in a table of 2000"),
        (charsmap(size=2 * 256), "a node at 512 of 512"),
        (charsmap(leaf_base=1 << 20), "a node at 1048576 of 768"),
        (charsmap(value=3), "a replacement at 3 of 2 bytes"),
        (charsmap(replacement="é\0".encode(), value=1), "a replacement at 1 of 3 bytes"),
        (charsmap(replacement=b"\xff\0"), "replacements that are not UTF-8"),
    ],
)
def test_a_broken_table_is_refused(table: bytes, found: str) -> None:
    """The error for a broken table has the file and what is wrong."""
    with pytest.raises(InvalidCheckpoint, match=rf"some\.model: .* has {found}"):
        check_charsmap(table, PATH)


@given(st.integers(0, 3 * 256 - 1), st.integers(0, 31), st.text(st.characters(codec="utf-8")))
def test_what_passes_never_leads_the_library_astray(unit: int, bit: int, text: str) -> None:
    """A table with any one bit changed is either refused or safe for the library."""
    table = bytearray(charsmap())
    table[4 + 4 * unit + bit // 8] ^= 1 << bit % 8
    try:
        check_charsmap(bytes(table), PATH)
    except InvalidCheckpoint:
        return
    normalizer = Precompiled(bytes(table))
    assert isinstance(normalizer.normalize_str(f"a{text}"), str)


def test_tables_within_a_tokenizer_are_found() -> None:
    """A table inside a sequence is checked; a tokenizer without a table is accepted."""
    tokenizer = Tokenizer(WordLevel({"a": 0}, unk_token="a"))  # noqa: S106 - no password
    check_charsmaps_of(tokenizer, PATH)
    tokenizer.normalizer = Sequence([NFC(), Precompiled(charsmap())])
    check_charsmaps_of(tokenizer, PATH)
    tokenizer.normalizer = Sequence([NFC(), Precompiled(charsmap(value=9))])
    with pytest.raises(InvalidCheckpoint, match="a replacement at 9"):
        check_charsmaps_of(tokenizer, PATH)


def test_a_broken_table_in_a_tokenizer_json_is_refused(tmp_path: Path) -> None:
    """A broken table in a `tokenizer.json` is refused when the checkpoint is loaded."""
    tokenizer = Tokenizer(WordLevel({"a": 0}, unk_token="a"))  # noqa: S106 - no password
    tokenizer.normalizer = Precompiled(charsmap(value=9))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert json.loads((tmp_path / "tokenizer.json").read_text())["normalizer"]
    with pytest.raises(InvalidCheckpoint, match=r"tokenizer\.json: its table"):
        load_tokenizer(LocalRepository.open(tmp_path))
