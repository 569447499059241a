"""Applies SentencePiece's table of character replacements as SentencePiece itself does.

At each place the longest text that the table has is replaced (`NormalizePrefix` in normalizer.cc of
google/sentencepiece, version 0.2). The `tokenizers` library differs (crate spm_precompiled 0.1.4,
lib.rs): it takes each grapheme by itself, replaces the shortest text that matches and drops the
rest; in graphemes of six bytes and more it replaces single characters only. So it leaves decomposed
Hangul decomposed, and loses an accent after a ligature.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from tokenizers import NormalizedString

from earmark.tokenizing.charsmap import LABEL_MASK, SIZE_BYTES, VALUE_MASK
from earmark.tokenizing.edits import Edit, carry_out

HAS_VALUE = 1 << 8
STEPS_KEPT = 1 << 14
ASCII = 128
NO_LETTER = "\0"
"""Marks the end of the text; no text of a table contains it."""


class CharacterTable:
    """A table that has passed `check_charsmap`, as a normalizer for the library."""

    def __init__(self, table: bytes, kept: Sequence[str] = ()) -> None:
        """Prepare a table.

        Args:
            table: its bytes in the model file.
            kept: texts of which no part is ever replaced.
        """
        size = int.from_bytes(table[:SIZE_BYTES], "little")
        self._units: list[int] = np.frombuffer(
            table, "<u4", size // SIZE_BYTES, SIZE_BYTES
        ).tolist()
        self._texts = table[SIZE_BYTES + size :]
        longest_first = "|".join(map(re.escape, sorted(kept, key=len, reverse=True)))
        self._kept = re.compile(longest_first) if kept else None
        self._kept_starts = re.compile(f"(?={longest_first})") if kept else None
        self._root = _base(0, self._units[0])
        self._step = lru_cache(STEPS_KEPT)(self._follow)
        self._may_begin = lru_cache(STEPS_KEPT)(self._begins)
        self._ascii = frozenset(filter(self._begins_within_ascii, map(chr, range(ASCII))))

    def normalize(self, normalized: NormalizedString) -> None:
        """Replace every text of the table; the library calls this."""
        carry_out(normalized, self.edits(normalized.normalized))

    def edits(self, text: str) -> list[Edit]:
        """List the replacements in a text."""
        if text.isascii() and self._ascii.isdisjoint(text):
            return []
        return [*self._found(text)]

    def _found(self, text: str) -> Iterator[Edit]:
        stop = 0
        for at in self._places(text):
            if at < stop:
                continue
            kept = None if self._kept is None else self._kept.match(text, at)
            if kept is not None:
                stop = kept.end()
                continue
            edit = self._longest(text, at)
            if edit is not None:
                yield edit
                stop = edit.stop

    def _places(self, text: str) -> list[int]:
        """List the places where a replaced or kept text may begin."""
        begins = map(self._may_begin, text, text[1:] + NO_LETTER)
        places = [at for at, may in enumerate(begins) if may]
        if self._kept_starts is None:
            return places
        return sorted({*places, *(one.start() for one in self._kept_starts.finditer(text))})

    def _longest(self, text: str, at: int) -> Edit | None:
        base: int | None = self._root
        longest = None
        for stop in range(at + 1, len(text) + 1):
            base, value = self._step(base, text[stop - 1])
            if base is None:
                break
            if value is not None:
                longest = stop, value
        if longest is None:
            return None
        stop, value = longest
        end = self._texts.find(b"\0", value)
        made = self._texts[value : None if end < 0 else end].decode()
        return Edit(at, stop, made)

    def _follow(self, base: int, letter: str) -> tuple[int | None, int | None]:
        """Follow one letter down the trie.

        Args:
            base: base of the node's children.
            letter: the child to follow.

        Returns:
            The base of the child's children, None if there is no child; and the child's value, None
            if it has none.
        """
        unit = 0
        for byte in letter.encode():
            unit = self._units[base ^ byte]
            if unit & LABEL_MASK != byte or not byte:
                return None, None
            base = _base(base ^ byte, unit)
        value = self._units[base] & VALUE_MASK if unit & HAS_VALUE else None
        return base, value

    def _begins(self, letter: str, following: str) -> bool:
        """Return whether a letter is replaced alone, or may be with the one after it."""
        base, value = self._step(self._root, letter)
        if base is None or value is not None:
            return value is not None
        return self._step(base, following)[0] is not None

    def _begins_within_ascii(self, letter: str) -> bool:
        """Return whether an ASCII text that begins with a letter may be replaced."""
        return any(self._begins(letter, chr(other)) for other in range(ASCII))


def _base(node: int, unit: int) -> int:
    return node ^ ((unit >> 10) << ((unit & (1 << 9)) >> 6))
