"""A folder of checkpoints, each found by an id that is its path below the folder."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from earmark.checkpoint.files.names import ADAPTER_FILE, CONFIG_FILE, MODULES_FILE, ONNX_FILES
from earmark.checkpoint.files.others import OTHER_WEIGHTS
from earmark.checkpoint.ref import ID_SEGMENT
from earmark.checkpoint.weights.files import WEIGHT_FILES
from earmark.errors import CheckpointNotFound

Fingerprint = tuple[tuple[str, int, int], ...]
"""Name, size in bytes and time of change in nanoseconds of each file of a folder."""

_ID = re.compile(rf"{ID_SEGMENT}(/{ID_SEGMENT})?")
"""A model id of one segment or two, as on the Hub."""

_SIGNS = (CONFIG_FILE, ADAPTER_FILE, MODULES_FILE, *WEIGHT_FILES, *ONNX_FILES, *OTHER_WEIGHTS)
"""Files that make a folder one of a model."""
_EXPORTED = "onnx"


@dataclass(frozen=True, slots=True)
class ModelsFolder:
    """Checkpoints one or two folders below a root: ``root/org/name`` is called ``org/name``.

    A folder counts as a model when it holds a ``config.json`` or other files of a model; missing
    files are reported when the model is opened. A folder of modules or of exported graphs inside
    the folder of a model is part of that model. A link counts if it leads to a folder below the
    root; nothing outside can be named. Folders that are added later are found too.

    Attributes:
        root: an absolute path without links.
    """

    root: Path

    @classmethod
    def open(cls, folder: Path) -> "ModelsFolder":
        """Open a folder as the root.

        Raises:
            CheckpointNotFound: there is no such folder.
        """
        if not folder.is_dir():
            raise CheckpointNotFound(
                f"the models folder {folder} is not there, or is no folder; name one that holds"
                " folders such as org/name, each with a config.json"
            )
        return cls(folder.resolve())

    def find(self, model_id: str) -> Path | None:
        """Return the folder of a checkpoint; None if no checkpoint has that id."""
        if not _ID.fullmatch(model_id):
            return None
        try:
            folder = (self.root / model_id).resolve()
            # A system that ignores case would give one model many names.
            named = folder.relative_to(self.root)
            linked = any(part.is_symlink() for part in self._steps(model_id))
            if not linked and named.as_posix() != model_id:
                return None
            return folder if self._is_model(folder) else None
        except (OSError, ValueError, RuntimeError):  # outside the root, or links in a circle
            return None

    def ids(self) -> tuple[str, ...]:
        """List the ids of the checkpoints that are there now, sorted."""
        outer = _folders(self.root)
        inner = (f"{one}/{name}" for one in outer for name in _folders(self.root / one))
        return tuple(sorted(one for one in (*outer, *inner) if self.find(one)))

    def _is_model(self, folder: Path) -> bool:
        """Return whether a folder counts as a model, even one that cannot run."""
        part = folder.parent != self.root and _has(folder.parent, _SIGNS)
        if part and _has(folder.parent, (MODULES_FILE,)):
            return False
        return _has(folder, (CONFIG_FILE,) if part else _SIGNS)

    def _steps(self, model_id: str) -> Iterator[Path]:
        path = self.root
        for segment in model_id.split("/"):
            path /= segment
            yield path


def fingerprint(folder: Path) -> Fingerprint:
    """Return a value that changes when the files of a folder change; reads no file.

    The entries are sorted by name. The folder for an exported graph and its weights is included.
    """
    try:
        exported = folder / _EXPORTED
        entries = [*folder.iterdir(), *(exported.iterdir() if exported.is_dir() else ())]
        facts = [
            (entry.relative_to(folder).as_posix(), entry.stat())
            for entry in entries
            if entry.is_file()
        ]
    except OSError:
        return ()
    return tuple(sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in facts))


def _has(folder: Path, patterns: tuple[str, ...]) -> bool:
    """Return whether a folder has a file of one of several names or patterns."""
    return any(
        (folder / one).is_file() if "*" not in one else any(folder.glob(one)) for one in patterns
    )


def _folders(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(entry.name for entry in folder.iterdir() if entry.is_dir())
    except OSError:  # gone, or not ours to read
        return ()
