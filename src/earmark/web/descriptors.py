"""The file descriptors of this process; each connection takes one."""

import os
import sys
from contextlib import suppress
from typing import Final

MOST_CONNECTIONS: Final = 16_384
"""The most connections, even with more descriptors: an idle one takes some ten kilobytes."""
_SPARE: Final = 128
"""Descriptors left for files that are opened later: models, databases, downloads."""
_MACOS_MOST: Final = 10_240
"""What macOS gives a process although it calls its hard limit infinite (`OPEN_MAX`)."""
_FOLDERS: Final = ("/proc/self/fd", "/dev/fd")
_GUESSED_OPEN: Final = 64


def raise_descriptor_limit() -> None:
    """Raise the descriptor limit as far as the system allows; Windows has no such limit."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - Windows has none

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (hard, _MACOS_MOST):
        if soft == resource.RLIM_INFINITY or (wanted != resource.RLIM_INFINITY and wanted <= soft):
            return
        with suppress(OSError, ValueError):  # more than the system has
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return


def most_connections() -> int:
    """Return how many connections a server may keep beside other files that it opens."""
    if sys.platform == "win32":
        return MOST_CONNECTIONS
    import resource  # noqa: PLC0415 - as above

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    spare = min(_SPARE, soft // 4)
    return max(min(soft - _open_now() - spare, MOST_CONNECTIONS), 1)


def _open_now() -> int:
    for folder in _FOLDERS:
        with suppress(OSError):
            return len(os.listdir(folder))  # noqa: PTH208 - names are enough
    return _GUESSED_OPEN
