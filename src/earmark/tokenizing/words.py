"""Finds where words begin and where their text is, from a tokenizer's own marks.

Each kind of tokenizer marks words differently: WordPiece marks tokens that continue a word,
Metaspace and byte-level BPE those that begin one, some BPE those that end one. If nothing is
marked, the words are those of the pre-tokenizer.
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

MarkKind: TypeAlias = Literal["goes on", "begins", "ends", "none"]

BYTE_LEVEL_SPACE = "\u0120"
"""The character for a space in byte-level BPE (`bytes_to_unicode` of GPT-2)."""
METASPACE = "\u2581"
NO_SPACES = frozenset("\x1c\x1d\x1e\x1f")
"""Python's `str.isspace` counts these separators; Unicode's White_Space does not."""
UNSEEN = frozenset({"Cc", "Cf"})
"""Categories with characters that replacement tables turn into a space, such as U+200B."""

Span: TypeAlias = tuple[int, int]
"""First Unicode code point, and last plus one."""
Part: TypeAlias = Normalizer | PreTokenizer | Decoder | PostProcessor


@dataclass(frozen=True, slots=True)
class WordMarks:
    """How a tokenizer shows where words begin.

    Attributes:
        kind: what a mark means for its token.
        mark: the text of the mark; empty if there are no marks.
        trims: whether a token's place excludes the space that its mark represents.
    """

    kind: MarkKind
    mark: str = ""
    trims: bool = True

    @classmethod
    def of(cls, tokenizer: Tokenizer, processor: PostProcessor | None) -> "WordMarks":
        """Find the marks of a tokenizer.

        Args:
            tokenizer: the tokenizer.
            processor: its post-processor; if its `trim_offsets` is false, spaces stay in a token's
                place.
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
        """Return which tokens continue the word of the token before them.

        Args:
            text: the encoded text.
            tokens: as in the vocabulary, ``[tokens]``.
            offsets: the library's offsets, ``[tokens]``.
            word_ids: the pre-tokenizer's word of each; None for special tokens.
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
        """Return whether a token has the mark, or begins at or after white space without one.

        Metaspace may split off a word's mark as a separate token, which owns the space before the
        next token. Byte-level BPE may do the same, but there the space is not part of the word.
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
        """Return the place of each token in the text, to slice it out.

        The space that a mark represents is excluded; a combining mark (such as an accent that the
        tokenizer drops) belongs to the letter before it.

        Args:
            text: the encoded text.
            tokens: as in the vocabulary, ``[tokens]``; empty for special ones.
            offsets: the library's offsets, ``[tokens]``.
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
                    stop = start  # the space belongs to the next token, not to this mark
            limit = following
            if limit < stop:  # a special token, with the place (0, 0), or a letter of two tokens
                limit = len(text) if limit == 0 else stop
            while begin < stop < limit and _is_part_of_letter(text[stop]):
                stop += 1
            places.append((begin, stop))
        return tuple(places)

    def _stands_for(self, letter: str) -> bool:
        """Return whether the mark may represent a letter; for byte-level BPE only U+0020."""
        if self.mark == BYTE_LEVEL_SPACE:
            return letter == " "
        return _is_space(letter) or unicodedata.category(letter) in UNSEEN


def _is_space(text: str) -> bool:
    return text.isspace() and text not in NO_SPACES


def _is_part_of_letter(letter: str) -> bool:
    """Return whether a letter is a combining mark, or a later letter of a Hangul syllable."""
    return unicodedata.category(letter).startswith("M") or "\u1160" <= letter <= "\u11ff"


def _state(part: Part | None) -> object:
    """Return a part of a tokenizer as in `tokenizer.json`; None if there is none."""
    return None if part is None else msgspec.json.decode(part.__getstate__())


def _parts(state: object) -> Iterator[Mapping[str, object]]:
    """List a part and its nested parts."""
    if isinstance(state, dict):
        yield state
        for value in state.values():
            if isinstance(value, list):
                for one in value:
                    yield from _parts(one)


def _space_mark(part: Mapping[str, object]) -> str:
    """Return the mark that a part writes for the space before a word; empty if it writes none."""
    kind = part.get("type")
    if kind == "Metaspace":
        return str(part.get("replacement") or METASPACE)
    if kind == "ByteLevel":
        return BYTE_LEVEL_SPACE
    if kind == "Replace" and part.get("pattern") == {"String": " "}:
        return METASPACE if part.get("content") == METASPACE else ""
    return ""
