"""Parses the name of a model: bundled, in a folder, or on the Hugging Face Hub.

Only this module parses such names; other modules take a `ModelRef`.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from earmark.checkpoint.bundled import BUNDLED

ID_SEGMENT: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"
"""A segment between slashes; none begins with a dot, so that ``..`` is excluded."""
ID_PATTERN: Final = rf"{ID_SEGMENT}(?:/{ID_SEGMENT})*"
"""A name of any number of segments that the Hub allows."""
MODEL_ID: Final = re.compile(ID_PATTERN)
"""An id by which requests call a model; it needs no escaping in an address."""
PATH_STARTS: Final = (".", "/", "~", "\\")
"""A name that begins with one of these is a folder."""
SHOWN_DIGITS: Final = 12
"""How many digits of a commit are shown to people."""

_SEGMENT = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_REPO = re.compile(rf"{_SEGMENT}/{_SEGMENT}|{_SEGMENT}")
"""Names that the Hub allows (huggingface_hub 2.4, utils/_validators.py), except `_FORBIDDEN`."""
_FORBIDDEN = re.compile(r"--|\.\.|\.git$")
_REVISION = re.compile(r"(?!.*(?:\.\.|//|\.lock$|/$))[A-Za-z0-9_][A-Za-z0-9._/+-]*")
"""A branch, a tag, ``refs/pr/3`` or a commit; stricter than git, and never ``..``."""
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class BundledRef:
    """A model that ships inside the package.

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
        """The id in requests unless the operator chooses another: the folder's own name."""
        return self.folder.resolve().name

    def __str__(self) -> str:
        """Write it as it is read."""
        return str(self.folder)


@dataclass(frozen=True, slots=True)
class HubRef:
    """A model of the Hub, at one revision or the newest.

    Attributes:
        repo: ``org/name``, or a name alone.
        revision: a branch, a tag or a commit; None for the newest files of ``main``.
    """

    repo: str
    revision: str | None = None

    @classmethod
    def read(cls, written: str) -> "HubRef | None":
        """Read ``org/name`` or ``org/name@revision``; None if it cannot be a name of the Hub.

        A name without an owner counts only if it contains a hyphen, as in ``bert-base-uncased``.
        Only the Hub's first models have such names, and all of them look like that; other single
        words are more likely to be mistyped.
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
        """The revision if it is a whole commit, which never changes its meaning."""
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
        """The name for messages: a commit is shortened to its first digits."""
        commit = self.commit
        return str(self) if commit is None else f"{self.repo}@{commit[:SHOWN_DIGITS]}"


ModelRef: TypeAlias = BundledRef | FolderRef | HubRef


def read_ref(written: str) -> ModelRef:
    """Parse the name of a model.

    It is a bundled id; else a folder, if one exists or if it is written as a path; else a model of
    the Hub, ``org/name`` or ``org/name@revision``, if it can be one; else a folder that does not
    exist, which is reported when it is opened.
    """
    if written in BUNDLED:
        return BundledRef(written)
    folder, there = Path(written), False
    with suppress(OSError, ValueError, RuntimeError):  # not a valid name of a file or of a user
        folder = folder.expanduser()
        there = folder.exists()
    of_hub = None if written.startswith(PATH_STARTS) else HubRef.read(written)
    if of_hub is not None and not there:
        return of_hub
    # The whole path, so that a deleted folder is never taken for a model of the Hub.
    like_the_hub = HubRef.read(str(folder)) is not None
    return FolderRef(folder.absolute() if like_the_hub else folder)
