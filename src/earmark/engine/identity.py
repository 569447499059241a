"""Which model was loaded, apart from its name: the same id may stand for other files tomorrow."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from earmark.checkpoint.files.names import SMALL_FILES
from earmark.checkpoint.files.repository import Repository
from earmark.checkpoint.onnx_file import onnx_paths
from earmark.checkpoint.weights.files import weight_paths
from earmark.errors import CheckpointError

__all__ = ["files_identity", "load_identity"]


def files_identity(repository: Repository) -> str:
    """Tell the files of a checkpoint from any others, and from what they were before a change.

    By size, times and number in the file system rather than by content: that takes no time, and no
    file can be replaced, be it by one of the same size and date, without its change time moving.
    A commit of the Hub counts too.

    Read it before the files, so that what is replaced meanwhile goes by the older name, which
    never comes back. A file that cannot be read is left out: who needs it says what is wrong.
    """
    facts = []
    for path in _paths(repository):
        # A shard may be missing: loading says so, and tells what it was looked for by.
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
    """Tell a load from any other that might answer differently.

    Args:
        files: from `files_identity`.
        how: the model is run: precision, runtime, device.

    Returns:
        32 hexadecimal digits.
    """
    return hashlib.sha256(repr((files, how)).encode()).hexdigest()[:32]
