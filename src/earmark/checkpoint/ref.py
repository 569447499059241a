"""Names of models on the Hugging Face Hub, as a person writes them."""

import re
from dataclasses import dataclass

__all__ = ["SHOWN_DIGITS", "HubId"]

_SEGMENT = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_REPO = re.compile(rf"{_SEGMENT}/{_SEGMENT}|{_SEGMENT}")
"""What the Hub allows (huggingface_hub 2.4, utils/_validators.py), but for `_FORBIDDEN`."""
_FORBIDDEN = re.compile(r"--|\.\.|\.git$")
_REVISION = re.compile(r"(?!.*(?:\.\.|//|\.lock$|/$))[A-Za-z0-9_][A-Za-z0-9._/+-]*")
"""A branch, a tag, ``refs/pr/3`` or a commit; less than git allows, and never a way up a path."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
SHOWN_DIGITS = 12
"""Of a commit, where a person reads it."""


@dataclass(frozen=True, slots=True)
class HubId:
    """A model of the Hub, at one state of its files or at the newest.

    Attributes:
        repo: ``org/name``, or a name alone.
        revision: a branch, a tag or a commit; None for the newest files of ``main``.
    """

    repo: str
    revision: str | None = None

    @classmethod
    def read(cls, written: str) -> "HubId | None":
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
    def commit(self) -> str | None:
        """The revision where it is a whole commit, which never means anything else."""
        revision = self.revision
        return revision if revision is not None and _COMMIT.fullmatch(revision) else None

    def at(self, commit: str) -> "HubId":
        """Return the same model at a commit."""
        return HubId(self.repo, commit)

    def __str__(self) -> str:
        """Write it as it is read."""
        return self.repo if self.revision is None else f"{self.repo}@{self.revision}"

    @property
    def shown(self) -> str:
        """As it is written, but of a commit only the first digits."""
        commit = self.commit
        return str(self) if commit is None else f"{self.repo}@{commit[:SHOWN_DIGITS]}"
