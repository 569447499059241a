"""The limit: earmark's session on packed batches, with no HTTP, no tokenizer and no queue.

No server that runs this session can be faster. The batches are those that a server could make at
best: texts in the order in which they are asked, as many as there are callers (more cannot be
waiting at once), in the server's own limits. Texts are encoded before the clock starts.

Run by `contestants` as ``python -m bench.limit MODEL PRECISION TEXTS``.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.outcome import Outcome, Question
from bench.pipes import answer_lines
from bench.texts import TextSet, read_texts
from earmark.batching.packer import BatchLimits, Packing, pack
from earmark.checkpoint.config import read_config
from earmark.checkpoint.weights import Weights
from earmark.domain.encoding import Encoding
from earmark.domain.texts import TextInput
from earmark.engine.load import open_repository
from earmark.graph.architectures.registry import find_architecture
from earmark.graph.export import export_graph
from earmark.graph.precision import ComputePrecision
from earmark.runtime.devices import available_threads, open_session
from earmark.runtime.session import RuntimeSession, SessionOptions
from earmark.tokenizing.tokenizer import TextTokenizer, load_tokenizer


def open_model(source: str, precision: ComputePrecision) -> tuple[RuntimeSession, TextTokenizer]:
    """Load a model as the server does.

    Raises:
        CheckpointError: the model cannot be loaded.
    """
    repository = open_repository(source)
    config = read_config(repository.require("config.json"))
    architecture, head = find_architecture(config)
    weights = Weights.open(repository.require("model.safetensors"), prefix=architecture.prefix)
    graph = export_graph(
        config,
        weights,
        architecture=architecture,
        head=head,
        form="dequantize" if precision == "int8" else "float",
    )
    options = SessionOptions(
        compute="bfloat16" if precision == "bfloat16" else "float32", threads=available_threads()
    )
    return open_session("openvino", graph, options), load_tokenizer(repository)


def batches(
    encodings: Sequence[Encoding], first: int, callers: int, limits: BatchLimits
) -> Iterator[list[Encoding]]:
    """Cut the endless sequence of texts into batches.

    Args:
        encodings: after the last comes the first.
        first: where to begin.
        callers: most texts in a batch.
        limits: most cells in a batch.
    """
    while True:
        packing = Packing(limits)
        batch: list[Encoding] = []
        while len(batch) < callers:
            encoding = encodings[(first + len(batch)) % len(encodings)]
            if not packing.add(len(encoding)):
                break
            batch.append(encoding)
        first += len(batch)
        yield batch


def run_round(
    session: RuntimeSession, encodings: Sequence[Encoding], question: Question
) -> Outcome:
    """Run batch after batch until the time is up."""
    limits = BatchLimits()
    latencies_ms: list[float] = []
    tokens = 0
    started_s = time.perf_counter()
    until_s = started_s + question.seconds
    for batch in batches(encodings, question.first, question.callers, limits):
        begun_s = time.perf_counter()
        if begun_s >= until_s:
            break
        session.run(pack(batch, limits))
        taken_ms = round((time.perf_counter() - begun_s) * 1000, 3)
        latencies_ms.extend([taken_ms] * len(batch))
        tokens += sum(map(len, batch))
    return Outcome(
        seconds=time.perf_counter() - started_s, latencies_ms=latencies_ms, tokens=tokens
    )


def _encode(tokenizer: TextTokenizer, texts: TextSet) -> list[Encoding]:
    inputs = [TextInput(text) for text in texts.texts]
    return tokenizer.encode(inputs, max_tokens=max(texts.tokens))


def main() -> None:
    """Answer a round for every line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("precision", choices=("float32", "bfloat16", "int8"))
    parser.add_argument("texts", type=Path)
    arguments = parser.parse_args()
    session, tokenizer = open_model(arguments.model, arguments.precision)
    sets = read_texts(arguments.texts)
    encodings = {name: _encode(tokenizer, texts) for name, texts in sets.items()}
    answer_lines(Question, lambda question: run_round(session, encodings[question.texts], question))


if __name__ == "__main__":
    main()
