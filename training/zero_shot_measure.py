"""Measure a model of inference, as such and as a zero-shot classifier.

``python -m training.zero_shot_measure --data DATA --model FOLDER [--most-pairs N]
[--through transformers|earmark]``

These sets are for measuring only: no weight, and no choice of a recipe, may rest on them.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

import earmark
from training.data import DataError, read_rows, require_folder, seeded
from training.encoder import load_tokenizer
from training.evaluate import Score, require_checkpoint
from training.inference import encode_pairs
from training.loop import classify
from training.pairs import LABELS, Pair, read_pairs
from training.quantize import load_dequantised

MAX_TOKENS = 256
"""The longest pair that measuring looks at, special tokens included."""

INFERENCE = {
    "mnli_matched": "eval_mnli_dev/dev_matched",
    "snli": "eval_snli_dev/dev_a",
}

_ENTAILMENT = LABELS.index("entailment")
_DRAW_SEED = 2026
_AT_ONCE = 1_000
"""Pairs that earmark is handed at once; it accepts no more tokens than its queue holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSet:
    """A set to classify without having been trained on it."""

    file: str
    """Below the data folder, without ``.jsonl.gz``."""
    template: str
    labels: Mapping[str, str]
    """The set's label -> the words that fill the template; settled before any measuring."""


ZERO_SHOT = {
    "ag_news": TopicSet(
        file="eval_ag_news/test_a",
        template="This text is about {}.",
        labels={
            "World": "world news",
            "Sports": "sports",
            "Business": "business",
            "Sci/Tech": "science and technology",
        },
    ),
    "dbpedia14": TopicSet(
        file="dbpedia14/part",
        template="This text is about {}.",
        labels={
            "Company": "a company",
            "Educational Institution": "an educational institution",
            "Artist": "an artist",
            "Athlete": "an athlete",
            "Office Holder": "an office holder",
            "Mean of Transportation": "a means of transportation",
            "Building": "a building",
            "Natural Place": "a natural place",
            "Village": "a village",
            "Animal": "an animal",
            "Plant": "a plant",
            "Album": "an album",
            "Film": "a film",
            "Written Work": "a written work",
        },
    ),
    "sib200": TopicSet(
        file="sib200_topics_en/all",
        template="This text is about {}.",
        labels={
            label: label.replace("/", " and ")
            for label in (
                "science/technology",
                "travel",
                "politics",
                "sports",
                "health",
                "entertainment",
                "geography",
            )
        },
    ),
    "tweeteval_emotion": TopicSet(
        file="eval_tweeteval/emotion_test",
        template="This text expresses {}.",
        labels={label: label for label in ("anger", "joy", "optimism", "sadness")},
    ),
}

ZERO_SHOT["ag_news_as_example"] = replace(ZERO_SHOT["ag_news"], template="This example is {}.")
"""The same set, asked as clients ask that name no template."""

AnyRow = TypeVar("AnyRow")

Judge = Callable[[Sequence[Pair]], npt.NDArray[np.float32]]
"""Pairs in; logits out, [pairs, classes], classes in the order of `LABELS`."""


def judge_with(model: PreTrainedModel, tokenizer: Tokenizer) -> Judge:
    """Judge with a model at hand, in float32; the tokenizer's truncation is set here."""
    tokenizer.enable_truncation(MAX_TOKENS)
    return lambda pairs: classify(model, encode_pairs(tokenizer, pairs))


def through_transformers(folder: Path) -> Judge:
    """Judge with the float32 model that the folder's weights multiply out to."""
    return judge_with(load_dequantised(folder), load_tokenizer(folder))


def through_earmark(folder: Path) -> Judge:
    """Judge with earmark's own int8 engine, as a server would."""
    classifier = earmark.load(str(folder), precision="int8", threads=torch.get_num_threads())

    def judge(pairs: Sequence[Pair]) -> npt.NDArray[np.float32]:
        shares = np.zeros((len(pairs), len(LABELS)), dtype=np.float32)
        for start in range(0, len(pairs), _AT_ONCE):
            some = [(pair.premise, pair.hypothesis) for pair in pairs[start : start + _AT_ONCE]]
            for row, found in enumerate(classifier.classify(some, function="none"), start):
                for score in found.scores:
                    shares[row, LABELS.index(score.label)] = score.score
        return shares

    return judge


THROUGH: dict[str, Callable[[Path], Judge]] = {
    "transformers": through_transformers,
    "earmark": through_earmark,
}


def measure(judge: Judge, data: Path, *, most_pairs: int | None = None) -> dict[str, Score]:
    """Score a model on every set.

    Args:
        judge: the model at work.
        data: the data folder.
        most_pairs: measure each set by so many pairs at most, drawn always alike; None: by all.

    Raises:
        DataError: a file is missing or is not what it should be.
    """
    return {
        **measure_inference(judge, data, most_pairs=most_pairs),
        **measure_zero_shot(judge, data, most_pairs=most_pairs),
    }


def measure_inference(judge: Judge, data: Path, *, most_pairs: int | None) -> dict[str, Score]:
    """Score a model on the sets of inference; see `measure`."""
    scores = {}
    for name, file in INFERENCE.items():
        pairs = some(read_pairs(data / f"{file}.jsonl.gz", source=name), most_pairs)
        scores[name] = score_inference(judge, pairs)
    return scores


def measure_zero_shot(judge: Judge, data: Path, *, most_pairs: int | None) -> dict[str, Score]:
    """Score a model on the sets of topics and feelings; see `measure`."""
    scores = {}
    for name, topics in ZERO_SHOT.items():
        rows = list(read_rows(data / f"{topics.file}.jsonl.gz", fields=("text", "label")))
        most = most_pairs and most_pairs // len(topics.labels)
        texts = [(row["text"], row["label"]) for row in some(rows, most)]
        scores[name] = score_zero_shot(judge, topics, texts)
    return scores


def some(rows: Sequence[AnyRow], most: int | None) -> Sequence[AnyRow]:
    """Draw `most` rows, always the same; all, where there are no more."""
    if most is None or len(rows) <= most:
        return rows
    return seeded(_DRAW_SEED).sample(rows, most)


def score_inference(judge: Judge, pairs: Sequence[Pair]) -> Score:
    """Count the pairs whose label the model finds."""
    found = judge(pairs).argmax(axis=1)
    right = int((found == np.array([pair.label for pair in pairs])).sum())
    return Score(right, len(pairs))


def score_zero_shot(judge: Judge, topics: TopicSet, texts: Sequence[tuple[str, str]]) -> Score:
    """Count the texts whose label's hypothesis is entailed most.

    Args:
        judge: gives logits, not probabilities: labels compete by how much each is entailed.
        topics: the labels, and the template that makes a hypothesis of each.
        texts: each with its label.
    """
    hypotheses = [topics.template.replace("{}", words) for words in topics.labels.values()]
    pairs = [
        Pair(text, hypothesis, _ENTAILMENT, "") for text, _ in texts for hypothesis in hypotheses
    ]
    entailed = judge(pairs)[:, _ENTAILMENT]
    best = entailed.reshape(len(texts), len(hypotheses)).argmax(axis=1)
    names = list(topics.labels)
    right = sum(names[index] == label for index, (_, label) in zip(best, texts, strict=True))
    return Score(right, len(texts))


def require_sets(data: Path) -> None:
    """Check that the sets to measure by are there, without reading a row of them.

    Raises:
        DataError: one is missing.
    """
    for file in [*INFERENCE.values(), *(topics.file for topics in ZERO_SHOT.values())]:
        path = data / f"{file}.jsonl.gz"
        if not path.is_file():
            raise DataError(f"no file {path}: is --data the right folder?")


def as_json(scores: Mapping[str, Score]) -> dict[str, object]:
    """Accuracies in percent, with the counts that they come from."""
    return {
        name: {"accuracy": one.percent, "correct": one.correct, "rows": one.rows}
        for name, one in scores.items()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the accuracies as JSON; returns the exit code (2: a missing folder or file)."""
    parser = argparse.ArgumentParser(prog="python -m training.zero_shot_measure")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--model", type=Path, required=True, help="the checkpoint folder")
    parser.add_argument(
        "--most-pairs", type=int, default=None, help="pairs of each set (default: all)"
    )
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
        judge = THROUGH[options.through](options.model)
        scores = measure(judge, options.data, most_pairs=options.most_pairs)
    except (DataError, OSError, ImportError) as error:
        print(f"zero_shot_measure: {error}", file=sys.stderr)
        return 2
    json.dump(as_json(scores), sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
