"""Folders of a file system of their own, which can be full or read-only, for one server."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from e2e.processes import PATIENCE_S
from faults.served import Served

_PIECE = 4096


@cache
def _apart() -> tuple[str, ...]:
    """Return the words that run a command with mounts of its own; skip where that is forbidden."""
    words = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-Urm")
    if shutil.which("unshare") is not None:
        mounted = [*words, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        if subprocess.run(mounted, check=False, capture_output=True).returncode == 0:  # noqa: S603 - our own words
            return words
    pytest.skip("this system does not let the tests mount a file system")


@dataclass(frozen=True, slots=True)
class OwnFolder:
    """A folder that one server alone sees with a small file system in it.

    Attributes:
        path: as the server names it.
        size_kb: of the file system.
    """

    path: Path
    size_kb: int

    def under(self, *, read_only: bool = False) -> tuple[str, ...]:
        """Return the words of a command that makes it, and runs another in it."""
        self.path.mkdir(exist_ok=True)
        mount = f'mount -t tmpfs -o size={self.size_kb}k,mode=700 tmpfs "{self.path}"'
        if read_only:
            mount += f' && mount -o remount,ro "{self.path}"'
        return (*_apart(), "sh", "-c", f'{mount} && exec "$@"', "sh")

    def seen_by(self, served: Served) -> Path:
        """Return the path by which this process reaches it."""
        return Path(f"/proc/{served.pid}/root{self.path}")

    def fill(self, served: Served) -> Path:
        """Leave no room; return the file that takes it."""
        filler = self.seen_by(served) / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(_PIECE))
            except OSError:
                return filler

    def make_writable(self, served: Served) -> None:
        """Let the server write."""
        user = () if os.geteuid() == 0 else ("-U", "--preserve-credentials")
        words = ["nsenter", "-t", str(served.pid), "-m", *user]
        words += ["mount", "-o", "remount,rw", str(self.path)]
        subprocess.run(words, check=True, timeout=PATIENCE_S)  # noqa: S603 - our own words
