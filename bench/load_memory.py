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

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from bench.checkpoint import write_distilbert
from bench.machine import this_machine
from earmark.graph.precision import PRECISIONS

SEED = 11
MEBIBYTE = 1 << 20
HIDDEN, LAYERS, HEADS, INTERMEDIATE = 1024, 24, 16, 4096
VOCABULARY, POSITIONS = 250_002, 514
"""The shape of ``xlm-roberta-large``: 560 million weights."""
SPREAD = 0.02

LOAD = """
import json, sys, time
started_s = time.perf_counter()
from earmark.engine.load import EngineOptions, load_engine
imported_s = time.perf_counter()
def memory(name):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(one.split()[1]) << 10 for one in lines if one.startswith(name + ":"))
before = memory("VmRSS")
source, precision, runtime = sys.argv[1:]
options = EngineOptions(precision=precision, runtime=runtime, reference="off")
engine = load_engine(source, options=options)
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


def write_large(folder: Path, *, seed: int) -> Path:
    """Write a BERT checkpoint of the shape of ``xlm-roberta-large``, with weights from a seed."""
    write_distilbert(folder, seed=seed)  # for its tokenizer
    config = json.loads((folder / "config.json").read_text("utf-8"))
    for name in ("dim", "hidden_dim", "n_heads", "n_layers", "activation", "sinusoidal_pos_embds"):
        config.pop(name)
    config |= {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": INTERMEDIATE,
        "hidden_act": "gelu",
        "vocab_size": VOCABULARY,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    save_file(_large_tensors(seed), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _large_tensors(seed: int) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(seed)
    tensors: dict[str, NDArray[np.float32]] = {}

    def matrix(name: str, rows: int, columns: int) -> None:
        drawn = random.standard_normal((rows, columns), dtype=np.float32)
        drawn *= np.float32(SPREAD)
        tensors[f"{name}.weight"] = drawn

    def linear(name: str, rows: int, columns: int) -> None:
        matrix(name, rows, columns)
        tensors[f"{name}.bias"] = np.zeros(rows, np.float32)

    def norm(name: str) -> None:
        tensors[f"{name}.weight"] = np.ones(HIDDEN, np.float32)
        tensors[f"{name}.bias"] = np.zeros(HIDDEN, np.float32)

    for table, rows in {"word": VOCABULARY, "position": POSITIONS, "token_type": 2}.items():
        matrix(f"bert.embeddings.{table}_embeddings", rows, HIDDEN)
    norm("bert.embeddings.LayerNorm")
    for layer in range(LAYERS):
        base = f"bert.encoder.layer.{layer}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            linear(f"{base}.attention.{part}", HIDDEN, HIDDEN)
        norm(f"{base}.attention.output.LayerNorm")
        linear(f"{base}.intermediate.dense", INTERMEDIATE, HIDDEN)
        linear(f"{base}.output.dense", HIDDEN, INTERMEDIATE)
        norm(f"{base}.output.LayerNorm")
    linear("bert.pooler.dense", HIDDEN, HIDDEN)
    linear("classifier", 2, HIDDEN)
    return tensors


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
