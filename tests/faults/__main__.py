"""Run the tests of faults at full size, and print the table of their figures: ``make faults``."""

import argparse
import sys
import tempfile
from pathlib import Path

import pytest
from faults.conftest import FIGURES, FULL_SIZE
from faults.figures import PAGE, read_rows, table, with_table

from bench.machine import this_machine


def main() -> int:
    """Run what the command line names; return pytest's exit code."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.name}")
    parser.add_argument("--quick", action="store_true", help="with fewer clients")
    chosen, others = parser.parse_known_args()
    if chosen.write and (others or chosen.quick):
        parser.error("--write writes the whole table: it takes no further words")
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        here = str(Path(__file__).parent)
        # Two at a time, since most of the time passes in waiting for deadlines.
        words = [here, "--quiet", "--numprocesses", "2", "--dist", "worksteal"]
        words += [FIGURES, folder, *([] if chosen.quick else [FULL_SIZE]), *others]
        code = pytest.main(words)
        rows = read_rows(Path(folder))
    machine = this_machine()
    where = f"On {machine.cores} cores of {machine.processor}, Python {sys.version.split()[0]}:"
    written = f"{where}\n\n{table(rows)}"
    sys.stdout.write(f"\n{written}")
    if chosen.write and code == 0:
        PAGE.write_text(with_table(PAGE.read_text("utf-8"), written), "utf-8")
    return int(code)


if __name__ == "__main__":
    raise SystemExit(main())
