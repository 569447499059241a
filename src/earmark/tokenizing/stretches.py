"""Encodes long texts in stretches, cut where it makes no difference.

The library keeps some 150 bytes for each character that it encodes, and holds the interpreter's
lock while it frees or returns them. So a long text is encoded in stretches. Each place for a cut is
tested: the text around it must have the same tokens as a whole and in two parts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final, TypeAlias

import tokenizers

Encode: TypeAlias = Callable[[Sequence[str]], list[tokenizers.Encoding]]
"""Encodes texts, without special tokens."""

LONG_TEXT: Final = 65_536
"""A text of at least so many characters is long."""
STRETCHES: Final = 8
"""Number of stretches of the shortest long text; a longer text has more of the same length."""

_AT_ONCE: Final = 16
"""Stretches that are encoded together, to keep every core busy."""
_SEARCHED: Final = 128
"""How many characters to search for a space, where a cut is likely to make no difference."""
_BEFORE, _AFTER = 251, 257
"""How many characters around a cut are tested. Primes, since repeated pieces, such as `!!!!` in a
long row, would be the same by chance if the cut were at a multiple of their length."""


@dataclass(frozen=True, slots=True)
class LongText:
    """A text and its stretches.

    Attributes:
        text: the text.
        cuts: the start of each stretch, and the end of the last.
        tokens: the number of tokens before each of these.
    """

    text: str
    cuts: tuple[int, ...]
    tokens: tuple[int, ...]

    @classmethod
    def of(cls, text: str, encode: Encode, stretch: int) -> "LongText | None":
        """Cut a text and count its tokens; None if it cannot be cut.

        Args:
            text: the text.
            encode: of the tokenizer.
            stretch: approximate length of a stretch, in characters.
        """
        inner = _cuts(text, encode, stretch)
        if not inner:
            return None
        cuts = (0, *inner, len(text))
        parts = [text[begin:end] for begin, end in pairwise(cuts)]
        counts: list[int] = []
        for first in range(0, len(parts), _AT_ONCE):
            counts += map(len, encode(parts[first : first + _AT_ONCE]))
        return cls(text, cuts, (0, *accumulate(counts)))

    def __len__(self) -> int:
        """Count the tokens."""
        return self.tokens[-1]

    def part(self, first: int, stop: int) -> "Part":
        """Return a part of the text that contains some tokens, with the text around them.

        Args:
            first: index of the first token.
            stop: index of the last token plus one.
        """
        begin = max(_last(self.tokens, at_most=first) - 1, 0)
        end = min(_first(self.tokens, at_least=stop) + 1, len(self.cuts) - 1)
        return Part(
            self.text[self.cuts[begin] : self.cuts[end]],
            self.cuts[begin],
            first - self.tokens[begin],
            stop - self.tokens[begin],
        )


@dataclass(frozen=True, slots=True)
class Part:
    """Some tokens of a long text.

    Attributes:
        text: the part that contains them.
        place: where the part begins in the whole text.
        first: index of the first token in the part.
        stop: index of the last token in the part plus one.
    """

    text: str
    place: int
    first: int
    stop: int

    def taken(self, encoding: tokenizers.Encoding) -> tokenizers.Encoding:
        """Cut the encoding of the part down to these tokens.

        Returns:
            The same object; what was cut off may still be in its `overflowing`.
        """
        encoding.truncate(self.stop)
        if self.first:
            encoding.truncate(self.stop - self.first, direction="left")
        return encoding


def _last(counts: Sequence[int], *, at_most: int) -> int:
    return max(place for place, count in enumerate(counts) if count <= at_most)


def _first(counts: Sequence[int], *, at_least: int) -> int:
    return next(place for place, count in enumerate(counts) if count >= at_least)


def _cuts(text: str, encode: Encode, stretch: int) -> list[int]:
    """Find places where a cut makes no difference, about a stretch apart."""
    wanted = range(stretch, len(text) - stretch // 2, stretch)
    tried = [_near(text, place) for place in wanted]
    found: list[int] = []
    for first in range(0, len(tried), _AT_ONCE):
        some = tried[first : first + _AT_ONCE]
        around = [
            part
            for cut in some
            for part in (
                text[max(cut - _BEFORE, 0) : cut + _AFTER],
                text[max(cut - _BEFORE, 0) : cut],
                text[cut : cut + _AFTER],
            )
        ]
        encoded = encode(around)
        whole, left, right = encoded[::3], encoded[1::3], encoded[2::3]
        found += [
            cut
            for cut, *three in zip(some, whole, left, right, strict=True)
            if _same(*three, at=cut - max(cut - _BEFORE, 0))
        ]
    return found


def _near(text: str, place: int) -> int:
    """Return the start of the white space next before a place, if it is near."""
    for at in range(place, max(place - _SEARCHED, 1), -1):
        if text[at].isspace() and not text[at - 1].isspace():
            return at
    return place


def _same(
    whole: tokenizers.Encoding, left: tokenizers.Encoding, right: tokenizers.Encoding, *, at: int
) -> bool:
    shifted = [(begin + at, end + at) for begin, end in right.offsets]
    return whole.ids == left.ids + right.ids and whole.offsets == left.offsets + shifted
