"""The recipe of ``earmark/zero-shot``: MiniLM fine-tuned for natural language inference.

``python -m training.zero_shot --data DATA --out FOLDER [--seed N] [--effort SHARE]``

1. The encoder, still untrained, finds topics and feelings for unlabelled sentences.
2. It is fine-tuned on pairs of inference, on these sentences and on labelled commands, recast as
   "This text is about {label}."; its weights are averaged over the last steps.
3. The weights become int8, and the checkpoint folder is written.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from training import folder as checkpoint
from training.commandline import RecipeOptions, progress, recipe_parser
from training.data import DataError, require_folder, seeded
from training.embedder import Embedder
from training.encoder import EncoderError, encoder_folder, load_tokenizer, new_classifier
from training.inference import encode_pairs, pair_loss
from training.loop import Fit, FitOptions, classify, fit
from training.nli_mixture import PairCorpus, lay_out_pairs, load_pair_corpus
from training.pairs import LABELS, Pair
from training.quantize import choose_clip, load_dequantised, quantise
from training.zero_shot_measure import measure, require_sets, score_inference
from training.zero_shot_record import Making, write_record

MAX_TOKENS = 72
"""Pairs are cut here in training, the longer text first: tokens are what time goes into, and more
short pairs teach more than fewer long ones."""
MAX_POSITIONS = 512
FIT = FitOptions(learning_rate=1.5e-4, batch_tokens=2000, average_last=0.3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(RecipeOptions):
    """The options of every recipe, and this one's own."""

    effort: float
    most_pairs: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The float32 model, what it was shown, and what that cost."""

    model: PreTrainedModel
    passes: Sequence[Sequence[Pair]]
    fit: Fit


def positive(text: str) -> float:
    """Read a number above zero.

    Raises:
        argparse.ArgumentTypeError: it is none, which argparse turns into a line of usage.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, found {text}")
    return number


def parse(arguments: Sequence[str] | None) -> Options:
    """Read the command line."""
    parser = recipe_parser(
        "zero_shot",
        data_holds="nli_mnli_part, nli_snli_derived, nli_logic_small, nli_generated, banking77, "
        "clinc150, hwu64, snips, sentiment_open and, to measure by, eval_mnli_dev, "
        "eval_snli_dev, eval_ag_news, eval_tweeteval, dbpedia14 and sib200_topics_en",
    )
    parser.add_argument(
        "--effort",
        type=positive,
        default=1.0,
        help="the share of the full recipe's pairs to show (default 1)",
    )
    parser.add_argument(
        "--most-pairs",
        type=int,
        default=None,
        help="measure each set by so many pairs at most, drawn by chance (default: by all)",
    )
    return Options(**vars(parser.parse_args(arguments)))


def train(
    corpus: PairCorpus, encoder: Path, tokenizer: Tokenizer, *, seed: int, effort: float
) -> Trained:
    """Fine-tune the encoder; the seed fixes the head, the pairs and their order."""
    model = new_classifier(encoder, LABELS, seed=seed)
    draw = seeded(seed)
    # The encoder below the fresh head is still the sentence encoder that was published.
    embedder = Embedder(encoder=model.bert, tokenizer=tokenizer)
    passes = lay_out_pairs(corpus, embedder.nearness, effort=effort, draw=draw)
    progress(f"laid out {sum(map(len, passes)):,} pairs in {len(passes)} passes")
    cost = fit(
        model,
        [encode_pairs(tokenizer, pairs) for pairs in passes],
        FIT,
        loss=pair_loss,
        seed=seed,
        report=progress,
    )
    return Trained(model=model, passes=passes, fit=cost)


def write(trained: Trained, corpus: PairCorpus, tokenizer: Tokenizer, options: Options) -> None:
    """Quantise the model, measure it, and write the folder with card and metrics."""
    held_out = encode_pairs(tokenizer, corpus.held_out)
    clip = choose_clip(trained.model, lambda model: classify(model, held_out), report=progress)
    draft = checkpoint.draft_folder(options.out)
    checkpoint.write_tokenizer(draft, tokenizer, max_tokens=MAX_POSITIONS)
    checkpoint.write_weights(draft, trained.model, quantise(trained.model.state_dict(), clip=clip))
    rounded = load_dequantised(draft)
    making = Making(
        seed=options.seed,
        effort=options.effort,
        clip=clip,
        fit=trained.fit,
        passes=trained.passes,
        held_out_float32=score_inference(trained.model, tokenizer, corpus.held_out),
        held_out_int8=score_inference(rounded, tokenizer, corpus.held_out),
    )
    progress(f"held out: {making.held_out_float32.percent} % float32")
    scores = measure(rounded, tokenizer, options.data, most_pairs=options.most_pairs)
    write_record(draft, making, scores)
    checkpoint.publish(draft, options.out)
    figures = ", ".join(f"{name} {score.percent}" for name, score in scores.items())
    progress(f"wrote {options.out}: {figures}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and write; returns the exit code (2: a folder, a file or the encoder is missing)."""
    options = parse(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        corpus = load_pair_corpus(require_folder(options.data))
        require_sets(options.data)
        encoder = encoder_folder()
        tokenizer = load_tokenizer(encoder)
    except (DataError, EncoderError) as error:
        print(f"zero_shot: {error}", file=sys.stderr)
        return 2
    tokenizer.enable_truncation(MAX_TOKENS)
    trained = train(corpus, encoder, tokenizer, seed=options.seed, effort=options.effort)
    write(trained, corpus, tokenizer, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
