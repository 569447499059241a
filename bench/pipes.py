"""A process that answers questions: one line of JSON in, one line of JSON out."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

Question = TypeVar("Question", bound=msgspec.Struct)
Answer = TypeVar("Answer", bound=msgspec.Struct)

STOP_S = 10.0


class Helper:
    """A module of ours, running in a process of its own."""

    def __init__(self, module: str, arguments: Sequence[str], *, log: Path) -> None:
        """Start it.

        Args:
            module: run with ``python -m``; it calls `answer_lines`.
            arguments: its command line.
            log: a file for what it says on standard error.
        """
        self._log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def ask(self, question: msgspec.Struct, kind: type[Answer]) -> Answer:
        """Send a question and wait for its answer.

        Raises:
            RuntimeError: the process has ended; the message is its last words.
        """
        asked, answered = self._process.stdin, self._process.stdout
        if asked is None or answered is None:
            raise RuntimeError("the helper was started without pipes")
        try:
            asked.write(msgspec.json.encode(question) + b"\n")
            asked.flush()
            line = answered.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise RuntimeError(last_words(self._log))
        return msgspec.json.decode(line, type=kind)

    def close(self) -> None:
        """End it: its questions have come to an end."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def answer_lines(
    kind: type[Question],
    answer: Callable[[Question], msgspec.Struct],
    *,
    questions: BinaryIO | None = None,
    answers: BinaryIO | None = None,
) -> None:
    """Answer each line of standard input, until there are no more.

    Args:
        kind: what a line holds.
        answer: gives what is written back.
        questions: read instead of standard input.
        answers: written instead of standard output.
    """
    out = answers or sys.stdout.buffer
    for line in questions or sys.stdin.buffer:
        out.write(msgspec.json.encode(answer(msgspec.json.decode(line, type=kind))) + b"\n")
        out.flush()


def last_words(log: Path) -> str:
    """Return the end of what a process said, for an error message."""
    lines = log.read_text("utf-8", errors="replace").strip().splitlines()
    return "\n".join(lines[-8:]) or f"it ended without a word ({log.name})"
