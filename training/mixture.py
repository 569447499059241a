"""What a sentiment model is shown: which rows, how often, in what order."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from training.batches import Sample
from training.data import (
    Example,
    ReviewSentence,
    hold_out,
    read_examples,
    split_reviews,
    vary,
)

FILM = "sentence_polarity"
REVIEW_ENDS = "movie_reviews_ends"
REVIEW_SENTENCES = "movie_reviews_sentences"

HELD_OUT_ROWS = 1000
HELD_OUT_SEED = 2026
"""Not the recipe's seed: what is held out stays the same, so that seeds can be compared."""

SMOOTHING = 0.05
"""Hard labels become 0.025 and 0.975."""

DOSES = {"pros_cons": 12_000, "goemotions": 8_000}
"""Rows a teacher sees of the sets from other fields: product remarks, comments."""

OTHERS_LEAST_WORDS = 3
"""Pros and cons of one or two words ("Camera") are names of parts, not opinions."""

OTHERS_BY_PASS = (0.65, 1.0)
"""Film sentences fill each of two passes; of the others, 65 % go into the first and the rest
into the second, so that training ends close to its field."""

REVIEW_END_WORDS = 45
"""A review's verdict stands at its end, so the whole review's label fits these words."""

VERDICT_LOG_ODDS = 0.7
"""What a review's own label adds to the log-odds of each of its sentences: about two in three
opinionated sentences side with the verdict, and log(2) is 0.7."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Everything that is learnt from, and the held-out film sentences that choices rest on."""

    train: Sequence[Example]
    held_out: Sequence[Example]
    review_ends: Sequence[Example]
    review_sentences: Sequence[ReviewSentence]


def load_corpus(data: Path) -> Corpus:
    """Read the set ``sentiment_open`` of the data folder.

    Only the sources with a clear licence are kept: film sentences, pros and cons, comments.

    Raises:
        DataError: a file is missing or is not what it should be.
    """
    folder = data / "sentiment_open"
    examples = [
        example
        for example in read_examples(folder / "train.jsonl.gz")
        if example.source == FILM
        or (example.source in DOSES and len(example.text.split()) >= OTHERS_LEAST_WORDS)
    ]
    train, held_out = hold_out(examples, source=FILM, rows=HELD_OUT_ROWS, seed=HELD_OUT_SEED)
    reviews = read_examples(folder / "movie_reviews_long.jsonl.gz")
    ends = [
        Example(" ".join(review.text.split()[-REVIEW_END_WORDS:]), review.label, REVIEW_ENDS)
        for review in reviews
    ]
    known = {example.text for example in examples}
    sentences = [
        sentence
        for sentence in split_reviews(reviews, least_words=8, most_words=32)
        if sentence.text not in known
    ]
    return Corpus(train=train, held_out=held_out, review_ends=ends, review_sentences=sentences)


def teacher_passes(corpus: Corpus, *, draw: random.Random) -> list[list[Example]]:
    """Lay out two passes over the film sentences, with the other sources mixed in.

    Each teacher draws other rows of the larger sets, so that teachers differ in more than order.
    """
    film = [example for example in corpus.train if example.source == FILM]
    others = draw_others(corpus, DOSES, draw=draw)
    cuts = [0, *(int(len(others) * share) for share in OTHERS_BY_PASS)]
    passes = [film + others[start:end] for start, end in pairwise(cuts)]
    passes[0] = passes[0] + list(corpus.review_ends)
    return passes


def draw_others(corpus: Corpus, doses: dict[str, int], *, draw: random.Random) -> list[Example]:
    """Draw so many rows of each source, and shuffle them together."""
    chosen: list[Example] = []
    for source, rows in doses.items():
        candidates = [example for example in corpus.train if example.source == source]
        chosen += draw.sample(candidates, min(rows, len(candidates)))
    draw.shuffle(chosen)
    return chosen


def hard_samples(
    examples: Sequence[Example], tokenizer: Tokenizer, *, draw: random.Random
) -> list[Sample]:
    """Encode labelled rows in a spelling drawn anew, with smoothed labels."""
    ids = encode(tokenizer, [vary(example.text, draw) for example in examples])
    return [
        Sample(tokens, SMOOTHING / 2 + (1 - SMOOTHING) * example.label)
        for tokens, example in zip(ids, examples, strict=True)
    ]


def soft_samples(
    sentences: Sequence[ReviewSentence],
    log_odds: npt.NDArray[np.float32],
    tokenizer: Tokenizer,
    *,
    keep: float,
    draw: random.Random,
) -> list[Sample]:
    """Turn review sentences into samples with soft labels.

    Args:
        sentences: unlabelled, but each knows its review's verdict.
        log_odds: the teachers' mean log-odds of the positive class, [sentences].
        tokenizer: without padding; it cuts at the longest text wanted.
        keep: the share kept, the surest; most of the rest tells the plot and takes no side.
        draw: draws the spelling of each sentence.
    """
    verdicts = np.array([2 * sentence.review_label - 1 for sentence in sentences])
    combined = log_odds + VERDICT_LOG_ODDS * verdicts
    surest = np.argsort(-np.abs(combined), kind="stable")[: int(len(sentences) * keep)]
    ids = encode(tokenizer, [vary(sentences[index].text, draw) for index in surest])
    positive = 1 / (1 + np.exp(-combined[surest]))
    return [Sample(tokens, float(target)) for tokens, target in zip(ids, positive, strict=True)]


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[tuple[int, ...]]:
    """Encode texts to token ids, [CLS] and [SEP] included, in order."""
    return [tuple(encoding.ids) for encoding in tokenizer.encode_batch(list(texts))]
