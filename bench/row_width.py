"""How wide should a row be? The bare session on the same texts, packed into rows of each width.

Run as ``python -m bench.row_width``. Prints a Markdown table: tokens per second in batches of at
most 1,024 cells, medians of interleaved rounds.
"""

import argparse
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.checkpoint import write_distilbert
from bench.machine import this_machine
from bench.texts import make_texts
from earmark.batching.packer import BatchLimits, Packing, pack
from earmark.checkpoint.bundled import DEFAULT_MODEL, bundled_folder
from earmark.checkpoint.ref import read_ref
from earmark.domain.encoding import Encoding
from earmark.domain.packing import PackedBatch
from earmark.domain.texts import Question, TextInput
from earmark.engine.model import open_model, open_repository
from earmark.runtime.machine import available_threads

SEED = 11
CELLS = 1024
WIDTHS = (64, 128, 256, 512, 1024)
ROUNDS = 7


def batches(encodings: list[Encoding], width: int) -> list[PackedBatch]:
    """Pack every text, in order, into batches of rows of one width."""
    limits = BatchLimits(CELLS, width)
    packed, batch, packing = [], list[Encoding](), Packing(limits)
    for encoding in encodings:
        if not packing.add(len(encoding)):
            packed.append(pack(batch, limits))
            batch, packing = [], Packing(limits)
            packing.add(len(encoding))
        batch.append(encoding)
    return packed


def measure(source: str, texts: list[str]) -> dict[int, float]:
    """Return tokens per second for each width."""
    model = open_model(open_repository(read_ref(source)))
    session = model.way.start("float32", runtime="openvino", threads=available_threads())
    questions = [Question(item, TextInput(text)) for item, text in enumerate(texts)]
    longest = min(model.max_tokens, WIDTHS[0])
    encodings = [one for (one,) in model.tokenizer.encode(questions, max_tokens=longest)]
    plans = {width: batches(encodings, width) for width in WIDTHS}
    rates: dict[int, list[float]] = {width: [] for width in WIDTHS}
    for number in range(ROUNDS + 1):
        for width, plan in plans.items():
            started_s = time.perf_counter()
            for batch in plan:
                session.run(batch)
            tokens = sum(int(batch.lengths.sum()) for batch in plan)
            if number:  # the first round prepares the runtime for every shape
                rates[width].append(tokens / (time.perf_counter() - started_s))
    session.close()
    return {width: statistics.median(found) for width, found in rates.items()}


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    tokenizer = bundled_folder(DEFAULT_MODEL) / "tokenizer.json"
    mixed = next(each for each in make_texts(tokenizer, seed=SEED) if each.name == "mixed")
    texts = mixed.texts[:256]
    print(f"{this_machine().processor}, {available_threads()} threads, float32, tokens/s")
    print()
    print("| row width | " + " | ".join(map(str, WIDTHS)) + " |")
    print("|---|" + "---:|" * len(WIDTHS))
    with TemporaryDirectory() as folder:
        shape = write_distilbert(Path(folder) / "distilbert", seed=SEED)
        for name, source in (("DistilBERT-base shape", str(shape)), (DEFAULT_MODEL, DEFAULT_MODEL)):
            rates = measure(source, list(texts))
            print(f"| {name} | " + " | ".join(f"{rate:,.0f}" for rate in rates.values()) + " |")


if __name__ == "__main__":
    main()
