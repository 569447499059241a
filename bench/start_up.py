"""What do the first and the second load of a checkpoint take?

Run as ``python -m bench.start_up``, with ``--large`` for the shape of ``xlm-roberta-large``, which
needs 6 GB of disk and 6 GB of memory. Each load is a process of its own; the rounds interleave.
Prints a Markdown table. Linux only: memory is what the kernel says, pages of mapped files included.

``plain`` neither makes a certificate nor keeps anything. ``first`` does both, with an empty cache
and no database; ``second`` finds what the first one kept.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.checkpoint import write_distilbert
from bench.large_checkpoint import write_large
from bench.load_memory import MEBIBYTE, SEED
from bench.machine import this_machine
from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.weights.files import weights_size

LOAD: Final = """
import json, sys, time
from pathlib import Path
from earmark.checkpoint.ref import read_ref
from earmark.engine.load import EngineOptions, load_engine
from earmark.runtime.compiled import CompiledModels
from earmark.models.certificates import Certificates
source, precision, kept = sys.argv[1:]
options = EngineOptions(precision=precision, reference="off")
if kept:
    options = EngineOptions(
        precision=precision,
        certificates=Certificates(Path(kept) / "certificates.sqlite"),
        compiled=CompiledModels(Path(kept) / "compiled", most_bytes=10**12),
    )
started_s = time.perf_counter()
engine = load_engine(read_ref(source), options=options)
took_s = time.perf_counter() - started_s
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({"s": took_s, "peak": int(status["VmHWM"].split()[0]) << 10}))
engine.close()
"""

ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Load:
    """What one load took: seconds, and bytes of memory at the peak."""

    s: float
    peak: int


def load(source: Path, precision: str, kept: Path | None = None) -> Load:
    """Load a checkpoint in a process of its own."""
    arguments = [str(source), precision, "" if kept is None else str(kept)]
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-c", LOAD, *arguments], capture_output=True, text=True, check=True
    )
    return Load(**json.loads(done.stdout.splitlines()[-1]))


def measure(source: Path, precision: str, scratch: Path) -> str:
    """Measure one precision, and return its row of the table."""
    found: dict[str, list[Load]] = {"plain": [], "first": [], "second": []}
    weights = weights_size(LocalRepository.open(source))
    kept = scratch / "kept"
    for _ in range(ROUNDS):
        kept.mkdir()
        found["plain"].append(load(source, precision))
        found["first"].append(load(source, precision, kept))
        found["second"].append(load(source, precision, kept))
        written = sum(path.stat().st_size for path in (kept / "compiled").glob("*"))
        shutil.rmtree(kept)
    cells = [f"{statistics.median(one.s for one in loads):.2f}" for loads in found.values()]
    cells += [
        f"{statistics.median(one.peak for one in loads) / weights:.1f}" for loads in found.values()
    ]
    return f"| {precision} | {' | '.join(cells)} | {written / MEBIBYTE:,.0f} |"


def table(source: Path, precisions: Sequence[str], scratch: Path) -> None:
    """Print the table of one checkpoint."""
    kinds = ("plain", "first", "second")
    heads = (*(f"{one} s" for one in kinds), *(f"{one} peak" for one in kinds), "kept MiB")
    print(f"| precision | {' | '.join(heads)} |")
    print(f"|---|{'---:|' * len(heads)}")
    for precision in precisions:
        print(measure(source, precision, scratch), flush=True)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16", "int8"])
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        scratch = Path(folder)
        write = write_large if arguments.large else write_distilbert
        write(scratch / "model", seed=SEED)
        machine = this_machine()
        print(f"{machine.processor}, {machine.cores} cores, medians of {ROUNDS} rounds")
        print("peaks in times the checkpoint's size\n")
        table(scratch / "model", arguments.precision, scratch)


if __name__ == "__main__":
    main()
