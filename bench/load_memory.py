"""How much memory, and how long, does loading take? A fresh process for each way to load.

Run as ``python -m bench.load_memory``, with ``--large`` for the shape of ``xlm-roberta-large``,
which needs 3 GB of disk and 7 GB of memory. Nothing is held against a reference, which would load
the model in float32 before: ``bench.start_up`` has that. Prints a Markdown table. Linux only:
memory is what the kernel says, pages of mapped files included.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.checkpoint import write_distilbert
from bench.large_checkpoint import write_large
from bench.machine import this_machine
from earmark.graph.precision import PRECISIONS

SEED = 11
MEBIBYTE = 1 << 20
LOAD = """
import json, sys, time
started_s = time.perf_counter()
from earmark.checkpoint.ref import read_ref
from earmark.engine.load import EngineOptions, load_engine
imported_s = time.perf_counter()
def memory(name):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(one.split()[1]) << 10 for one in lines if one.startswith(name + ":"))
before = memory("VmRSS")
source, precision, runtime = sys.argv[1:]
options = EngineOptions(precision=precision, runtime=runtime, reference="off")
engine = load_engine(read_ref(source), options=options)
print(json.dumps({
    "before": before,
    "peak": memory("VmHWM"),
    "after": memory("VmRSS"),
    "load_s": time.perf_counter() - imported_s,
}))
engine.close()
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one load took: bytes in memory before, at the peak and after; seconds."""

    before: int
    peak: int
    after: int
    load_s: float


def load(folder: Path, precision: str, runtime: str) -> Loaded:
    """Load a checkpoint in a process of its own."""
    command = [sys.executable, "-c", LOAD, str(folder), precision, runtime]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ourselves
    return Loaded(**json.loads(done.stdout.splitlines()[-1]))


def read_s(path: Path) -> float:
    """Read a file through once, in seconds; it is in the system's cache, as it is when loaded."""
    started_s = time.perf_counter()
    with path.open("rb") as file:
        while file.read(MEBIBYTE):
            pass
    return time.perf_counter() - started_s


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--precision", choices=PRECISIONS, nargs="+", default=["float32", "int8"])
    parser.add_argument("--runtime", nargs="+", default=["openvino", "onnxruntime"])
    arguments = parser.parse_args()
    machine = this_machine()
    print(f"{machine.processor}, {machine.cores} cores\n")
    with TemporaryDirectory() as temporary:
        write = write_large if arguments.large else write_distilbert
        folder = write(Path(temporary) / "model", seed=SEED)
        weights = folder / "model.safetensors"
        size = weights.stat().st_size
        reading_s = read_s(weights)
        print(f"checkpoint {size / MEBIBYTE:.0f} MiB, read once in {reading_s:.1f} s\n")
        print("| runtime | precision | before, MiB | peak | of the checkpoint | after | load, s |")
        print("|---|---|---:|---:|---:|---:|---:|")
        for runtime in arguments.runtime:
            for precision in arguments.precision:
                took = load(folder, precision, runtime)
                cells = [
                    runtime,
                    precision,
                    f"{took.before / MEBIBYTE:.0f}",
                    f"{took.peak / MEBIBYTE:.0f}",
                    f"{took.peak / size:.2f}",
                    f"{took.after / MEBIBYTE:.0f}",
                    f"{took.load_s:.1f}",
                ]
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
