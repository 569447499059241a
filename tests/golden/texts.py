"""The texts that golden cases are asked about."""

from collections.abc import Sequence
from itertools import cycle, islice

from support.vocabulary import WORDS

SINGLES = (
    "",
    "good",
    "I love this film, and the story is really great!",
    "The food was awful; service dull. Never again...",
    "Café crème à la Zürich, naïve façade: ¡señor!",
    "cafe\u0301 u\u0308ber",  # the same letters, decomposed
    "这部电影很好看 and not bad",
    "great 🙂 movie 🎬 👩\u200d👩\u200d👧",  # the last one joined out of three
    "  two  spaces\tand a tab\r\nand a line ",
    "control \x00\x07\x1b characters\u200b, soft\u00adhyphen, \ufffd",
    "<b>2 + 2 = 4</b> & [SEP] in the text [MASK]",  # a special token, spelt out
    "x" * 120,  # over the 100 letters that WordPiece tries to cut up
)
"""Every kind of character that a tokenizer treats in its own way."""

PAIRS = (
    ("What is good?", "The film is good."),
    ("", "an empty first half"),
    ("an empty second half", ""),
    ("Où est 电影?", "🙂 HERE"),
)

FEW_TEXTS = (
    "I love this film, and the story is really great!",
    "The food was awful; service dull.",
    "good",
    ("What is good?", "The film is good."),
    ("What is dull?", "We never read much."),
)
"""Enough where a case is about the model and not about texts."""

ACCENT_TEXTS = (
    "CAFÉ Crème à la Zürich, Naïve Façade",
    "cafe\u0301 U\u0308BER",
    "这部电影很好看 NOT bad",
    "I Love THIS film",
    ("Où EST 电影?", "Été"),
)
"""Texts that each option of a WordPiece tokenizer reads differently."""

WORD_TEXTS = (
    "",
    "My name is Sarah Jessica Parker but you can call me Jessica",
    "Paris, the great city; and (Rome) or New-York's O'Hare: U.N.!",
    "  two  spaces\tand a tab\r\nand a line ",
    "Café crème à la Zürich, naïve façade in München",
    "cafe\u0301 u\u0308ber Mu\u0308nchen and the \ufb01lm",  # decomposed; a ligature
    "这部电影很好看 and not bad in 東京",
    "great 🙂 movie 🎬 for 👩\u200d👩\u200d👧 people",
    "[UNK] and <unk> and </s> written out",
    "control \x00\x07\x1b characters\u200b, soft\u00adhyphen, \ufffd and\u00a0more",
    "never " + "x" * 101,  # one letter more than WordPiece tries to cut up
)
"""Texts whose words are hard to find."""

TABS = WORD_TEXTS[3]
"""White space that a vocabulary may not know, which the reference calls a word."""

DROPPED_ACCENTS = WORD_TEXTS[5]
"""Its accents, where a tokenizer drops them, are of no token of the reference."""

MARKED_TEXTS = (
    "",
    "the film is good and the story great",
    "never again! the food was bad, we really love it.",
    "people like more of this day",
    "play much love day",
)
"""Texts whose words begin where the reference looks for them too: at the space before a token
that carries the mark of one (docs/differences.md)."""

LONG_TEXTS = (
    "Sarah Jessica Parker was never in Paris, and the people of New-York's O'Hare like it. " * 2,
    "great 🙂 movie 🎬 很好看 cafe\u0301 " * 4,
    "  and  the\n\nfilm\tis  (very)  good,  really; " * 3,
    "pneumonoultramicroscopicsilicovolcanoconiosis",
    "a good film",
)
"""Texts of several windows, and one of a single one."""

LONG_MARKED_TEXTS = (*((text + " ") * 5 for text in MARKED_TEXTS[1:]), "a good film")
"""The same, of words that begin where the reference looks for them."""

PREMISES = (
    "I love this film, and the story is really great!",
    "The food was awful; service dull.",
    "🙂 这部电影 Café",
    "  ",
    "people like the good story of a day " * 12,  # cut to make room for a hypothesis
)
"""Texts for every hypothesis to be held against."""


def edge_texts(max_tokens: int) -> tuple[str, ...]:
    """Make texts of exactly the model's maximum, one less, one more, and far more.

    Args:
        max_tokens: the maximum, the two special tokens included.
    """
    room = max_tokens - 2
    return tuple(_words(count) for count in (room, room - 1, room + 1, 4 * max_tokens))


def edge_pairs(max_tokens: int, *, special_tokens: int = 3) -> tuple[tuple[str, str], ...]:
    """Make pairs around the model's maximum: the longer half is the one to be cut.

    Args:
        max_tokens: the maximum, special tokens included.
        special_tokens: how many a pair has.
    """
    room = max_tokens - special_tokens
    half = room // 2
    sizes: Sequence[tuple[int, int]] = (
        (half, room - half),  # exactly full
        (2 * room, 3),
        (3, 2 * room),
        (2 * room, 2 * room + 1),  # both too long: the room is shared, and may be odd
        (2 * room + 1, 2 * room),
        (2 * room, 2 * room),
        (half + 1, 2 * room),
    )
    return tuple((_words(first), _words(second, start=7)) for first, second in sizes)


def _words(count: int, *, start: int = 0) -> str:
    """Join that many words of one token each, from the vocabulary in turn."""
    return " ".join(islice(cycle(WORDS), start, start + count))
