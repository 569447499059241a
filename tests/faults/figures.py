"""Figures of faults: each test records rows, and `make faults` makes a table of all rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

PAGE: Final = Path(__file__).parents[2] / "docs" / "operating.md"
BEGINS: Final = "<!-- written by make faults -->\n"
ENDS: Final = "<!-- to here -->\n"
HEADER: Final = ("| fault | what happens | figure |", "|---|---|---|")
FILES: Final = "*.jsonl"
"""Files of rows, one for each process that runs tests."""


class Row(msgspec.Struct, frozen=True, order=True):
    """What a fault did to the server.

    Attributes:
        place: of the test, by which rows are sorted: its file and line.
        fault: what goes wrong.
        happens: what the server does.
        figure: how much, how long, how many.
    """

    place: tuple[str, int, int]
    fault: str
    happens: str
    figure: str


@dataclass(slots=True)
class Figures:
    """Takes the rows of one test.

    Attributes:
        file: where they are appended; None keeps none.
        place: of the test.
    """

    file: Path | None
    place: tuple[str, int]
    _count: int = 0

    def add(self, fault: str, happens: str, figure: str) -> None:
        """Add a row; a test does so once its asserts have passed."""
        if self.file is None:
            return
        row = Row((*self.place, self._count), fault, happens, figure)
        self._count += 1
        with self.file.open("ab") as file:
            file.write(msgspec.json.encode(row) + b"\n")


def read_rows(folder: Path) -> list[Row]:
    """Return the rows in the files of a folder, in the order of their tests."""
    lines = (line for file in folder.glob(FILES) for line in file.read_bytes().splitlines())
    return sorted(msgspec.json.decode(line, type=Row) for line in lines)


def table(rows: Iterable[Row]) -> str:
    """Write rows as a table."""
    cells = ((row.fault, row.happens, row.figure) for row in rows)
    return "\n".join((*HEADER, *(f"| {' | '.join(each)} |" for each in cells))) + "\n"


def with_table(page: str, written: str) -> str:
    """Put a table in its place in a page.

    Raises:
        ValueError: the place is not marked.
    """
    before, begins, rest = page.partition(BEGINS)
    _, ends, after = rest.partition(ENDS)
    if not begins or not ends:
        raise ValueError(f"the page marks no place by {BEGINS!r} and {ENDS!r}")
    return f"{before}{begins}\n{written}\n{ends}{after}"
