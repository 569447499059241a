"""What a person calls a model, parsed once: in the box, a folder, or of the Hugging Face Hub.

Nothing else reads such a name: whatever lies behind this module takes a `ModelRef`.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from earmark.checkpoint.bundled import BUNDLED

__all__ = [
    "ID_PATTERN",
    "ID_SEGMENT",
    "MODEL_ID",
    "PATH_STARTS",
    "SHOWN_DIGITS",
    "BundledRef",
    "FolderRef",
    "HubRef",
    "ModelRef",
    "read_ref",
]

ID_SEGMENT: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"
"""What stands between slashes; none begins with a dot, so that ``..`` is none."""
ID_PATTERN: Final = rf"{ID_SEGMENT}(?:/{ID_SEGMENT})*"
"""What the Hub allows in a repository's name, of any number of segments."""
MODEL_ID: Final = re.compile(ID_PATTERN)
"""An id by which requests call a model; it needs no escaping in an address."""
PATH_STARTS: Final = (".", "/", "~", "\\")
"""A model written with one of these first is a folder."""
SHOWN_DIGITS: Final = 12
"""Of a commit, where a person reads it."""

_SEGMENT = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_REPO = re.compile(rf"{_SEGMENT}/{_SEGMENT}|{_SEGMENT}")
"""What the Hub allows (huggingface_hub 2.4, utils/_validators.py), but for `_FORBIDDEN`."""
_FORBIDDEN = re.compile(r"--|\.\.|\.git$")
_REVISION = re.compile(r"(?!.*(?:\.\.|//|\.lock$|/$))[A-Za-z0-9_][A-Za-z0-9._/+-]*")
"""A branch, a tag, ``refs/pr/3`` or a commit; less than git allows, and never a way up a path."""
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class BundledRef:
    """A model in the box.

    Attributes:
        name: such as ``earmark/sentiment``.
    """

    name: str

    @property
    def usual_id(self) -> str:
        """What requests call it, unless the operator gives it another id."""
        return self.name

    def __str__(self) -> str:
        """Write it as it is read."""
        return self.name


@dataclass(frozen=True, slots=True)
class FolderRef:
    """A model in a folder, which need not be there."""

    folder: Path

    @property
    def usual_id(self) -> str:
        """What requests call it, unless the operator gives it another id: the folder's own name."""
        return self.folder.resolve().name

    def __str__(self) -> str:
        """Write it as it is read."""
        return str(self.folder)


@dataclass(frozen=True, slots=True)
class HubRef:
    """A model of the Hub, at one state of its files or at the newest.

    Attributes:
        repo: ``org/name``, or a name alone.
        revision: a branch, a tag or a commit; None for the newest files of ``main``.
    """

    repo: str
    revision: str | None = None

    @classmethod
    def read(cls, written: str) -> "HubRef | None":
        """Read ``org/name`` or ``org/name@revision``; None where it can be no name of the Hub.

        A name without an owner counts only with a hyphen in it, as in ``bert-base-uncased``. The
        Hub has given out no such names since its first models, whose names look like that; and so
        a mistyped word stays one.
        """
        repo, at, revision = written.partition("@")
        if not _REPO.fullmatch(repo) or _FORBIDDEN.search(repo):
            return None
        if "/" not in repo and "-" not in repo:
            return None
        if at and not _REVISION.fullmatch(revision):
            return None
        return cls(repo, revision if at else None)

    @property
    def usual_id(self) -> str:
        """What requests call it, unless the operator gives it another id."""
        return self.repo

    @property
    def commit(self) -> str | None:
        """The revision where it is a whole commit, which never means anything else."""
        revision = self.revision
        return revision if revision is not None and _COMMIT.fullmatch(revision) else None

    def at(self, commit: str) -> "HubRef":
        """Return the same model at a commit."""
        return HubRef(self.repo, commit)

    def __str__(self) -> str:
        """Write it as it is read."""
        return self.repo if self.revision is None else f"{self.repo}@{self.revision}"

    @property
    def shown(self) -> str:
        """As it is written, but of a commit only the first digits."""
        commit = self.commit
        return str(self) if commit is None else f"{self.repo}@{commit[:SHOWN_DIGITS]}"


ModelRef: TypeAlias = BundledRef | FolderRef | HubRef


def read_ref(written: str) -> ModelRef:
    """Read a model as a person writes it.

    A bundled id; else a folder, where one is there, or where it is written as a path; else a model
    of the Hub, ``org/name`` or ``org/name@revision``, if it can be one; else a folder that is not
    there, which whoever opens it is told.
    """
    if written in BUNDLED:
        return BundledRef(written)
    folder, there = Path(written), False
    with suppress(OSError, ValueError, RuntimeError):  # no name of a file, or of a user
        folder = folder.expanduser()
        there = folder.exists()
    of_hub = None if written.startswith(PATH_STARTS) else HubRef.read(written)
    if of_hub is not None and not there:
        return of_hub
    # With its whole path, nobody takes a folder that has gone for a model of the Hub.
    like_the_hub = HubRef.read(str(folder)) is not None
    return FolderRef(folder.absolute() if like_the_hub else folder)
