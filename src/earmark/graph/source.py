"""The identity of the source code that writes graphs, for the keys of compiled models."""

import hashlib
from functools import cache
from pathlib import Path

_WRITERS = ("checkpoint", "graph", "runtime")
"""Packages whose code affects a compiled model."""


@cache
def source_identity() -> str:
    """Return an identity of the code for graphs and sessions: 32 hexadecimal digits.

    It depends on the content, since an editable installation changes without its version.
    """
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for package in _WRITERS:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:32]
