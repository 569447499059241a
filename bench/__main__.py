"""`python -m bench`: measure, print tables, write a JSON file."""

import argparse
import re
import signal
import sys
from pathlib import Path

import msgspec
from rich.console import Console

from bench.contestants import NotStartedError
from bench.progress import Progress
from bench.report import show
from bench.results import Measurement
from bench.suite import FULL, QUICK, measure

RESULTS = Path(__file__).parent / "results"


def file_name(measurement: Measurement) -> str:
    """Name a measurement by its day, processor and cores."""
    machine = measurement.machine
    words = f"{measurement.date[:10]} {machine.processor} {machine.cores} cores".lower()
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-") + ".json"


def main() -> int:
    """Run the benchmark.

    Returns:
        0; 1 where a contestant did not start or a request failed.
    """
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute and a half, coarse")
    parser.add_argument("--out", type=Path, help="the JSON file; below bench/results by default")
    arguments = parser.parse_args()
    schedule, command = (
        (QUICK, "make bench ARGS=--quick") if arguments.quick else (FULL, "make bench")
    )
    # As Ctrl-C does: a run that is ended ends its contestants.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        with Progress() as progress:
            measurement = measure(schedule, command=command, progress=progress)
    except (NotStartedError, RuntimeError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    out = arguments.out or RESULTS / file_name(measurement)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(msgspec.json.format(msgspec.json.encode(measurement)) + b"\n")
    console = Console()
    show(measurement, console)
    console.print(f"\nwritten: {out}", highlight=False, soft_wrap=True)
    failed = any(cell.first_failure for model in measurement.models for cell in model.cells)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
