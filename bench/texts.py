"""Texts to classify: seeded words of a known number of tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

BLOCK_BITS = 5
BLOCK = 1 << BLOCK_BITS
"""Every so many consecutive texts have the same spread of lengths, and so, nearly, have every 4, 8
and 16. A slow server sees few texts in a round: without this, which ones it happened to get would
move its rate by a fifth."""
BLOCKS = 16
SPECIAL_TOKENS = 2
"""``[CLS]`` and ``[SEP]``; tokens are counted with them."""

MIXED_MEDIAN, MIXED_SIGMA = 24.0, 0.65
"""A log-normal with a mean near 30 tokens: most texts are a sentence, a few are paragraphs."""
MIXED_BOUNDS = 5, 120
SHORT_BOUNDS = 10, 16

FIRST_COMMON_WORD = 1996
"""The vocabulary of BERT is sorted: symbols, then words from frequent to rare. This is "the"."""
LAST_COMMON_WORD = 20_000
SHORTEST_WORD = 2


class TextSet(msgspec.Struct, frozen=True, kw_only=True):
    """Texts, and how many tokens each has.

    Attributes:
        name: ``mixed`` or ``short``.
        texts: in the order in which they are asked; after the last comes the first.
        tokens: of each text, special tokens included.
    """

    name: str
    texts: tuple[str, ...]
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words that are a single token each, with a full stop among them."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, tokenizer_file: Path) -> "Vocabulary":
        """Take the common words of a BERT vocabulary."""
        tokenizer = Tokenizer.from_file(str(tokenizer_file))
        found = (
            tokenizer.id_to_token(index) for index in range(FIRST_COMMON_WORD, LAST_COMMON_WORD)
        )
        return cls(tuple(word for word in found if word is not None and _is_word(word)))

    def text(self, tokens: int, random: np.random.Generator) -> str:
        """Write a text of so many tokens: words, and a full stop at the end."""
        words = random.integers(len(self.words), size=tokens - SPECIAL_TOKENS - 1)
        return " ".join(self.words[index] for index in words) + "."


def make_texts(tokenizer_file: Path, *, seed: int) -> tuple[TextSet, ...]:
    """Make both sets: mixed lengths, and short texts.

    Args:
        tokenizer_file: a BERT ``tokenizer.json``.
        seed: the same one gives the same texts.

    Raises:
        ValueError: the tokenizer does not take each word for one token.
    """
    random = np.random.default_rng(seed)
    vocabulary = Vocabulary.of(tokenizer_file)
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    sets = []
    for name, lengths in (("mixed", _mixed(random)), ("short", _short(random))):
        texts = tuple(vocabulary.text(int(length), random) for length in lengths)
        tokens = tuple(len(one.ids) for one in tokenizer.encode_batch(list(texts)))
        if tokens != tuple(lengths):
            raise ValueError(f"{tokenizer_file} splits words that stand in its own vocabulary")
        sets.append(TextSet(name=name, texts=texts, tokens=tokens))
    return tuple(sets)


def describe(texts: TextSet) -> dict[str, float]:
    """Return the distribution of a set's lengths, in tokens."""
    quantiles = np.percentile(texts.tokens, [0, 10, 50, 90, 100])
    names = ("least", "p10", "median", "p90", "most")
    spread = dict(zip(names, map(float, quantiles), strict=True))
    return {"texts": len(texts.texts), "mean": round(float(np.mean(texts.tokens)), 1), **spread}


def write_texts(sets: Sequence[TextSet], path: Path) -> None:
    """Write sets to a file that other processes read."""
    path.write_bytes(msgspec.json.encode(sets))


def read_texts(path: Path) -> dict[str, TextSet]:
    """Read sets back, by name."""
    sets = msgspec.json.decode(path.read_bytes(), type=tuple[TextSet, ...])
    return {one.name: one for one in sets}


def _is_word(token: str) -> bool:
    return token.isascii() and token.isalpha() and token.islower() and len(token) >= SHORTEST_WORD


def _mixed(random: np.random.Generator) -> NDArray[np.int64]:
    """Draw one length from each `BLOCK`-th of the log-normal, block by block."""
    # The quantile function of the normal, read off a large sample: numpy has none of its own.
    normal = np.sort(random.standard_normal(100_000))
    shares = (np.arange(BLOCK) + random.random((BLOCKS, BLOCK))) / BLOCK
    drawn = MIXED_MEDIAN * np.exp(MIXED_SIGMA * np.quantile(normal, shares))
    return _spread(np.rint(np.clip(drawn, *MIXED_BOUNDS)).astype(np.int64), random)


def _spread(rising: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
    """Reorder each row, short to long, so that its aligned parts of 2, 4, 8... are alike.

    That is the order of a scrambled van der Corput sequence: the bits of the index reversed, some
    of them flipped, other ones in each row.
    """
    order = np.array([int(f"{index:0{BLOCK_BITS}b}"[::-1], 2) for index in range(BLOCK)])
    flips = random.integers(BLOCK, size=(len(rising), 1))
    return np.take_along_axis(rising, order ^ flips, axis=1).reshape(-1)


def _short(random: np.random.Generator) -> NDArray[np.int64]:
    low, high = SHORT_BOUNDS
    steps = np.arange(BLOCK) % (high - low + 1) + low
    return _spread(np.tile(np.sort(steps), (BLOCKS, 1)), random)
