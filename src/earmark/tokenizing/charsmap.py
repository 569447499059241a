"""Checks SentencePiece's table of character replacements before it is used.

The `tokenizers` library (crate spm_precompiled 0.1.4, lib.rs) follows the table's trie without
checking bounds: a broken table would cause a panic in the middle of a request.
"""

import base64
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.normalizers import Normalizer

from earmark.errors import InvalidCheckpoint

SIZE_BYTES = 4
BLOCK = 256
"""The size of a node's block of children, which differ from its base in the low eight bits only."""
NODES_AT_ONCE = 2048
"""Limits the memory of the walk; 2048 nodes of 255 children take 8 MiB."""
LABEL_MASK = (1 << 31) | 0xFF
VALUE_MASK = (1 << 31) - 1
CONTINUES = 0x80
"""The top two bits of a continuation byte of UTF-8."""

Nodes = NDArray[np.int64]


def check_charsmaps_of(tokenizer: Tokenizer, path: Path) -> None:
    """Check the tables of a tokenizer that the library has loaded.

    Raises:
        InvalidCheckpoint: a table leads out of its bounds.
    """
    if tokenizer.normalizer is not None:
        for table in tables_of(tokenizer.normalizer):
            check_charsmap(table, path)


def tables_of(normalizer: Normalizer) -> list[bytes]:
    """List the tables of a normalizer, nested ones included."""
    state = msgspec.json.decode(normalizer.__getstate__())
    return [base64.b64decode(encoded) for encoded in _encoded(state)]


def _encoded(normalizer: object) -> Iterator[str]:
    """Find the tables of a normalizer's state, nested ones included."""
    if isinstance(normalizer, dict):
        table = normalizer.get("precompiled_charsmap")
        if isinstance(table, str):
            yield table
        yield from _encoded(normalizer.get("normalizers"))
    elif isinstance(normalizer, list):
        for one in normalizer:
            yield from _encoded(one)


def check_charsmap(table: bytes, path: Path) -> None:
    """Check a table by walking its whole trie.

    Args:
        table: a length in bytes (32 bits), a double-array trie of 32-bit units, and the
            replacements, each closed by a zero byte; all little-endian.
        path: the table's file, for the message.

    Raises:
        InvalidCheckpoint: the trie or one of its values leads out of the table.
    """
    size = int.from_bytes(table[:SIZE_BYTES], "little")
    texts = table[SIZE_BYTES + size :]
    if not 0 < size <= len(table) - SIZE_BYTES or size % SIZE_BYTES:
        raise _broken(path, f"a trie of {size} bytes in a table of {len(table)}")
    units = np.frombuffer(table, "<u4", size // SIZE_BYTES, SIZE_BYTES).astype(np.int64)
    try:
        texts.decode()
    except UnicodeDecodeError as error:
        raise _broken(path, "replacements that are not UTF-8") from error
    starts = np.frombuffer(texts, np.uint8)
    # A replacement must begin at the start of a character, or at the end.
    fits = np.append((starts & 0xC0) != CONTINUES, True)
    for values in _leaves(units, path):
        if values.size and (values.max() >= fits.size or not fits[values].all()):
            raise _broken(path, f"a replacement at {int(values.max())} of {len(texts)} bytes")


def _leaves(units: Nodes, path: Path) -> Iterator[Nodes]:
    """Visit every reachable node; yield the values at the leaves."""
    letters = np.arange(1, BLOCK, dtype=np.int64)
    seen = np.zeros(units.size, np.bool_)
    waiting = [_bases(np.zeros(1, np.int64), units, path)]
    while waiting:
        bases = np.unique(waiting.pop())
        bases = bases[~seen[bases]]
        seen[bases] = True
        for first in range(0, bases.size, NODES_AT_ONCE):
            places = bases[first : first + NODES_AT_ONCE, None] ^ letters
            children = places[(units[places] & LABEL_MASK) == letters]
            below = _bases(children, units, path)
            ends = (units[children] >> 8) & 1 == 1
            yield units[below[ends]] & VALUE_MASK
            if below.size:
                waiting.append(below)


def _bases(nodes: Nodes, units: Nodes, path: Path) -> Nodes:
    """Return the bases of the children of nodes; their whole block must be in the table."""
    values = units[nodes]
    bases = nodes ^ ((values >> 10) << ((values & (1 << 9)) >> 6))
    if bases.size and (bases.max() | (BLOCK - 1)) >= units.size:
        raise _broken(path, f"a node at {int(bases.max())} of {units.size}")
    return np.asarray(bases, np.int64)


def _broken(path: Path, found: str) -> InvalidCheckpoint:
    return InvalidCheckpoint(
        f"{path}: its table of character replacements (precompiled_charsmap) has {found}; "
        "the file is damaged, fetch it again"
    )
