"""Encodes texts as token ids, and counts the tokens that are cut off."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import tokenizers
from tokenizers import Tokenizer

from earmark.domain.encoding import Alignment, Encoding
from earmark.domain.texts import Question, TextInput
from earmark.errors import InvalidInput
from earmark.tokenizing.as_trained import as_trained
from earmark.tokenizing.bounds import check_tokens, windows_of
from earmark.tokenizing.library import panics_over_a_text
from earmark.tokenizing.pieces import TokenizerPieces
from earmark.tokenizing.stretches import LONG_TEXT, STRETCHES, LongText
from earmark.tokenizing.truncation import CutSide, kept
from earmark.tokenizing.words import WordMarks

NOT_SHORT = 4096
"""A single text of at least so many characters is encoded as a batch, since only then does the
library release the interpreter's lock; 1.5 MB held it for seconds. Shorter ones take under 2 ms."""
CHARACTERS_AT_ONCE = 131_072
"""Most characters of texts that are in the library's memory together."""
WINDOWS_AT_ONCE = 16
"""Windows of a long text that are cut together, at least; of small ones as many as hold the tokens
that a stretch has characters, or each stretch would be encoded for every few of its windows."""

_Tokens: TypeAlias = tokenizers.Encoding | LongText
_Row: TypeAlias = tuple[Question, _Tokens, _Tokens | None]
"""A question, and the tokens of its texts before truncation."""


@dataclass(frozen=True, slots=True)
class TextTokenizer:
    """A tokenizer without state, safe to use from several threads at once.

    Attributes:
        pieces: how tokens are written as text.
        words: where words begin.
        max_length: longest encoding that the tokenizer's settings allow; None if they do not say.
        cut_side: the end at which a text that is too long is cut.
        token_types: whether the second text of a pair has token type 1; else all are 0.
        long_text: a text of at least so many characters is encoded in stretches.
    """

    _tokenizer: Tokenizer
    """Without its post-processor, which must run once, after texts are cut (a byte-level one takes
    a space off the offsets each time)."""
    _close: Callable[[tokenizers.Encoding, tokenizers.Encoding | None], tokenizers.Encoding]
    """The post-processor, which adds special tokens; where there is none, texts are only joined."""
    _added: tuple[int, int]
    """How many special tokens are added to a text, and to a pair."""
    pieces: TokenizerPieces
    words: WordMarks
    max_length: int | None
    cut_side: CutSide = "right"
    token_types: bool = True
    long_text: int = LONG_TEXT

    @classmethod
    def of(
        cls,
        tokenizer: Tokenizer,
        *,
        unknown: str | None = None,
        max_length: int | None = None,
        cut_side: CutSide = "right",
        token_types: bool = True,
    ) -> "TextTokenizer":
        """Take ownership of a tokenizer of the library, and change it.

        Its padding and truncation are removed: earmark packs texts, and truncates them itself to
        know what was cut.

        Args:
            tokenizer: as the checkpoint's files describe it.
            unknown: the token for text that is not in the vocabulary, if the files name it.
            max_length: longest encoding, if the files state it.
            cut_side: the end at which a text that is too long is cut.
            token_types: whether the second text of a pair has token type 1.
        """
        tokenizer.no_padding()
        tokenizer.no_truncation()
        processor = tokenizer.post_processor
        tokenizer.post_processor = None
        close, added = tokenizer.post_process, (0, 0)
        if processor is not None:
            count = processor.num_special_tokens_to_add
            close, added = processor.process, (count(False), count(True))
        pieces = TokenizerPieces.of(tokenizer, unknown)
        words = WordMarks.of(tokenizer, processor)
        as_trained(tokenizer)
        return cls(tokenizer, close, added, pieces, words, max_length, cut_side, token_types)

    def token(self, index: int) -> str:
        """Return the token of an id in the vocabulary; empty if there is no such id."""
        return self._tokenizer.id_to_token(index) or ""

    @property
    def vocabulary_size(self) -> int:
        """The largest id plus one, with added tokens; a vocabulary may leave ids out."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=-1) + 1

    def token_id(self, token: str) -> int | None:
        """Return the id of a token in the vocabulary; None if there is no such token."""
        return self._tokenizer.token_to_id(token)

    def encode(
        self,
        questions: Sequence[Question],
        *,
        max_tokens: int,
        align: bool = False,
        most_tokens: int | None = None,
    ) -> list[list[Encoding]]:
        """Encode texts and pairs.

        Args:
            questions: the texts to encode, and how to cut those that are too long.
            max_tokens: longest encoding, special tokens included; tokens beyond it are cut off and
                counted in `Encoding.truncated_tokens`, or go into further windows.
            align: keep the place of each token in its text; for pairs, the library's offsets.
            most_tokens: limit of the tokens of all encodings; None for any number.

        Returns:
            The encodings of each question: one, or one a window.

        Raises:
            InvalidInput: a text has a lone surrogate, which is no character; windows would share
                more tokens than they have, or read texts many times over; or there are more tokens
                than allowed. All of this is checked before any window is made.
            TokenizerFault: the library failed on one of the texts.
        """
        encoded: list[list[Encoding]] = [[] for _ in questions]
        lengths: list[tuple[Question, int]] = []
        windowed: list[tuple[int, _Row]] = []
        with panics_over_a_text():
            for group in _groups(questions):
                some = [questions[place] for place in group]
                for place, row in zip(group, self._rows(some), strict=True):
                    question, first, second = row
                    lengths.append((question, len(first) + (len(second) if second else 0)))
                    if question.cut == "windows":
                        # The total number of tokens is not known yet.
                        windowed.append((place, row))
                    else:
                        encoded[place] = [self._cut(row, max_tokens, align=align)]
            check_tokens(lengths, max_tokens, max_tokens - self._added[False], most_tokens)
            for place, (question, first, _) in windowed:
                encoded[place] = list(self._windows(question, first, max_tokens, align=align))
        return encoded

    def _rows(self, questions: Sequence[Question]) -> list[_Row]:
        firsts = self._tokens([one.text.text for one in questions])
        pairs = iter(
            self._tokens([one.text.pair for one in questions if one.text.pair is not None])
        )
        seconds = [None if one.text.pair is None else next(pairs) for one in questions]
        return list(zip(questions, firsts, seconds, strict=True))

    def _tokens(self, texts: Sequence[str]) -> list[_Tokens]:
        """Encode texts; long ones in stretches."""
        long = {
            place: found
            for place, text in enumerate(texts)
            if len(text) >= self.long_text and (found := self._long(text)) is not None
        }
        others = iter(self._batch([one for place, one in enumerate(texts) if place not in long]))
        return [long[place] if place in long else next(others) for place in range(len(texts))]

    def _long(self, text: str) -> LongText | None:
        return LongText.of(text, self._batch, self.long_text // STRETCHES)

    def _batch(self, texts: Sequence[str]) -> list[tokenizers.Encoding]:
        if not texts:
            return []
        try:
            if len(texts) == 1 and len(texts[0]) < NOT_SHORT:
                # A batch of one would start the library's thread pool needlessly.
                return [self._tokenizer.encode(texts[0], add_special_tokens=False)]
            return self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        except (UnicodeEncodeError, TypeError) as error:
            # The library raises TypeError for a string that UTF-8 cannot encode.
            raise InvalidInput(
                "a text holds a lone surrogate (half of a UTF-16 pair), which is no character; "
                "send well-formed Unicode"
            ) from error

    def _cut(self, row: _Row, max_tokens: int, *, align: bool) -> Encoding:
        """Cut, then add special tokens; the library's truncation is not used, since it is state."""
        question, first, second = row
        room = max_tokens - self._added[second is not None]
        lengths = len(first), 0 if second is None else len(second)
        keep = kept(*lengths, room, question.cut) if question.cut != "windows" else lengths
        kept_first, place = self._shortened(first, keep[0])
        kept_second = None if second is None else self._shortened(second, keep[1])[0]
        text = question.text if align else None
        if text is not None and isinstance(first, LongText):
            text = TextInput(text.text[place:], text.pair)
        whole = self._close(kept_first, kept_second)
        found = self._encoding(whole, sum(lengths) - sum(keep), text)
        return _moved(found, place) if place else found

    def _windows(
        self, question: Question, tokens: _Tokens, max_tokens: int, *, align: bool
    ) -> Iterator[Encoding]:
        """Cut into windows, then add special tokens to each."""
        room = max_tokens - self._added[False]
        text = question.text if align else None
        if not isinstance(tokens, LongText):
            tokens.truncate(room, stride=question.stride, direction=self.cut_side)
            whole = self._close(tokens, None)
            for one in (whole, *whole.overflowing):
                yield self._encoding(one, 0, text)
            return
        length, step = len(tokens), room - question.stride
        count = windows_of(length, room, question.stride)
        at_once = max(WINDOWS_AT_ONCE, self.long_text // STRETCHES // room)
        for begin in range(0, count, at_once):
            last = min(begin + at_once, count) - 1
            first, stop = begin * step, min(last * step + room, length)
            if self.cut_side == "left":  # windows are counted from the end
                first, stop = length - stop, length - first
            part = tokens.part(first, stop)
            some = part.taken(self._batch([part.text])[0])
            some.truncate(room, stride=question.stride, direction=self.cut_side)
            whole = self._close(some, None)
            others = whole.overflowing if last > begin else []
            here = None if text is None else TextInput(part.text)
            for one in (whole, *others):
                yield _moved(self._encoding(one, 0, here), part.place)

    def _shortened(self, one: _Tokens, keep: int) -> tuple[tokenizers.Encoding, int]:
        """Keep so many tokens; the library makes windows of the rest, here as few as possible.

        Returns:
            The tokens, and the place in the text that their offsets count from.
        """
        place = 0
        if isinstance(one, LongText):
            left = self.cut_side == "left"
            part = one.part(len(one) - keep, len(one)) if left else one.part(0, keep)
            one, place = self._batch([part.text])[0], part.place
        cut = len(one) - keep
        if cut <= 0:
            return one, place
        if keep < cut and keep:
            # Cut from the other side, the tokens to keep are the only further window, not one of
            # a thousand.
            one.truncate(cut, direction="left" if self.cut_side == "right" else "right")
            return one.overflowing[0], place
        one.truncate(keep, direction=self.cut_side)
        return one, place

    def _encoding(self, whole: tokenizers.Encoding, lost: int, text: TextInput | None) -> Encoding:
        """Convert an encoding of the library; align it if its text is given."""
        alignment = None if text is None else self._alignment(whole, text)
        ids = tuple(whole.ids)
        types = tuple(whole.type_ids) if self.token_types else (0,) * len(ids)
        return Encoding(ids, types, lost, alignment)

    def _alignment(self, whole: tokenizers.Encoding, text: TextInput) -> Alignment:
        # By id: for an unknown piece the library's own `tokens` may hold the text instead.
        tokens = tuple(self._tokenizer.id_to_token(one) or "" for one in whole.ids)
        special = tuple(mask == 1 for mask in whole.special_tokens_mask)
        if text.pair is not None:
            return Alignment(tokens, tuple(whole.offsets), special, (False,) * len(tokens))
        places = self.words.places(text.text, tokens, whole.offsets)
        goes_on = self.words.continuations(text.text, tokens, whole.offsets, whole.word_ids)
        return Alignment(tokens, places, special, goes_on)


def _groups(questions: Sequence[Question]) -> Iterator[Sequence[int]]:
    """List the indices of questions, in groups that are encoded together."""
    group: list[int] = []
    characters = 0
    for place, question in enumerate(questions):
        if group and characters + question.text.characters > CHARACTERS_AT_ONCE:
            yield group
            group, characters = [], 0
        group.append(place)
        characters += question.text.characters
    if group:
        yield group


def _moved(encoding: Encoding, place: int) -> Encoding:
    """Shift the offsets of tokens, except those of special tokens."""
    found = encoding.alignment
    if found is None:
        return encoding
    offsets = tuple(
        one if special else (one[0] + place, one[1] + place)
        for one, special in zip(found.offsets, found.special, strict=True)
    )
    return replace(encoding, alignment=replace(found, offsets=offsets))
