"""What people and CI read: totals by route and status, and how to see each failure again."""

import shlex
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fuzz.lane import Deck, Failure, Tally
from fuzz.requests import Asked
from rich.console import Console

_MOST_SHOWN: Final = 20
_LONGEST_CURL: Final = 1500


@dataclass(frozen=True, slots=True)
class Run:
    """What is said of the server of one kind.

    Attributes:
        name: of its kind.
        sound: correct requests that were answered before and after.
        seconds: that the cases took.
        theirs_s: processor time of the server; 0 where the system does not say.
        megabytes: the most memory that the server had; None where the system does not say.
    """

    name: str
    sound: int
    seconds: float
    theirs_s: float
    megabytes: float | None


class Report:
    """Shows what came of the runs."""

    def __init__(self, console: Console, folder: Path) -> None:
        """Write to a console, and failing cases into a folder."""
        self._console, self._folder = console, folder

    def totals(
        self, tally: Tally, runs: Sequence[Run], *, seconds: float, processor_s: float
    ) -> None:
        """Show answers by route and status, and how fast they came.

        Args:
            tally: the answers.
            runs: of the servers.
            seconds: that all took.
            processor_s: processor time of this process.
        """
        rows: dict[str, Counter[int]] = defaultdict(Counter)
        for (route, status), count in tally.statuses.items():
            rows[route][status] += count
        for route, statuses in sorted(rows.items()):
            counts = "  ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
            self._console.print(f"{route:<68} {counts}")
        statuses = sum(rows.values(), Counter())
        self._console.print("all: " + "  ".join(f"{a}: {b:,}" for a, b in sorted(statuses.items())))
        for run in runs:
            memory = "" if run.megabytes is None else f"; at most {run.megabytes:,.0f} MB of memory"
            self._console.print(
                f"server {run.name}: {run.seconds:,.1f} s, of the processor {run.theirs_s:,.1f} s;"
                f" {run.sound} correct requests answered alike before and after{memory}"
            )
        slowest = ", ".join(f"{took:.2f} s ({number})" for took, number in tally.slowest)
        self._console.print(f"slowest cases: {slowest}")
        rate = f"{tally.bodies / seconds:,.0f} per second"
        used = f"processor time of the clients: {processor_s:,.1f} s"
        self._console.print(f"{tally.bodies:,} requests in {seconds:,.1f} s: {rate}; {used}")

    def failures(self, found: Sequence[Failure], deck: Deck) -> None:
        """Show failures, and write what was sent into files."""
        for one in found[:_MOST_SHOWN]:
            if not one.sent:
                self._console.print(f"\nFAILED {one.complaint}")
                continue
            name = f"{deck.seed}-{one.number}"
            self._console.print(f"\nFAILED seed {deck.seed}, number {one.number}: {one.complaint}")
            self._console.print(f"  again: make fuzz ARGS='--seed {deck.seed} --only {one.number}'")
            self._folder.mkdir(parents=True, exist_ok=True)
            raw = self._folder / f"{name}.http"
            raw.write_bytes(one.sent)
            self._console.print(f"  bytes: nc 127.0.0.1 8080 < {raw}")
            case = deck.case(one.number)
            if isinstance(case, Asked):
                body = self._folder / f"{name}.body"
                body.write_bytes(case.body)
                self._console.print(f"  {curl(case, body)}")
        if len(found) > _MOST_SHOWN:
            self._console.print(f"\nand {len(found) - _MOST_SHOWN} more")


def curl(asked: Asked, body: Path) -> str:
    """Write a request as a command; where a header cannot be typed, the file of bytes has it."""
    words = ["curl", "-sv", "--path-as-is", "--globoff", "-X", asked.method]
    for name, value in asked.headers:
        words += ["-H", f"{name.decode('latin-1')}: {value.decode('latin-1')}"]
    words += ["--data-binary", f"@{body}", f"http://127.0.0.1:8080{asked.target.raw}"]
    written = shlex.join(words)
    if not written.isprintable() or len(written) > _LONGEST_CURL:
        return "(not for curl: it has bytes that cannot be typed, or is very long)"
    return written
