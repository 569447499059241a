"""The interface to a checkpoint's files, wherever they are."""

from pathlib import Path
from typing import Protocol


class Repository(Protocol):
    """The files of one checkpoint."""

    @property
    def source(self) -> str:
        """Where the files are, for error messages."""
        ...

    @property
    def revision(self) -> str | None:
        """The commit of the files, if they are from the Hub."""
        ...

    def find(self, file: str) -> Path | None:
        """Return the local path of a file, or None if the checkpoint has no such file.

        For a model of the Hub that is not fetched yet, no file exists at the path yet.

        Raises:
            CheckpointNotFound: the folder may not be read.
            InvalidCheckpoint: a Git LFS pointer is in its place.
        """
        ...

    def require(self, *alternatives: str) -> Path:
        """Return the first of some files that is there.

        Raises:
            CheckpointNotFound: none is there; the message names them and what was found.
        """
        ...
