"""Git LFS pointers: the few lines of text that replace a large file in a clone without Git LFS.

Format: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

import re
from pathlib import Path

from earmark.errors import InvalidCheckpoint

LARGEST_POINTER = 1024
"""Bytes; the specification says that a pointer is smaller."""
_BEGINNING = re.compile(rb"version https?://(git-lfs\.github\.com|hawser\.github\.com)/spec/")
_SIZE = re.compile(rb"^size (\d+)\r?$", re.MULTILINE)


def refuse_pointer(path: Path) -> None:
    """Raise an error if a file is a pointer; any other file, and a missing one, passes.

    Raises:
        InvalidCheckpoint: it is a pointer.
    """
    try:
        # Size 0: a link may lead to a file of the system's that never ends (`/proc/kmsg`).
        if not 0 < path.stat().st_size <= LARGEST_POINTER:
            return
        text = path.read_bytes()
    # ValueError: a name that no file can have. The code that needs the file reports it.
    except (OSError, ValueError):
        return
    if _BEGINNING.match(text) is None:
        return
    size = _SIZE.search(text)
    meant = f" of {int(size[1]):,} bytes" if size else ""
    raise InvalidCheckpoint(
        f"{path} is a Git LFS pointer, expected the file{meant} that it stands for: run "
        "`git lfs pull` in the folder, or fetch the model with `earmark pull`"
    )
