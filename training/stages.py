"""The stages of the sentiment recipe: teachers, their opinion of review prose, the student."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from training.averaging import average
from training.batches import Sample
from training.binary import binary_loss, predict
from training.data import Example, as_treebank, seeded
from training.encoder import new_classifier
from training.loop import Fit, FitOptions, Report, fit
from training.mixture import (
    FILM,
    REVIEW_SENTENCES,
    Corpus,
    draw_others,
    encode,
    hard_samples,
    soft_samples,
    teacher_passes,
)

LABEL_NAMES = ("NEGATIVE", "POSITIVE")

TEACHER = FitOptions(learning_rate=1e-4, average_last=0.35)
STUDENT = FitOptions(learning_rate=6e-5, average_last=0.5, hidden_dropout=0.1)
"""The student starts from trained weights, which a full rate would throw away again; dropout
keeps it from learning by heart the film sentences that it has seen before."""

POOL_SENTENCES = 12_000
POOL_KEEP = 0.7
STUDENT_FILM_PASSES = 1
STUDENT_OTHERS = {"pros_cons": 3_000, "goemotions": 2_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """Accuracy in percent on the held-out film sentences, in both spellings."""

    as_written: float
    as_treebank: float


@dataclass(slots=True)
class Ledger:
    """What the stages used up: rows shown and tokens by source, and each run's own figures."""

    rows: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    fits: dict[str, Fit] = field(default_factory=dict)
    held_out: dict[str, HeldOut] = field(default_factory=dict)

    def note(self, sources: Sequence[str], samples: Sequence[Sample]) -> None:
        """Add samples that are about to be shown, each with the source that it is from."""
        for source, sample in zip(sources, samples, strict=True):
            self.rows[source] += 1
            self.tokens[source] += len(sample.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What every stage works with."""

    corpus: Corpus
    encoder: Path
    tokenizer: Tokenizer
    ledger: Ledger
    report: Report

    def hard(self, examples: Sequence[Example], draw: random.Random) -> list[Sample]:
        """Encode labelled rows, and note them in the ledger."""
        samples = hard_samples(examples, self.tokenizer, draw=draw)
        self.ledger.note([example.source for example in examples], samples)
        return samples


def train_teacher(shop: Workshop, *, seed: int, head_seed: int, name: str) -> PreTrainedModel:
    """Fine-tune the encoder on labelled sentences.

    Teachers differ by `seed` (rows, order, spelling) but share `head_seed`: only weights that
    set out from one point can be averaged later.
    """
    draw = seeded(seed)
    passes = [shop.hard(rows, draw) for rows in teacher_passes(shop.corpus, draw=draw)]
    model = new_classifier(shop.encoder, LABEL_NAMES, seed=head_seed)
    run(shop, model, passes, TEACHER, seed=seed, name=name)
    return model


def label_pool(shop: Workshop, teachers: Sequence[PreTrainedModel], *, seed: int) -> list[Sample]:
    """Let the teachers label review sentences; returns the surest, with soft labels."""
    draw = seeded(seed)
    pool = list(shop.corpus.review_sentences)
    pool = draw.sample(pool, min(POOL_SENTENCES, len(pool)))
    ids = encode(shop.tokenizer, [sentence.text for sentence in pool])
    shop.report(f"labelling {len(pool):,} review sentences")
    opinions: list[npt.NDArray[np.float32]] = [predict(model, ids) for model in teachers]
    mean: npt.NDArray[np.float32] = np.stack(opinions).mean(axis=0)
    samples = soft_samples(pool, mean, shop.tokenizer, keep=POOL_KEEP, draw=draw)
    shop.ledger.note([REVIEW_SENTENCES] * len(samples), samples)
    return samples


def choose_start(shop: Workshop, teachers: Sequence[PreTrainedModel]) -> PreTrainedModel:
    """Pick the student's start: the teachers' mean weights, or the best teacher if it is better.

    Better is what gets more of the held-out film sentences right, both spellings counted; the
    mean wins a tie.
    """
    if len(teachers) == 1:
        return teachers[0]
    mean = average(teachers)
    shop.ledger.held_out["mean of teachers"] = score_held_out(shop, mean)
    candidates = {"mean of teachers": mean} | {
        f"teacher {number}": model for number, model in enumerate(teachers, start=1)
    }
    scores = shop.ledger.held_out
    best = max(candidates, key=lambda name: scores[name].as_written + scores[name].as_treebank)
    shop.report(f"the student starts from {best}: {scores[best]}")
    return candidates[best]


def train_student(
    shop: Workshop, model: PreTrainedModel, pool: Sequence[Sample], *, seed: int
) -> None:
    """Train a model on, in place, from the labelled pool and from labelled rows.

    The pool is spread evenly over as many passes as the film sentences get.
    """
    draw = seeded(seed)
    film = [example for example in shop.corpus.train if example.source == FILM]
    passes: list[list[Sample]] = []
    for index in range(STUDENT_FILM_PASSES):
        others = draw_others(shop.corpus, STUDENT_OTHERS, draw=draw)
        labelled = shop.hard(film + others, draw)
        passes.append(labelled + list(pool[index::STUDENT_FILM_PASSES]))
    run(shop, model, passes, STUDENT, seed=seed, name="student")


def run(
    shop: Workshop,
    model: PreTrainedModel,
    passes: Sequence[Sequence[Sample]],
    options: FitOptions,
    *,
    seed: int,
    name: str,
) -> None:
    """Train in place; note the time and the held-out accuracy under `name`."""
    shop.ledger.fits[name] = fit(
        model,
        passes,
        options,
        loss=binary_loss,
        seed=seed,
        report=lambda line: shop.report(f"{name}: {line}"),
    )
    held_out = score_held_out(shop, model)
    shop.ledger.held_out[name] = held_out
    shop.report(
        f"{name}: held out {held_out.as_written} % as written, "
        f"{held_out.as_treebank} % as treebanks spell"
    )


def score_held_out(shop: Workshop, model: PreTrainedModel) -> HeldOut:
    """Score a model on the held-out film sentences, as they are and as treebanks spell them."""
    examples = shop.corpus.held_out
    labels = np.array([example.label for example in examples])

    def percent(texts: Sequence[str]) -> float:
        log_odds = predict(model, encode(shop.tokenizer, texts))
        return round(100 * float(np.mean((log_odds > 0) == labels)), 2)

    return HeldOut(
        as_written=percent([example.text for example in examples]),
        as_treebank=percent([as_treebank(example.text) for example in examples]),
    )
