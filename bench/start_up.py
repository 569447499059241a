"""What does the first load of a checkpoint cost beyond the second, and what would a cache save?

Run as ``python -m bench.start_up``, with ``--large`` for the shape of ``xlm-roberta-large``, which
needs 6 GB of disk and 8 GB of memory. Each load is a process of its own; the rounds interleave.

``first`` makes the certificate, ``second`` finds it kept, ``none`` wants none. ``blob`` imports
what OpenVINO exports of a compiled model, in place of reading, writing and compiling the graph, and
warms it up: the least that a start could take that had a cache of compiled models.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.checkpoint import write_distilbert
from bench.load_memory import SEED, write_large
from bench.machine import this_machine

LOAD: Final = """
import json, sys, time
from pathlib import Path
from earmark.engine.load import EngineOptions, load_engine
from earmark.serving.certificates import Certificates
source, precision, certify, database = sys.argv[1:]
store = Certificates(Path(database))
options = EngineOptions(precision=precision, reference=certify, certificates=store)
started_s = time.perf_counter()
engine = load_engine(source, options=options)
print(json.dumps({"s": time.perf_counter() - started_s, "precision": engine.info.precision}))
engine.close()
"""

BLOB: Final = """
import json, sys, time
from pathlib import Path
from earmark.batching.packer import BatchLimits
from earmark.engine.model import open_model, open_repository
from earmark.engine.warmup import warm_up
from earmark.runtime import openvino
source, precision, blob = sys.argv[1:]
core = openvino._core()
model = open_model(open_repository(source))
if not Path(blob).exists():
    session = model.way.start(precision, runtime="openvino", threads=1)
    compiled = session._compiled
    started_s = time.perf_counter()
    Path(blob).write_bytes(compiled.export_model().getbuffer())
    print(json.dumps({"s": time.perf_counter() - started_s, "bytes": Path(blob).stat().st_size}))
    raise SystemExit
started_s = time.perf_counter()
hint = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}[precision]
settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": hint,
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": openvino.ACTIVATION_GROUP,
            "ENABLE_CPU_PINNING": False}
compiled = core.import_model(Path(blob).read_bytes(), openvino.DEVICE, settings)
session = openvino.OpenVinoSession(compiled, "")
warm_up(session, model, BatchLimits().holding(model.max_tokens))
print(json.dumps({"s": time.perf_counter() - started_s}))
session.close()
"""

ROUNDS: Final = 3
MEGABYTE: Final = 1_000_000


def run(script: str, *arguments: str) -> dict[str, float]:
    """Run a script in a process of its own, and read its last line."""
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    read: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return read


def measure(source: Path, precision: str, scratch: Path) -> str:
    """Measure one precision, and return its row of the table."""
    seconds: dict[str, list[float]] = {"none": [], "first": [], "second": [], "blob": []}
    blob = scratch / f"{precision}.blob"
    exported = run(BLOB, str(source), precision, str(blob))
    for round_number in range(ROUNDS):
        database = str(scratch / f"{precision}-{round_number}.sqlite")
        seconds["none"].append(run(LOAD, str(source), precision, "off", database)["s"])
        for kind in ("first", "second"):
            seconds[kind].append(run(LOAD, str(source), precision, "float32", database)["s"])
        seconds["blob"].append(run(BLOB, str(source), precision, str(blob))["s"])
    blob.unlink()
    cells = (f"{statistics.median(times):.2f}" for times in seconds.values())
    size = f"{exported['bytes'] / MEGABYTE:,.0f}"
    return f"| {precision} | {' | '.join(cells)} | {exported['s']:.2f} | {size} |"


def table(source: Path, precisions: Sequence[str], scratch: Path) -> None:
    """Print the table of one checkpoint."""
    print("| precision | none s | first s | second s | blob s | to write it s | its size MB |")
    print("|---|---:|---:|---:|---:|---:|---:|")
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
        print(f"{machine.processor}, {machine.cores} cores, medians of {ROUNDS} rounds\n")
        table(scratch / "model", arguments.precision, scratch)


if __name__ == "__main__":
    main()
