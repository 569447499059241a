"""A checkpoint in a folder."""

from dataclasses import dataclass
from pathlib import Path

from earmark.errors import CheckpointNotFound

__all__ = ["LocalRepository"]

MOST_NAMES_SHOWN = 12
"""Enough to recognise a folder by; a wrong one may hold thousands of files."""


@dataclass(frozen=True, slots=True)
class LocalRepository:
    """The files of a folder.

    Attributes:
        folder: where they are.
        source: the folder as a person would name it.
        revision: the commit, of 40 digits, where the files are of one of the Hub.
    """

    folder: Path
    source: str
    revision: str | None = None

    @classmethod
    def open(
        cls, folder: Path, *, source: str | None = None, revision: str | None = None
    ) -> "LocalRepository":
        """Open a folder.

        Args:
            folder: where the files are.
            source: what to call it in messages; by its own path if not given.
            revision: the commit that the files are of.

        Raises:
            CheckpointNotFound: there is no such folder, or it may not be read.
        """
        try:
            if not folder.is_dir():
                kind = "a file, not a folder" if folder.exists() else "not there"
                raise CheckpointNotFound(
                    f"the checkpoint folder {folder} is {kind}; name a folder that holds "
                    "config.json, model.safetensors (or pytorch_model.bin) and tokenizer.json "
                    "(or vocab.txt)"
                )
        except PermissionError as error:
            raise CheckpointNotFound(f"the folder {folder} may not be read: {error}") from error
        return cls(folder, source or str(folder), revision)

    def find(self, file: str) -> Path | None:
        """Return the path of a file, or None where the folder has no such file."""
        path = self.folder / file
        return path if path.is_file() else None

    def require(self, *alternatives: str) -> Path:
        """Return the first of some files that is there.

        Raises:
            CheckpointNotFound: none is there, or the folder may not be read.
        """
        for file in alternatives:
            path = self.find(file)
            if path is not None:
                return path
        try:
            names = sorted(entry.name for entry in self.folder.iterdir())
        except OSError as error:
            raise CheckpointNotFound(f"{self.source} cannot be read: {error}") from error
        found = ", ".join(names[:MOST_NAMES_SHOWN]) or "nothing"
        more = f" and {len(names) - MOST_NAMES_SHOWN} more" if len(names) > MOST_NAMES_SHOWN else ""
        expected = " or ".join(alternatives)
        raise CheckpointNotFound(f"{self.source} has no {expected}; it holds {found}{more}")
