"""The recipe of ``earmark/zero-shot``: MiniLM fine-tuned for natural language inference.

``python -m training.zero_shot --data DATA --out FOLDER [--seed N] [--effort SHARE] [--stages N]``

1. The encoder, still untrained, finds topics and feelings for unlabelled sentences.
2. It is fine-tuned on pairs of inference, on these sentences and on labelled texts, recast as
   "This text is about {label}."; its weights are averaged over the last steps.
3. The model reads machine-written pairs, whose labels are often wrong, and keeps those whose
   label it can believe. With these and more of step 2's pairs it learns on.
4. The weights become int8, and the checkpoint folder is written.

With ``--work FOLDER``, float32 weights are kept there after steps 2 and 3; a run that finds them
goes on from there.
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
from training.data import DataError, count_sources, require_folder, seeded
from training.embedder import Embedder
from training.encoder import EncoderError, encoder_folder, load_tokenizer, new_classifier
from training.inference import encode_pairs, pair_loss
from training.loop import FitOptions, classify, fit
from training.nli_mixture import PairCorpus, draw_unsifted, lay_out_pairs, load_pair_corpus
from training.pairs import LABELS, Pair, sift
from training.quantize import choose_clip, quantise
from training.shelf import Shelf, Stage
from training.zero_shot_measure import (
    judge_with,
    measure,
    measure_inference,
    require_sets,
    score_inference,
    through_earmark,
)
from training.zero_shot_record import Making, write_record

MAX_TOKENS = 72
"""Pairs are cut here in training, the longer text first: tokens are what time goes into, and more
short pairs teach more than fewer long ones."""
MAX_POSITIONS = 512
FIRST = FitOptions(learning_rate=1.5e-4, batch_tokens=2000, average_last=0.3)
SECOND = FitOptions(learning_rate=8e-5, batch_tokens=2000, average_last=0.5)
"""Starts from trained weights, which a full rate would throw away again."""
BELIEVED = 0.4
"""The least probability of a machine-written pair's label, in the eyes of the half-trained model.
A third is chance; much above, what is kept would teach it only what it knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(RecipeOptions):
    """The options of every recipe, and this one's own."""

    effort: float
    stages: int
    most_pairs: int | None
    work: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The float32 model, and the stages that made it."""

    model: PreTrainedModel
    stages: Sequence[Stage]


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
        "clinc150, hwu64, snips, ner_crossner, sentiment_open and, to measure by, eval_mnli_dev, "
        "eval_snli_dev, eval_ag_news, eval_tweeteval, dbpedia14 and sib200_topics_en",
    )
    parser.add_argument(
        "--effort",
        type=positive,
        default=1.0,
        help="the share of the full recipe's pairs to show (default 1)",
    )
    parser.add_argument(
        "--stages",
        type=int,
        choices=(1, 2),
        default=2,
        help="1: stop before step 3, and ship what step 2 made (default 2)",
    )
    parser.add_argument(
        "--most-pairs",
        type=int,
        default=None,
        help="measure each set by so many pairs at most, drawn by chance (default: by all)",
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=None,
        help="a folder for the float32 weights of finished stages, to go on from (default: none)",
    )
    return Options(**vars(parser.parse_args(arguments)))


def train(corpus: PairCorpus, encoder: Path, tokenizer: Tokenizer, options: Options) -> Trained:
    """Fine-tune the encoder; the seed fixes the head, the pairs and their order."""
    model = new_classifier(encoder, LABELS, seed=options.seed)
    shelf, run = Shelf(options.work), f"seed{options.seed}-effort{options.effort}"
    stages = shelf.take(f"{('first', 'second')[options.stages - 1]}-{run}", model)
    if stages:
        return Trained(model=model, stages=stages)
    draw = seeded(options.seed)
    # The encoder below the fresh head is still the sentence encoder that was published.
    embedder = Embedder(encoder=model.bert, tokenizer=tokenizer)
    first, second = lay_out_pairs(corpus, embedder.nearness, effort=options.effort, draw=draw)
    unsifted = draw_unsifted(corpus, effort=options.effort, draw=draw)
    progress(f"laid out {len(first):,} and {len(second):,} pairs, {len(unsifted):,} to sift")

    def learn(name: str, pairs: Sequence[Pair], how: FitOptions) -> Stage:
        samples = encode_pairs(tokenizer, pairs)
        cost = fit(model, [samples], how, loss=pair_loss, seed=options.seed, report=progress)
        return Stage(name=name, fit=cost, shown=count_sources(pairs))

    stages = shelf.take(f"first-{run}", model)
    if not stages:
        stages = [learn("first", first, FIRST)]
        shelf.put(f"first-{run}", model, stages)
    if options.stages == 1:
        return Trained(model=model, stages=stages)
    opinions = classify(model, encode_pairs(tokenizer, unsifted), rough=True)
    second += sift(unsifted, opinions, believed=BELIEVED)
    progress(f"sifted; {len(second):,} pairs in the second stage")
    stages.append(learn("second", second, SECOND))
    shelf.put(f"second-{run}", model, stages)
    return Trained(model=model, stages=stages)


def write(trained: Trained, corpus: PairCorpus, tokenizer: Tokenizer, options: Options) -> None:
    """Quantise the model, measure it, and write the folder with card and metrics."""
    held_out = encode_pairs(tokenizer, corpus.held_out)
    clip = choose_clip(trained.model, lambda model: classify(model, held_out), report=progress)
    draft = checkpoint.draft_folder(options.out)
    checkpoint.write_tokenizer(draft, tokenizer, max_tokens=MAX_POSITIONS)
    checkpoint.write_weights(draft, trained.model, quantise(trained.model.state_dict(), clip=clip))
    making = Making(seed=options.seed, effort=options.effort, clip=clip, stages=trained.stages)
    before, shipped = judge_with(trained.model, tokenizer), through_earmark(draft)
    # What rounding costs shows where there are most rows; the rest would take long in float32.
    float32 = {
        "held_out": score_inference(before, corpus.held_out),
        **measure_inference(before, options.data, most_pairs=options.most_pairs),
    }
    int8 = {
        "held_out": score_inference(shipped, corpus.held_out),
        **measure(shipped, options.data, most_pairs=options.most_pairs),
    }
    write_record(draft, making, float32=float32, int8_weights=int8)
    checkpoint.publish(draft, options.out)
    figures = ", ".join(f"{name} {score.percent}" for name, score in int8.items())
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
    trained = train(corpus, encoder, tokenizer, options)
    write(trained, corpus, tokenizer, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
