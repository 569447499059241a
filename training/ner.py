"""The recipe of ``earmark/ner``: MiniLM fine-tuned to find names of persons, places and more.

``python -m training.ner --data DATA --out FOLDER [--seed N]``

1. The encoder is fine-tuned on sentences with names marked; its weights are averaged over the
   last steps.
2. The weights become int8, and the checkpoint folder is written.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import BertForTokenClassification, PreTrainedModel

from training import folder as checkpoint
from training.averaging import average
from training.casing import with_case_marks
from training.commandline import RecipeOptions, progress, recipe_parser
from training.data import DataError, require_folder, seeded
from training.encoder import EncoderError, encoder_folder, load_tokenizer, new_classifier
from training.loop import Fit, FitOptions, fit
from training.names import names_loss, piece_scores
from training.ner_mixture import TaggedCorpus, lay_out_passes, load_tagged_corpus
from training.ner_record import Making, measure_names, read_measures, write_record
from training.quantize import choose_clip, load_dequantised, quantise
from training.tagged import TAGS, TaggedSentence
from training.tagged_pieces import encode_tagged

MAX_TOKENS = 128
MAX_POSITIONS = 512
RUNS = 2
FIT = FitOptions(learning_rate=2e-4, average_last=0.35)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(RecipeOptions):
    """The command line: the options of every recipe, and two of this one's own."""

    runs: int
    keep: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The float32 model, what it was shown, and what that cost."""

    model: PreTrainedModel
    passes: Sequence[Sequence[TaggedSentence]]
    fit: Fit


def parse(arguments: Sequence[str] | None) -> Options:
    """Read the command line."""
    parser = recipe_parser(
        "ner",
        data_holds="ner_uner_ewt, ner_crossner, ner_wnut17, ner_wikiann_en, ner_btc and, "
        "to measure by, ner_wikigold",
    )
    parser.add_argument(
        "--runs",
        type=int,
        default=RUNS,
        help=f"models trained, each on draws of its own; their mean weights are shipped "
        f"(default {RUNS})",
    )
    parser.add_argument(
        "--keep",
        type=Path,
        default=None,
        help="a folder that keeps the weights of each run, so that what was cut off, or is to have "
        "more runs, goes on from there; empty it when recipe or data change",
    )
    return Options(**vars(parser.parse_args(arguments)))


def train_together(
    corpus: TaggedCorpus, encoder: Path, tokenizer: Tokenizer, options: Options
) -> Trained:
    """Fine-tune the encoder some times, and take the mean of the weights."""
    trained = [
        train(
            corpus,
            encoder,
            tokenizer,
            seed=options.seed + run,
            head_seed=options.seed,
            keep=options.keep,
        )
        for run in range(max(1, options.runs))
    ]
    return Trained(
        model=average([one.model for one in trained]),
        passes=[rows for one in trained for rows in one.passes],
        fit=Fit(
            steps=sum(one.fit.steps for one in trained),
            tokens=sum(one.fit.tokens for one in trained),
            seconds=sum(one.fit.seconds for one in trained),
        ),
    )


def train(
    corpus: TaggedCorpus,
    encoder: Path,
    tokenizer: Tokenizer,
    *,
    seed: int,
    head_seed: int,
    keep: Path | None,
) -> Trained:
    """Fine-tune the encoder; the seed fixes the rows, their order and which names are swapped.

    Runs share `head_seed`: only weights that set out from one point can be averaged.
    """
    draw = seeded(seed)
    passes = lay_out_passes(corpus, draw=draw)
    model = new_classifier(encoder, TAGS, seed=head_seed, head=BertForTokenClassification)
    kept = None if keep is None else keep / f"ner-{head_seed}-{seed}.safetensors"
    if kept and kept.is_file():
        progress(f"run {seed} is taken from {kept}")
        return Trained(model=model, passes=passes, fit=load_run(model, kept))
    cost = fit(
        model,
        [encode_tagged(tokenizer, sentences) for sentences in passes],
        FIT,
        loss=names_loss,
        seed=seed,
        report=progress,
    )
    if kept:
        keep_run(model, cost, kept)
    return Trained(model=model, passes=passes, fit=cost)


def keep_run(model: PreTrainedModel, cost: Fit, path: Path) -> None:
    """Write the float32 weights of a run, and what they cost."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: tensor.contiguous() for name, tensor in model.state_dict().items()},
        path,
        metadata={"fit": json.dumps(asdict(cost))},
    )


def load_run(model: PreTrainedModel, path: Path) -> Fit:
    """Give a model the weights of a run; returns what they cost."""
    with safe_open(path, framework="pt") as file:
        model.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        return Fit(**json.loads(file.metadata()["fit"]))


def write(trained: Trained, corpus: TaggedCorpus, tokenizer: Tokenizer, options: Options) -> None:
    """Quantise the model, measure it, and write the folder with card and metrics."""
    measures = read_measures(options.data, corpus.held_out)
    held_out = encode_tagged(tokenizer, corpus.held_out)
    clip = choose_clip(trained.model, lambda model: piece_scores(model, held_out), report=progress)
    draft = checkpoint.draft_folder(options.out)
    checkpoint.write_tokenizer(
        draft, tokenizer, max_tokens=MAX_POSITIONS, kind="PreTrainedTokenizerFast"
    )
    checkpoint.write_weights(draft, trained.model, quantise(trained.model.state_dict(), clip=clip))
    float32 = measure_names(trained.model, tokenizer, measures)
    int8_weights = measure_names(load_dequantised(draft), tokenizer, measures)
    making = Making(
        seed=options.seed,
        runs=options.runs,
        clip=clip,
        fit=trained.fit,
        passes=trained.passes,
        corpus=corpus,
    )
    write_record(draft, making, float32=float32, int8_weights=int8_weights)
    checkpoint.publish(draft, options.out)
    progress(
        f"wrote {options.out}: "
        + ", ".join(
            f"{name} {scores.words['all'].f1} float32, {int8_weights[name].words['all'].f1} int8"
            for name, scores in float32.items()
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and write; returns the exit code (2: a folder, a file or the encoder is missing)."""
    options = parse(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        corpus = load_tagged_corpus(require_folder(options.data))
        read_measures(options.data, ())  # better missed now than after the training
        encoder = encoder_folder()
        tokenizer = with_case_marks(load_tokenizer(encoder))
    except (DataError, EncoderError) as error:
        print(f"ner: {error}", file=sys.stderr)
        return 2
    tokenizer.enable_truncation(MAX_TOKENS)
    trained = train_together(corpus, encoder, tokenizer, options)
    write(trained, corpus, tokenizer, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
