"""Shows a download: a bar on a terminal, a line of the log anywhere else."""

import structlog
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

MEGABYTE = 1_000_000

log = structlog.get_logger("earmark.cli")


class Download:
    """Shows the downloads of one model after the other, and counts their bytes.

    Attributes:
        fetched_bytes: of all downloads so far.
    """

    def __init__(self, console: Console) -> None:
        """Choose where to draw."""
        self.fetched_bytes = 0
        self._console = console
        self._bars: Progress | None = None

    def begin(self, model: str, *, total_bytes: int, there_bytes: int) -> None:
        """Start a bar; bytes that are there already count in the bar, but not in the speed."""
        if self._console.quiet or not self._console.is_terminal:
            facts = {"total_mb": _megabytes(total_bytes), "there_mb": _megabytes(there_bytes)}
            log.info("fetching from the Hub", model=model, **facts)
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._bars = Progress(*columns, console=self._console, transient=True)
        self._bars.add_task(model, total=total_bytes, completed=there_bytes)
        self._bars.start()

    def advance(self, more_bytes: int) -> None:
        """Draw the bytes that have come."""
        self.fetched_bytes += more_bytes
        if self._bars is not None:
            self._bars.advance(self._bars.task_ids[0], more_bytes)

    def finish(self) -> None:
        """Remove the bar."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None


def _megabytes(count: int) -> float:
    return round(count / MEGABYTE, 1)
