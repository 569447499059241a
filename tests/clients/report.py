"""What people and CI read: a block for each client, a line for each check, counts at the end."""

from collections.abc import Sequence

from clients.outcome import Check
from rich.console import Console
from rich.text import Text

_MARKS = {"passed": ("✓", "green"), "failed": ("✗", "bold red")}


class Report:
    """Shows what came of the checks, and counts."""

    def __init__(self, console: Console) -> None:
        """Write to a console."""
        self._console = console
        self._counts = dict.fromkeys(_MARKS, 0)
        self._skipped = 0

    def tell(self, text: str) -> None:
        """Say what is being done."""
        self._console.print(text, style="dim")

    def show(self, title: str, checks: Sequence[Check]) -> None:
        """Show the checks of a client."""
        self._console.print(f"\n{title}", style="bold")
        for check in checks:
            self._counts[check.state] += 1
            mark, style = _MARKS[check.state]
            line = Text.assemble("  ", (mark, style), f" {check.name}")
            self._console.print(line)
            for words in check.problem.splitlines():
                self._console.print(f"      {words}", style="red")

    def skip(self, reason: str, clients: Sequence[str]) -> None:
        """Say which clients are not run at all, and why."""
        self._skipped += len(clients)
        self._console.print(f"skipped: {reason}; not run: {', '.join(clients)}", style="yellow")

    @property
    def failed(self) -> int:
        """How many checks failed so far."""
        return self._counts["failed"]

    def end(self) -> int:
        """Show the counts.

        Returns:
            The exit code: 1 where a check failed or none was made.
        """
        passed, failed = self._counts["passed"], self._counts["failed"]
        self._console.print()
        if self._skipped:
            self._console.print(f"clients skipped: {self._skipped}", style="yellow")
        self._console.print(f"{passed} passed, {failed} failed")
        return 1 if failed or not passed else 0
