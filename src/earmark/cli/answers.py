"""How answers look: JSON lines for programs, bars for people."""

import re
from typing import BinaryIO, Protocol

import msgspec
from rich.console import Console
from rich.text import Text

from earmark.domain.labels import LabelSet
from earmark.domain.results import Classification

BLOCKS = " ▏▎▍▌▋▊▉█"
"""Characters for a cell that is filled by 0/8 to 8/8."""
MOST_SHOWN = 5
"""Best labels that a person sees without `--top-k`; the rest are counted."""
WIDEST_BAR = 40
"""Cells of the longest bar; longer bars are no easier to compare."""
INDENT = "  "


class Answers(Protocol):
    """Shows the results of a command."""

    def show(self, text: str, result: Classification) -> None:
        """Show one result."""
        ...

    def flush(self) -> None:
        """Make sure that the reader sees what was shown so far."""
        ...


class _Score(msgspec.Struct, frozen=True):
    label: str
    score: float


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One line of output; its members have the order of these fields."""

    text: str
    label: str
    score: float
    scores: tuple[_Score, ...]
    truncated_tokens: int


class JsonAnswers:
    """One JSON object a line."""

    def __init__(self, out: BinaryIO) -> None:
        """Write to a binary stream."""
        self._out = out
        self._encoder = msgspec.json.Encoder()

    def show(self, text: str, result: Classification) -> None:
        """Write one line."""
        answer = _Answer(
            text=text,
            label=result.label,
            score=result.score,
            scores=tuple(_Score(one.label, one.score) for one in result.scores),
            truncated_tokens=result.truncated_tokens,
        )
        self._out.write(self._encoder.encode(answer) + b"\n")

    def flush(self) -> None:
        """Flush the stream."""
        self._out.flush()


class BarAnswers:
    """Each text with its best labels below it, a bar for each.

    The width of the columns depends on the model's labels alone, so that they stay aligned while
    the answers of a long pipe arrive.
    """

    def __init__(self, console: Console, labels: LabelSet, *, top_k: int | None) -> None:
        """Write to a terminal.

        Args:
            console: the terminal.
            labels: the model's labels.
            top_k: how many to show; None shows at most `MOST_SHOWN`.
        """
        self._console = console
        self._labels = len(labels)
        self._shown = top_k or MOST_SHOWN
        longest = max(map(len, labels.names))
        self._label_width = min(longest, max(8, console.width // 2))
        rest = console.width - self._label_width - len(INDENT) - len("  0.0000  ") - 1
        self._bar_width = max(0, min(WIDEST_BAR, rest))

    def show(self, text: str, result: Classification) -> None:
        """Print one block."""
        title = Text(_one_line(text) or "(empty text)", style="bold")
        note = f"  ({result.truncated_tokens} tokens cut off)" if result.truncated_tokens else ""
        title.truncate(max(8, self._console.width - len(note)), overflow="ellipsis")
        self._print(title.append(note, style="yellow"))
        for rank, one in enumerate(result.scores[: self._shown]):
            self._print(self._row(one.label, one.score, style="cyan" if rank == 0 else "dim"))
        hidden = len(result.scores) - self._shown
        if hidden > 0:
            self._print(Text(f"{INDENT}… {hidden} more: --top-k {self._labels}", style="dim"))
        self._print(Text())

    def flush(self) -> None:
        """Do nothing: every block is printed at once."""

    def _row(self, label: str, score: float, *, style: str) -> Text:
        name = Text(_one_line(label))
        name.truncate(self._label_width, overflow="ellipsis", pad=True)
        row = Text.assemble(INDENT, name, f"  {score:.4f}  ")
        # Without a function a score is a raw logit, which is no share that a bar can show.
        if 0 <= score <= 1:
            ascii_only = self._console.options.ascii_only
            row.append(bar(score, self._bar_width, ascii_only=ascii_only), style=style)
        return row

    def _print(self, line: Text) -> None:
        self._console.print(line, no_wrap=True, overflow="ellipsis", crop=True)


def bar(share: float, width: int, *, ascii_only: bool) -> str:
    """Draw a share as a horizontal bar.

    Args:
        share: from 0 to 1.
        width: cells of a full bar.
        ascii_only: draw with `#`, to the nearest cell rather than to its eighth.
    """
    if ascii_only:
        return "#" * round(share * width)
    full, eighths = divmod(round(share * width * 8), 8)
    return (BLOCKS[8] * full + BLOCKS[eighths]).rstrip()


def _one_line(text: str) -> str:
    """Make a text safe to print: on one line, and without control sequences for the terminal."""
    spaced = re.sub(r"\s+", " ", text).strip()
    return "".join(one if one.isprintable() else "�" for one in spaced)
