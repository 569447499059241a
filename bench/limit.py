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
from earmark.checkpoint.ref import read_ref
from earmark.domain.encoding import Encoding
from earmark.domain.texts import Question as ModelQuestion
from earmark.domain.texts import TextInput
from earmark.engine.model import open_model, open_repository
from earmark.runtime.machine import available_threads
from earmark.runtime.session import RuntimeSession
from earmark.tokenizing.tokenizer import TextTokenizer


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
    questions = [ModelQuestion(item, TextInput(text)) for item, text in enumerate(texts.texts)]
    return [one for (one,) in tokenizer.encode(questions, max_tokens=max(texts.tokens))]


def main() -> None:
    """Answer a round for every line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("precision", choices=("float32", "bfloat16", "int8"))
    parser.add_argument("texts", type=Path)
    arguments = parser.parse_args()
    model = open_model(open_repository(read_ref(arguments.model)))
    session = model.way.start(arguments.precision, runtime="openvino", threads=available_threads())
    sets = read_texts(arguments.texts)
    encodings = {name: _encode(model.tokenizer, texts) for name, texts in sets.items()}
    answer_lines(Question, lambda question: run_round(session, encodings[question.texts], question))


if __name__ == "__main__":
    main()
