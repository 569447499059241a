"""Measure a two-class sentiment checkpoint on the SST-2 halves that the data folder holds.

``python -m training.evaluate --data DATA --model FOLDER [--through transformers|earmark]``

These sets are for measuring only: no weight, and no choice of a recipe, may rest on them.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tokenizers import Tokenizer
from transformers import PreTrainedModel

import earmark
from earmark.runtime.session import RuntimeName
from training.binary import predict
from training.data import LABELS, DataError, Example, read_examples, require_folder
from training.encoder import load_tokenizer
from training.quantize import load_dequantised

SST2_HALVES = ("dev_a", "test_a")
MAX_TOKENS = 128
"""The longest text that training and measuring look at, [CLS] and [SEP] included."""

Classify = Callable[[Sequence[str]], list[int]]
"""Texts in, class indices (0 negative, 1 positive) in the same order out."""


@dataclass(frozen=True, slots=True)
class Score:
    """How many rows were labelled right."""

    correct: int
    rows: int

    @property
    def percent(self) -> float:
        """Accuracy in percent, to two places."""
        return round(100 * self.correct / self.rows, 2)

    def __add__(self, other: "Score") -> "Score":
        """Take the rows of both sets together."""
        return Score(self.correct + other.correct, self.rows + other.rows)


def score(classify: Classify, examples: Sequence[Example]) -> Score:
    """Count the examples whose label `classify` finds."""
    found = classify([example.text for example in examples])
    right = sum(index == example.label for index, example in zip(found, examples, strict=True))
    return Score(right, len(examples))


def score_sst2(classify: Classify, data: Path) -> dict[str, Score]:
    """Score SST-2 dev_a and test_a, and both ``together``.

    Raises:
        DataError: `data` lacks the sets.
    """
    scores = {
        half: score(classify, read_examples(data / "sst2" / f"{half}.jsonl.gz"))
        for half in SST2_HALVES
    }
    return {**scores, "together": scores["dev_a"] + scores["test_a"]}


def require_measures(data: Path) -> None:
    """Check that the sets to measure by are there, without reading a row of them.

    Raises:
        DataError: one is missing.
    """
    for half in SST2_HALVES:
        path = data / "sst2" / f"{half}.jsonl.gz"
        if not path.is_file():
            raise DataError(f"no file {path}: is --data the right folder?")


def require_checkpoint(folder: Path) -> None:
    """Check that there is a checkpoint in `folder`.

    Raises:
        DataError: there is none.
    """
    if not (folder / "config.json").is_file():
        raise DataError(f"no checkpoint at {folder}: expected a config.json in it")


def through_transformers(folder: Path) -> Classify:
    """Classify with the float32 model that the folder's weights multiply out to."""
    tokenizer = load_tokenizer(folder)
    tokenizer.enable_truncation(MAX_TOKENS)
    return classify_with(load_dequantised(folder), tokenizer)


def classify_with(model: PreTrainedModel, tokenizer: Tokenizer) -> Classify:
    """Classify with a model at hand; the tokenizer cuts where the caller wants it to."""

    def classify(texts: Sequence[str]) -> list[int]:
        encoded = tokenizer.encode_batch(list(texts))
        log_odds = predict(model, [encoding.ids for encoding in encoded])
        return [int(value > 0) for value in log_odds]

    return classify


def through_earmark(folder: Path, runtime: RuntimeName) -> Classify:
    """Classify with earmark's own int8 engine, as a server would."""
    classifier = earmark.load(str(folder), precision="int8", runtime=runtime)

    def classify(texts: Sequence[str]) -> list[int]:
        return [LABELS.index(result.label.lower()) for result in classifier.classify(texts)]

    return classify


THROUGH: dict[str, Callable[[Path], Classify]] = {
    "transformers": through_transformers,
    "earmark": partial(through_earmark, runtime="openvino"),
    "earmark-onnxruntime": partial(through_earmark, runtime="onnxruntime"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the accuracies as JSON; returns the exit code (2: a missing folder or file)."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--model", type=Path, required=True, help="the checkpoint folder")
    parser.add_argument(
        "--through",
        choices=tuple(THROUGH),
        default="transformers",
        help="transformers: float32, weights multiplied out (default); earmark: its int8 engine",
    )
    options = parser.parse_args(arguments)
    try:
        require_folder(options.data)
        require_checkpoint(options.model)
        scores = score_sst2(THROUGH[options.through](options.model), options.data)
    except (DataError, OSError, ImportError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    json.dump(
        {
            name: {"correct": one.correct, "rows": one.rows, "accuracy_percent": one.percent}
            for name, one in scores.items()
        },
        sys.stdout,
        indent=2,
    )
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
