"""A small WordPiece vocabulary, made by code."""

import string

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""In the order of BERT's own vocabulary, so that padding is token 0."""

_WORD_LIST = (
    "the a an and or not but is was are it this that of to in on for with i you we they he she "
    "good great fine bad awful dull film movie book story food service place time people day "
    "like love hate find work run play read walk never always very really much more most"
)

WORDS = tuple(_WORD_LIST.split())
"""Words that are one token each, where the text is lower case."""

_ENDING_LIST = "s ed ing er est ly ness ful less able ment tion un re ab"

ENDINGS = tuple(_ENDING_LIST.split())
"""Pieces that words are made of."""

_ACCENTED = "àâäçéèêëíîñóôöøúûüß"
_CHINESE = "的一是不了人我在有中国好电影"
_EMOJI = "🙂🎬❤"


def vocabulary(size: int) -> tuple[str, ...]:
    """List the tokens, index = id.

    The most useful ones stand first, so that a small vocabulary lacks capitals and accents (a
    text then has unknown tokens); a large one is filled up with ``[unused0]``, as BERT's own is.

    Args:
        size: tokens in all, at least the special ones.
    """
    lower, upper, digits = string.ascii_lowercase, string.ascii_uppercase, string.digits
    tokens = [
        *SPECIAL_TOKENS,
        *dict.fromkeys([*lower, *digits, *string.punctuation, *WORDS]),
        *(f"##{piece}" for piece in dict.fromkeys([*lower, *digits, *ENDINGS])),
        *_CHINESE,
        *_EMOJI,
        *_ACCENTED,
        *(f"##{letter}" for letter in _ACCENTED),
        *upper,
        *(f"##{letter}" for letter in upper),
        # What is found only where Chinese characters are not set apart.
        *(f"##{letter}" for letter in _CHINESE),
    ]
    unused = (f"[unused{index}]" for index in range(max(0, size - len(tokens))))
    return tuple([*tokens, *unused][:size])
