"""Identities of files and loads: the same model id may stand for other files later."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from earmark.checkpoint.files.names import SMALL_FILES
from earmark.checkpoint.files.repository import Repository
from earmark.checkpoint.onnx_file import onnx_paths
from earmark.checkpoint.weights.files import weight_paths
from earmark.errors import CheckpointError


def files_identity(repository: Repository) -> str:
    """Return an identity of a checkpoint's files, which changes when a file changes.

    It depends on size, times and number in the file system rather than on content: that takes no
    time, and replacing a file always changes its change time. A commit of the Hub counts too.

    Call it before reading the files: files that are replaced meanwhile then have the older
    identity, which is never used again. A file that cannot be read is left out: the code that needs
    it reports the error.
    """
    facts = []
    for path in _paths(repository):
        # A shard may be missing: loading reports it, with the index that names it.
        if path.is_file():
            found = path.stat()
            times = (found.st_mtime_ns, found.st_ctime_ns)
            facts.append((path.name, found.st_ino, found.st_size, *times))
    return repr((repository.revision, facts))


def _paths(repository: Repository) -> Iterator[Path]:
    for name in SMALL_FILES:
        with suppress(CheckpointError):
            found = repository.find(name)
            yield from () if found is None else (found,)
    for paths in (weight_paths, onnx_paths):
        with suppress(CheckpointError):
            yield from paths(repository)


def load_identity(files: str, *how: str) -> str:
    """Return an identity of a load; loads that might answer differently have different ones.

    Args:
        files: from `files_identity`.
        how: how the model is run: precision, runtime, device.

    Returns:
        32 hexadecimal digits.
    """
    return hashlib.sha256(repr((files, how)).encode()).hexdigest()[:32]
