"""The recipe of ``earmark/ner``: MiniLM fine-tuned to find names of persons, places and more.

``python -m training.ner --data DATA --out FOLDER [--seed N]``

1. The encoder is fine-tuned on sentences with names marked; its weights are averaged over the
   last steps.
2. The weights become int8, and the checkpoint folder is written.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import BertForTokenClassification, PreTrainedModel

from training import folder as checkpoint
from training.commandline import RecipeOptions, progress, recipe_parser
from training.data import DataError, require_folder, seeded
from training.encoder import EncoderError, encoder_folder, load_tokenizer, new_classifier
from training.loop import Fit, FitOptions, fit
from training.names import encode_tagged, names_loss, piece_scores
from training.ner_mixture import TaggedCorpus, lay_out_passes, load_tagged_corpus
from training.ner_record import Making, measure_names, read_measures, write_record
from training.quantize import choose_clip, load_dequantised, quantise
from training.tagged import TAGS, TaggedSentence

MAX_TOKENS = 128
MAX_POSITIONS = 512
FIT = FitOptions(learning_rate=2e-4, average_last=0.35)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The float32 model, what it was shown, and what that cost."""

    model: PreTrainedModel
    passes: Sequence[Sequence[TaggedSentence]]
    fit: Fit


def parse(arguments: Sequence[str] | None) -> RecipeOptions:
    """Read the command line."""
    parser = recipe_parser(
        "ner",
        data_holds="ner_uner_ewt, ner_crossner, ner_wnut17, ner_wikiann_en, ner_btc and, "
        "to measure by, ner_wikigold",
    )
    return RecipeOptions(**vars(parser.parse_args(arguments)))


def train(corpus: TaggedCorpus, encoder: Path, tokenizer: Tokenizer, *, seed: int) -> Trained:
    """Fine-tune the encoder; the seed fixes the head, the rows and their order."""
    draw = seeded(seed)
    passes = lay_out_passes(corpus, draw=draw)
    model = new_classifier(encoder, TAGS, seed=seed, head=BertForTokenClassification)
    cost = fit(
        model,
        [encode_tagged(tokenizer, sentences) for sentences in passes],
        FIT,
        loss=names_loss,
        seed=seed,
        report=progress,
    )
    return Trained(model=model, passes=passes, fit=cost)


def write(
    trained: Trained, corpus: TaggedCorpus, tokenizer: Tokenizer, options: RecipeOptions
) -> None:
    """Quantise the model, measure it, and write the folder with card and metrics."""
    measures = read_measures(options.data, corpus.held_out)
    held_out = encode_tagged(tokenizer, corpus.held_out)
    clip = choose_clip(trained.model, lambda model: piece_scores(model, held_out), report=progress)
    draft = checkpoint.draft_folder(options.out)
    checkpoint.write_tokenizer(draft, tokenizer, max_tokens=MAX_POSITIONS)
    checkpoint.write_weights(draft, trained.model, quantise(trained.model.state_dict(), clip=clip))
    float32 = measure_names(trained.model, tokenizer, measures)
    int8_weights = measure_names(load_dequantised(draft), tokenizer, measures)
    making = Making(
        seed=options.seed, clip=clip, fit=trained.fit, passes=trained.passes, corpus=corpus
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
        tokenizer = load_tokenizer(encoder)
    except (DataError, EncoderError) as error:
        print(f"ner: {error}", file=sys.stderr)
        return 2
    tokenizer.enable_truncation(MAX_TOKENS)
    trained = train(corpus, encoder, tokenizer, seed=options.seed)
    write(trained, corpus, tokenizer, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
