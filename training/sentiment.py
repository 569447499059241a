"""The recipe of ``earmark/sentiment``: MiniLM fine-tuned for English sentiment, in two classes.

``python -m training.sentiment --data DATA --out FOLDER [--seed N] [--teachers N]``

1. The encoder is fine-tuned on labelled sentences; its weights are averaged over the last steps.
2. The weights become int8, and the checkpoint folder is written.

With ``--teachers N`` a student comes in between. The fine-tuned models are its teachers, each with
draws of its own; their mean opinion and each film review's own verdict label sentences of whole
reviews, from which, and from the labelled sentences, the mean of the teachers' weights learns on.
One teacher gained nothing on the held-out sentences (82.3 % against 82.3 %, and a worse log
loss), hence the default of none.
"""

import argparse
import copy
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel

from training import folder as checkpoint
from training.card import render_card
from training.data import DataError, require_folder
from training.encoder import EncoderError, encoder_folder, load_tokenizer
from training.evaluate import MAX_TOKENS, classify_with, require_measures, score_sst2
from training.loop import predict
from training.metrics import Making, Measured, build_metrics
from training.mixture import encode, load_corpus
from training.quantize import Clip, dequantise, load_dequantised, quantise
from training.stages import (
    Ledger,
    Workshop,
    choose_start,
    label_pool,
    score_held_out,
    train_student,
    train_teacher,
)

MAX_POSITIONS = 512
CLIPS: tuple[Clip, ...] = ("max", "mse")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command line: the data folder, the folder to write, and what may be varied."""

    data: Path
    out: Path
    seed: int
    teachers: int
    threads: int | None


def progress(line: str) -> None:
    """Show a line of progress on stderr."""
    print(line, file=sys.stderr, flush=True)


def parse(arguments: Sequence[str] | None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.sentiment",
        description="Train earmark/sentiment and write its checkpoint folder.",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="the data folder, which holds sentiment_open and sst2",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="the checkpoint folder to write; replaced, once all is done",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="fixes every draw: head, order, spelling, rows (default 1)",
    )
    parser.add_argument(
        "--teachers",
        type=int,
        default=0,
        help="fine-tuned models whose mean opinion labels review sentences for a student; "
        "0 ships one fine-tuned model as it is (default 0)",
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=None,
        help="threads to compute with (default: as many as PyTorch chooses); where others "
        "compute too, set OMP_WAIT_POLICY=PASSIVE, so that threads do not spin while they wait",
    )
    found = parser.parse_args(arguments)
    return Options(
        data=found.data,
        out=found.out,
        seed=found.seed,
        teachers=found.teachers,
        threads=found.threads,
    )


def train(shop: Workshop, options: Options) -> PreTrainedModel:
    """Run the stages; returns the float32 model."""
    teachers = [
        train_teacher(
            shop, seed=options.seed + index, head_seed=options.seed, name=f"teacher {index + 1}"
        )
        for index in range(max(1, options.teachers))
    ]
    if not options.teachers:
        return teachers[0]
    pool = label_pool(shop, teachers, seed=options.seed)
    student = choose_start(shop, teachers)
    train_student(shop, student, pool, seed=options.seed)
    return student


def choose_clip(shop: Workshop, model: PreTrainedModel) -> Clip:
    """Take the clip whose log-odds on the held-out sentences drift least from float32."""
    ids = encode(shop.tokenizer, [example.text for example in shop.corpus.held_out])
    before = predict(model, ids)
    drift: dict[Clip, float] = {}
    for clip in CLIPS:
        rounded = copy.deepcopy(model)
        rounded.load_state_dict(dequantise(quantise(model.state_dict(), clip=clip)))
        drift[clip] = float(np.abs(predict(rounded, ids) - before).mean())
        progress(f"clip {clip}: log-odds drift by {drift[clip]:.4f} on average")
    return min(drift, key=drift.__getitem__)


def measure(shop: Workshop, model: PreTrainedModel, data: Path) -> Measured:
    """Score a finished model; SST-2 is looked at here and nowhere before."""
    classify = classify_with(model, shop.tokenizer)
    return Measured(held_out=score_held_out(shop, model), sst2=score_sst2(classify, data))


def write(shop: Workshop, model: PreTrainedModel, options: Options, seconds: float) -> None:
    """Quantise `model`, measure it, and write the folder with card and metrics."""
    clip = choose_clip(shop, model)
    draft = checkpoint.draft_folder(options.out)
    checkpoint.write_tokenizer(draft, shop.tokenizer, max_tokens=MAX_POSITIONS)
    checkpoint.write_weights(draft, model, quantise(model.state_dict(), clip=clip))
    making = Making(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=options.seed,
        teachers=options.teachers,
        clip=clip,
        seconds=seconds,
        threads=torch.get_num_threads(),
        processor=checkpoint.processor_name(),
        folder_bytes=checkpoint.folder_bytes(draft),
    )
    float32 = measure(shop, model, options.data)
    int8_weights = measure(shop, load_dequantised(draft), options.data)
    metrics = build_metrics(shop, making, float32=float32, int8_weights=int8_weights)
    tokens = sum(fit.tokens for fit in shop.ledger.fits.values())
    card = render_card(making, float32=float32, int8_weights=int8_weights, tokens=tokens)
    (draft / "README.md").write_text(card, encoding="utf-8")
    checkpoint.write_json(draft / "metrics.json", metrics)
    checkpoint.publish(draft, options.out)
    progress(
        f"wrote {options.out}: SST-2 together {float32.sst2['together'].percent} % float32, "
        f"{int8_weights.sst2['together'].percent} % int8"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and write; returns the exit code (2: a folder, a file or the encoder is missing)."""
    options = parse(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        require_folder(options.data)
        require_measures(options.data)
        folder = encoder_folder()
        tokenizer = load_tokenizer(folder)
        tokenizer.enable_truncation(MAX_TOKENS)
        shop = Workshop(
            corpus=load_corpus(options.data),
            encoder=folder,
            tokenizer=tokenizer,
            ledger=Ledger(),
            report=progress,
        )
    except (DataError, EncoderError) as error:
        print(f"sentiment: {error}", file=sys.stderr)
        return 2
    started_s = time.perf_counter()
    model = train(shop, options)
    write(shop, model, options, time.perf_counter() - started_s)
    return 0


if __name__ == "__main__":
    sys.exit(main())
