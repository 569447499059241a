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

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from transformers import PreTrainedModel

from training import folder as checkpoint
from training.binary import predict
from training.card import render_card
from training.commandline import RecipeOptions, progress, recipe_parser
from training.data import DataError, require_folder
from training.encoder import EncoderError, encoder_folder, load_tokenizer
from training.evaluate import MAX_TOKENS, classify_with, require_measures, score_sst2
from training.metrics import Making, Measured, build_metrics
from training.mixture import encode, load_corpus
from training.provenance import processor_name
from training.quantize import choose_clip, load_dequantised, quantise
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(RecipeOptions):
    """The command line: the options of every recipe, and one of this one's own."""

    teachers: int


def parse(arguments: Sequence[str] | None) -> Options:
    """Read the command line."""
    parser = recipe_parser("sentiment", data_holds="sentiment_open and sst2")
    parser.add_argument(
        "--teachers",
        type=int,
        default=0,
        help="fine-tuned models whose mean opinion labels review sentences for a student; "
        "0 ships one fine-tuned model as it is (default 0)",
    )
    return Options(**vars(parser.parse_args(arguments)))


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


def measure(shop: Workshop, model: PreTrainedModel, data: Path) -> Measured:
    """Score a finished model; SST-2 is looked at here and nowhere before."""
    classify = classify_with(model, shop.tokenizer)
    return Measured(held_out=score_held_out(shop, model), sst2=score_sst2(classify, data))


def write(shop: Workshop, model: PreTrainedModel, options: Options, seconds: float) -> None:
    """Quantise `model`, measure it, and write the folder with card and metrics."""
    held_out = encode(shop.tokenizer, [example.text for example in shop.corpus.held_out])
    clip = choose_clip(model, lambda candidate: predict(candidate, held_out), report=progress)
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
        processor=processor_name(),
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
