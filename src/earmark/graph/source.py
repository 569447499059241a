"""Which source writes the graphs: what was made by another may be wrong by now."""

import hashlib
from functools import cache
from pathlib import Path

__all__ = ["source_identity"]

_WRITERS = ("checkpoint", "graph", "runtime")
"""Packages that decide on a compiled model beside the checkpoint and the runtime's release."""


@cache
def source_identity() -> str:
    """Tell the source of graphs and sessions from any other; 32 hexadecimal digits.

    By content: an installation that is worked on changes without its version.
    """
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for package in _WRITERS:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:32]
