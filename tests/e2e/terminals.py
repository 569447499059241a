"""The program on a terminal, as a person sees it; POSIX only."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.processes import PATIENCE_S, command, environment


@dataclass(slots=True)
class Terminal:
    """A process whose three streams are one terminal.

    Attributes:
        process: the process.
    """

    process: subprocess.Popen[bytes]
    _end: int

    def read_until(self, words: str | None = None) -> str:
        """Read what is shown up to some words, or to the end of the process."""
        shown = ""
        while words is None or words not in shown:
            try:
                piece = os.read(self._end, 4096)
            except OSError:  # Linux tells so that the other end is closed
                break
            if not piece:
                break
            shown += piece.decode(errors="replace")
        return shown


@contextmanager
def on_terminal(
    *arguments: str, folder: Path, variables: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """Run the program on a terminal of 80 columns; kill it at the end if it still runs.

    Args:
        arguments: of the program.
        folder: its working directory.
        variables: further ones of its environment.
    """
    ours, theirs = os.openpty()
    env = environment({"TERM": "xterm-256color", "COLUMNS": "80", **(variables or {})})
    with subprocess.Popen(  # noqa: S603 - our own words
        command(*arguments), env=env, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        try:
            yield Terminal(process, ours)
        finally:
            process.kill()
            process.wait(PATIENCE_S)
            os.close(ours)
