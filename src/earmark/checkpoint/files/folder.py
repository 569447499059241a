"""A checkpoint in a folder."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from earmark.checkpoint.files.lfs_pointer import refuse_pointer
from earmark.checkpoint.files.others import explain_others
from earmark.errors import CheckpointNotFound

EXPORTED_FOLDER = "onnx"
MOST_NAMES_SHOWN = 12
"""How many file names an error lists: a wrong folder may hold thousands of files."""


@dataclass(frozen=True, slots=True)
class LocalRepository:
    """The files of a folder.

    Attributes:
        folder: where they are.
        source: the name of the folder in messages.
        revision: the commit, 40 digits, if the files are from the Hub.
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
            source: its name in messages; its path if not given.
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
        """Return the path of a file, or None if the folder has no such file.

        Raises:
            CheckpointNotFound: the folder may not be read.
            InvalidCheckpoint: a Git LFS pointer is in its place.
        """
        path = self.folder / file
        try:
            if not path.is_file():
                return None
        except OSError as error:
            raise CheckpointNotFound(f"{path} cannot be read: {error}") from error
        refuse_pointer(path)
        return path

    def require(self, *alternatives: str) -> Path:
        """Return the first of some files that is there.

        Raises:
            CheckpointNotFound: none is there, or the folder may not be read; the message says what
                is there instead.
            InvalidCheckpoint: a Git LFS pointer is in its place.
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
        instead = explain_others([*names, *self._exported()])
        raise CheckpointNotFound(
            f"{self.source} has no {expected}; it holds {found}{more}"
            + (f". {instead}" if instead else "")
        )

    def _exported(self) -> Iterator[str]:
        """List the files of the folder for exported graphs."""
        folder = self.folder / EXPORTED_FOLDER
        with suppress(OSError):
            yield from (f"{EXPORTED_FOLDER}/{entry.name}" for entry in folder.iterdir())
