"""Texts to token ids, with what was cut off counted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import tokenizers
from tokenizers import Tokenizer
from tokenizers.processors import PostProcessor

from earmark.domain.encoding import Alignment, Encoding
from earmark.domain.texts import Question, TextInput
from earmark.errors import InvalidInput
from earmark.tokenizing.as_trained import as_trained
from earmark.tokenizing.bounds import check_total, check_windows, windows_of
from earmark.tokenizing.library import panics_over_a_text
from earmark.tokenizing.pieces import TokenizerPieces
from earmark.tokenizing.stretches import LONG_TEXT, STRETCHES, LongText
from earmark.tokenizing.truncation import CutSide, kept
from earmark.tokenizing.words import WordMarks

__all__ = ["TextTokenizer"]


NOT_SHORT = 4096
"""Characters from which a single text is encoded as a batch: only so does the library let go of the
interpreter's lock, and 1.5 MB held it for seconds. Shorter ones take less than 2 ms."""
CHARACTERS_AT_ONCE = 131_072
"""Of texts that are in the library's memory together."""
WINDOWS_AT_ONCE = 16
"""Windows of a long text that are cut together, at least; of small ones as many as hold the tokens
that a stretch has characters, or each stretch would be encoded for every few of its windows."""

_Tokens: TypeAlias = tokenizers.Encoding | LongText
_Length: TypeAlias = tuple[Question, int]
_Row: TypeAlias = tuple[Question, _Tokens, _Tokens | None]
"""A question, and the tokens of its texts before any is cut."""


@dataclass(frozen=True, slots=True)
class TextTokenizer:
    """A tokenizer without state: safe to use from several threads at once.

    Attributes:
        pieces: how tokens are written as text.
        words: where words begin.
        max_length: longest encoding the checkpoint's tokenizer settings allow; None where they
            do not say.
        cut_side: where a text that is too long loses tokens.
        token_types: whether the second text of a pair has a type of its own; else all are 0.
        long_text: characters from which a text is encoded in stretches.
    """

    _tokenizer: Tokenizer
    """Without its post-processor: texts are cut first, and it must see an encoding only once (a
    byte-level one takes a space off the offsets each time)."""
    _processor: PostProcessor | None
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
        """Take a tokenizer over; nobody else may use it from now on.

        Padding and truncation that it carries are dropped: earmark packs, and cuts by itself so
        that it knows what was cut.

        Args:
            tokenizer: as the checkpoint's files describe it.
            unknown: the token for what the vocabulary does not have, where the files name it.
            max_length: longest encoding, where the files name it.
            cut_side: where a text that is too long loses tokens.
            token_types: whether the second text of a pair has a type of its own.
        """
        tokenizer.no_padding()
        tokenizer.no_truncation()
        processor = tokenizer.post_processor
        tokenizer.post_processor = None
        pieces = TokenizerPieces.of(tokenizer, unknown)
        words = WordMarks.of(tokenizer, processor)
        as_trained(tokenizer)
        return cls(tokenizer, processor, pieces, words, max_length, cut_side, token_types)

    def token(self, index: int) -> str:
        """Return a token as the vocabulary writes it; empty where it has no such id."""
        return self._tokenizer.id_to_token(index) or ""

    @property
    def vocabulary_size(self) -> int:
        """The largest id and one more, added tokens included: a vocabulary may leave ids out."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=-1) + 1

    def token_id(self, token: str) -> int | None:
        """Return the id of a token as the vocabulary writes it; None where it has no such one."""
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
            questions: what to encode, and how to cut what is too long.
            max_tokens: longest encoding, special tokens included; what is more is cut off and
                counted in `Encoding.truncated_tokens`, or goes into windows of its own.
            align: keep where each token stands in its text; of pairs, just as the library says.
            most_tokens: tokens of all encodings together; None for any number.

        Returns:
            For each question its encoding; several where it is read in windows.

        Raises:
            InvalidInput: a text holds a lone surrogate, which is no character; windows are to
                share more tokens than they have, or to read texts many times over; or there are
                more tokens than allowed. Nothing is cut into windows before that is known.
            TokenizerFault: the library broke on one of the texts.
        """
        with panics_over_a_text():
            return self._encoded(questions, max_tokens, align=align, most_tokens=most_tokens)

    def _encoded(
        self,
        questions: Sequence[Question],
        max_tokens: int,
        *,
        align: bool,
        most_tokens: int | None,
    ) -> list[list[Encoding]]:
        encoded: list[list[Encoding]] = [[] for _ in questions]
        lengths: list[_Length] = []
        windowed: list[tuple[int, _Row]] = []
        for group in _groups(questions):
            some = [questions[place] for place in group]
            for place, row in zip(group, self._rows(some), strict=True):
                question, first, second = row
                lengths.append((question, len(first) + (len(second) if second else 0)))
                if question.cut == "windows":
                    # How much they hold together is not known yet.
                    windowed.append((place, row))
                else:
                    encoded[place] = [self._cut(row, max_tokens, align=align)]
        self._check(lengths, max_tokens, most_tokens)
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

    def _check(self, lengths: Sequence[_Length], max_tokens: int, most_tokens: int | None) -> None:
        """Refuse what would be too much to read, before anything is cut into windows."""
        room = max_tokens - self._added(pair=False)
        read = 0
        windowed: dict[int, list[int]] = {}
        for question, length in lengths:
            if question.cut == "windows":
                windowed.setdefault(question.stride, []).append(length)
            else:
                read += min(length, max_tokens)
        read += sum(check_windows(found, room, stride) for stride, found in windowed.items())
        if most_tokens is not None:
            check_total(read, most_tokens)

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
                # A batch of one would start the library's thread pool for nothing.
                return [self._tokenizer.encode(texts[0], add_special_tokens=False)]
            return self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        except (UnicodeEncodeError, TypeError) as error:
            # The library raises TypeError for a string that UTF-8 cannot carry.
            raise InvalidInput(
                "a text holds a lone surrogate (half of a UTF-16 pair), which is no character; "
                "send well-formed Unicode"
            ) from error

    def _cut(self, row: _Row, max_tokens: int, *, align: bool) -> Encoding:
        """Cut, then add the special tokens. The library's own truncation is state: not used."""
        question, first, second = row
        room = max_tokens - self._added(pair=second is not None)
        lengths = len(first), 0 if second is None else len(second)
        keep = kept(*lengths, room, question.cut) if question.cut != "windows" else lengths
        kept_first, place = self._shortened(first, keep[0])
        kept_second = None if second is None else self._shortened(second, keep[1])[0]
        text = question.text if align else None
        if text is not None and isinstance(first, LongText):
            text = TextInput(text.text[place:], text.pair)
        whole = self._process(kept_first, kept_second)
        return _moved(self._encoding(whole, sum(lengths) - sum(keep), text), place)

    def _windows(
        self, question: Question, tokens: _Tokens, max_tokens: int, *, align: bool
    ) -> Iterator[Encoding]:
        """Cut into windows, then add the special tokens to each."""
        room = max_tokens - self._added(pair=False)
        text = question.text if align else None
        if not isinstance(tokens, LongText):
            tokens.truncate(room, stride=question.stride, direction=self.cut_side)
            whole = self._process(tokens)
            for one in (whole, *whole.overflowing):
                yield self._encoding(one, 0, text)
            return
        length, step = len(tokens), room - question.stride
        count = windows_of(length, room, question.stride)
        at_once = max(WINDOWS_AT_ONCE, self.long_text // STRETCHES // room)
        for begin in range(0, count, at_once):
            last = min(begin + at_once, count) - 1
            first, stop = begin * step, min(last * step + room, length)
            if self.cut_side == "left":  # they are counted from the end
                first, stop = length - stop, length - first
            part = tokens.part(first, stop)
            some = part.taken(self._batch([part.text])[0])
            some.truncate(room, stride=question.stride, direction=self.cut_side)
            whole = self._process(some)
            others = whole.overflowing if last > begin else []
            here = None if text is None else TextInput(part.text)
            for one in (whole, *others):
                yield _moved(self._encoding(one, 0, here), part.place)

    def _shortened(self, one: _Tokens, keep: int) -> tuple[tokenizers.Encoding, int]:
        """Keep so many tokens. What the library cuts off it keeps as windows, processed as well.

        Returns:
            Them, and where in the text their places are counted from.
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
            # From the other side the tokens to keep are the only further window, a thousand else.
            one.truncate(cut, direction="left" if self.cut_side == "right" else "right")
            return one.overflowing[0], place
        one.truncate(keep, direction=self.cut_side)
        return one, place

    def _added(self, *, pair: bool) -> int:
        """Count the special tokens."""
        return 0 if self._processor is None else self._processor.num_special_tokens_to_add(pair)

    def _process(
        self, first: tokenizers.Encoding, second: tokenizers.Encoding | None = None
    ) -> tokenizers.Encoding:
        """Add the special tokens; without a post-processor, put the two texts side by side."""
        if self._processor is None:
            return self._tokenizer.post_process(first, second)
        return self._processor.process(first, second)

    def _encoding(self, whole: tokenizers.Encoding, lost: int, text: TextInput | None) -> Encoding:
        """Take an encoding over; with its text, say where in it each token stands."""
        alignment = None if text is None else self._alignment(whole, text)
        ids = tuple(whole.ids)
        types = tuple(whole.type_ids) if self.token_types else (0,) * len(ids)
        return Encoding(ids, types, lost, alignment)

    def _alignment(self, whole: tokenizers.Encoding, text: TextInput) -> Alignment:
        # By id: of an unknown piece the library's own `tokens` may hold the text instead.
        tokens = tuple(self._tokenizer.id_to_token(one) or "" for one in whole.ids)
        special = tuple(mask == 1 for mask in whole.special_tokens_mask)
        if text.pair is not None:
            return Alignment(tokens, tuple(whole.offsets), special, (False,) * len(tokens))
        places = self.words.places(text.text, tokens, whole.offsets)
        goes_on = self.words.continuations(text.text, tokens, whole.offsets, whole.word_ids)
        return Alignment(tokens, places, special, goes_on)


def _groups(questions: Sequence[Question]) -> Iterator[Sequence[int]]:
    """List the places of questions, in groups that are encoded together."""
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
    """Count the places of tokens from another place; special ones stand nowhere."""
    found = encoding.alignment
    if found is None or not place:
        return encoding
    offsets = tuple(
        one if special else (one[0] + place, one[1] + place)
        for one, special in zip(found.offsets, found.special, strict=True)
    )
    return replace(encoding, alignment=replace(found, offsets=offsets))
