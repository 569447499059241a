"""Hostile requests to every address of a running server: ``make fuzz``."""

import argparse
import gc
import signal
import sys
import tempfile
from pathlib import Path

from fuzz.report import Report
from fuzz.run import run
from rich.console import Console

_CASES = 1_000_000
_COLLECTED_AFTER = 50_000
"""Objects after which Python looks for cycles: a case makes hundreds, and no cycles."""


def main() -> int:
    """Run the cases; the exit code is 1 where any failed."""
    gc.set_threshold(_COLLECTED_AFTER)
    asked = _arguments()
    console = Console(highlight=False, markup=False, soft_wrap=True)
    numbers = [asked.only] if asked.only is not None else range(asked.bodies)
    report = Report(console, asked.failures)
    console.print(f"seed {asked.seed}, {len(numbers):,} cases")
    with tempfile.TemporaryDirectory(prefix="earmark-fuzz-") as folder:
        outcome = run(asked.seed, numbers, Path(folder), console.print)
    report.totals(
        outcome.tally, outcome.runs, seconds=outcome.seconds, processor_s=outcome.processor_s
    )
    if outcome.deck is not None:
        report.failures(outcome.tally.failures, outcome.deck)
    for problem in outcome.problems:
        console.print(f"\nFAILED {problem}")
    failed = len(outcome.tally.failures) + len(outcome.problems)
    console.print(f"{failed} failed" if failed else "no failure")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the same seed sends the same requests")
    parser.add_argument(
        "--bodies", type=int, default=_CASES, help="how many cases; a pipeline is one"
    )
    parser.add_argument("--only", type=int, help="send the case of this number alone")
    parser.add_argument(
        "--failures",
        type=Path,
        default=Path("fuzz-failures"),
        help="folder for the bytes of cases that fail",
    )
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
