"""Where words begin, as a tokenizer's own tokens show it, and where their text stands.

A kind of tokenizer marks words in one way: WordPiece the tokens that go on with a word, Metaspace
and byte-level BPE those that begin one, some BPE those that end one. Where nothing is marked, the
words are those of the pre-tokenizer.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec
from tokenizers import Tokenizer
from tokenizers.decoders import Decoder
from tokenizers.normalizers import Normalizer
from tokenizers.pre_tokenizers import PreTokenizer
from tokenizers.processors import PostProcessor

__all__ = ["Span", "WordMarks"]

MarkKind: TypeAlias = Literal["goes on", "begins", "ends", "none"]

BYTE_LEVEL_SPACE = "\u0120"
"""A space as byte-level BPE writes it (`bytes_to_unicode` of GPT-2)."""
METASPACE = "\u2581"
NO_SPACES = frozenset("\x1c\x1d\x1e\x1f")
"""Python's `str.isspace` counts these separators; Unicode's White_Space does not."""
UNSEEN = frozenset({"Cc", "Cf"})
"""Categories of characters that tables of replacements turn into a space, such as U+200B."""

Span: TypeAlias = tuple[int, int]
"""First and last-plus-one Unicode code point."""
Part: TypeAlias = Normalizer | PreTokenizer | Decoder | PostProcessor


@dataclass(frozen=True, slots=True)
class WordMarks:
    """How a tokenizer shows where words begin.

    Attributes:
        kind: what a mark says of its token.
        mark: what it is written as; nothing where there are no marks.
        trims: whether the space that a mark stands for is left out of a token's place.
    """

    kind: MarkKind
    mark: str = ""
    trims: bool = True

    @classmethod
    def of(cls, tokenizer: Tokenizer, processor: PostProcessor | None) -> "WordMarks":
        """Look at the parts of a tokenizer.

        Args:
            tokenizer: the tokenizer.
            processor: its post-processor. One that says that spaces stay in a token's place
                (`trim_offsets` false) is obeyed.
        """
        prefix = getattr(tokenizer.model, "continuing_subword_prefix", None)
        if prefix:
            return cls("goes on", str(prefix))
        suffix = getattr(tokenizer.model, "end_of_word_suffix", None)
        if suffix:
            return cls("ends", str(suffix))
        parts = [tokenizer.pre_tokenizer, tokenizer.normalizer, tokenizer.decoder]
        marks = (_space_mark(part) for state in map(_state, parts) for part in _parts(state))
        mark = next(filter(None, marks), "")
        keeps = any(part.get("trim_offsets") is False for part in _parts(_state(processor)))
        return cls("begins", mark, not keeps) if mark else cls("none")

    def continuations(
        self,
        text: str,
        tokens: Sequence[str],
        offsets: Sequence[Span],
        word_ids: Sequence[int | None],
    ) -> tuple[bool, ...]:
        """Say which tokens go on with the word of the token before them.

        Args:
            text: what was encoded.
            tokens: as the vocabulary writes them, ``[tokens]``.
            offsets: where the library says that they stand, ``[tokens]``.
            word_ids: which word of the pre-tokenizer each is of; None of special tokens.
        """
        match self.kind:
            case "goes on":
                return tuple(token.startswith(self.mark) for token in tokens)
            case "ends":
                before = ("", *tokens[:-1])
                return tuple(bool(one) and not one.endswith(self.mark) for one in before)
            case "begins":
                return tuple(
                    index > 0 and not self._begins(text, tokens, offsets, index)
                    for index in range(len(tokens))
                )
            case "none":
                earlier = (None, *word_ids[:-1])
                pairs = zip(earlier, word_ids, strict=True)
                return tuple(one == other and one is not None for one, other in pairs)

    def _begins(
        self, text: str, tokens: Sequence[str], offsets: Sequence[Span], index: int
    ) -> bool:
        """Return whether a token has the mark, or stands at or after white space without one.

        Metaspace may cut a word's mark off as a token of its own: the space before what follows is
        that mark's. Byte-level BPE may do the same, but there the space is no part of the word.
        """
        if tokens[index].startswith(self.mark):
            return True
        start, end = offsets[index]
        if _is_space(text[start : min(start + 1, end)]):
            return True
        if self.mark == METASPACE and tokens[index - 1].startswith(self.mark):
            start = min(start, offsets[index - 1][1])
            return any(map(_is_space, text[start : offsets[index][0]]))
        return start > 0 and _is_space(text[start - 1])

    def places(self, text: str, tokens: Sequence[str], offsets: Sequence[Span]) -> tuple[Span, ...]:
        """Say where the text of each token stands, as a caller would cut it out.

        The space that a mark stands for is left out; a combining mark (such as an accent that the
        tokenizer drops) belongs to the letter before it.

        Args:
            text: what was encoded.
            tokens: as the vocabulary writes them, ``[tokens]``; of special ones nothing.
            offsets: where the library says that they stand, ``[tokens]``.
        """
        starts = [start for start, _ in offsets]
        places = []
        for index, (token, (start, end)) in enumerate(zip(tokens, offsets, strict=True)):
            begin, stop = start, end
            following = starts[index + 1] if index + 1 < len(starts) else len(text)
            if self.kind == "begins" and self.trims and token.startswith(self.mark):
                owned = end if following < start else min(end, following)
                while begin < owned and self._stands_for(text[begin]):
                    begin += 1
                if following == start < end and self._stands_for(text[start]):
                    stop = start  # the space is the next token's; this mark stands for none
            limit = following
            if limit < stop:  # a special token, whose place is (0, 0), or a letter of two tokens
                limit = len(text) if limit == 0 else stop
            while begin < stop < limit and _is_part_of_letter(text[stop]):
                stop += 1
            places.append((begin, stop))
        return tuple(places)

    def _stands_for(self, letter: str) -> bool:
        """Return whether the mark may stand for a letter; of byte-level BPE it is U+0020 alone."""
        if self.mark == BYTE_LEVEL_SPACE:
            return letter == " "
        return _is_space(letter) or unicodedata.category(letter) in UNSEEN


def _is_space(text: str) -> bool:
    return text.isspace() and text not in NO_SPACES


def _is_part_of_letter(letter: str) -> bool:
    """Return whether it is a combining mark, or a vowel or last letter of a Hangul syllable."""
    return unicodedata.category(letter).startswith("M") or "\u1160" <= letter <= "\u11ff"


def _state(part: Part | None) -> object:
    """Read a part of a tokenizer as `tokenizer.json` has it; None where there is none."""
    return None if part is None else msgspec.json.decode(part.__getstate__())


def _parts(state: object) -> Iterator[Mapping[str, object]]:
    """List a part, and those that it is put together of."""
    if isinstance(state, dict):
        yield state
        for value in state.values():
            if isinstance(value, list):
                for one in value:
                    yield from _parts(one)


def _space_mark(part: Mapping[str, object]) -> str:
    """Tell what a part writes for the space before a word; nothing where it does not."""
    kind = part.get("type")
    if kind == "Metaspace":
        return str(part.get("replacement") or METASPACE)
    if kind == "ByteLevel":
        return BYTE_LEVEL_SPACE
    if kind == "Replace" and part.get("pattern") == {"String": " "}:
        return METASPACE if part.get("content") == METASPACE else ""
    return ""
