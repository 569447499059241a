"""How far the benchmark is: a bar at a terminal, a line for each scenario elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from bench.results import Scenario


class Progress:
    """Says on standard error what runs at the moment."""

    def __init__(self) -> None:
        """Begin."""
        self._console = Console(stderr=True, highlight=False)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=None)
        self._model = ""

    def model(self, name: str) -> None:
        """Say that a model's contestants are being started."""
        self._model = name
        self._bar.update(self._task, description=f"{name}: starting", total=None, completed=0)
        if not self._console.is_terminal:
            self._console.print(f"{name}: starting")

    def round(self, scenario: Scenario, contestant: str, done: int, total: int) -> None:
        """Say that a round begins.

        Args:
            scenario: of the round.
            contestant: whose turn it is.
            done: rounds of the scenario before it.
            total: rounds of the scenario.
        """
        words = f"{self._model}: {scenario.texts} texts, {scenario.callers} at once"
        self._bar.update(
            self._task, description=f"{words}: {contestant}", completed=done, total=total
        )
        if not self._console.is_terminal and done == 0:
            self._console.print(words)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take it away."""
        self._bar.stop()
