"""Texts to token ids, with what was cut off counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tokenizers
from tokenizers import Tokenizer
from tokenizers.processors import PostProcessor

from earmark.checkpoint.config import read_json
from earmark.checkpoint.repository import Repository
from earmark.domain.encoding import Alignment, Encoding
from earmark.domain.texts import Question
from earmark.errors import InvalidCheckpoint, InvalidInput
from earmark.tokenizing.legacy_files import special_token, word_piece
from earmark.tokenizing.pieces import TokenizerPieces
from earmark.tokenizing.truncation import kept

__all__ = ["TextTokenizer", "load_tokenizer"]

LARGEST_REAL_MAXIMUM = 1 << 24
"""`model_max_length` may be 1e30, which `transformers` writes for "not known"."""


@dataclass(frozen=True, slots=True)
class TextTokenizer:
    """A tokenizer without state: safe to use from several threads at once.

    Attributes:
        pieces: how tokens make words.
        max_length: longest encoding the checkpoint's tokenizer settings allow; None where they
            do not say.
    """

    _tokenizer: Tokenizer
    """Without its post-processor: texts are cut first, and it must see an encoding only once (a
    byte-level one takes a space off the offsets each time)."""
    _processor: PostProcessor | None
    pieces: TokenizerPieces
    max_length: int | None

    @classmethod
    def of(
        cls, tokenizer: Tokenizer, *, unknown: str | None = None, max_length: int | None = None
    ) -> "TextTokenizer":
        """Take a tokenizer over; nobody else may use it from now on.

        Padding and truncation that it carries are dropped: earmark packs, and cuts by itself so
        that it knows what was cut.

        Args:
            tokenizer: as the checkpoint's files describe it.
            unknown: the token for what the vocabulary does not have, where the files name it.
            max_length: longest encoding, where the files name it.
        """
        tokenizer.no_padding()
        tokenizer.no_truncation()
        processor = tokenizer.post_processor
        tokenizer.post_processor = None
        return cls(tokenizer, processor, TokenizerPieces.of(tokenizer, unknown), max_length)

    @property
    def vocabulary_size(self) -> int:
        """How many ids there are, added tokens included."""
        return int(self._tokenizer.get_vocab_size(with_added_tokens=True))

    def encode(
        self, questions: Sequence[Question], *, max_tokens: int, align: bool = False
    ) -> list[list[Encoding]]:
        """Encode texts and pairs.

        Args:
            questions: what to encode, and how to cut what is too long.
            max_tokens: longest encoding, special tokens included; what is more is cut off and
                counted in `Encoding.truncated_tokens`, or goes into windows of its own.
            align: keep where each token stands in its text.

        Returns:
            For each question its encoding; several where it is read in windows.

        Raises:
            InvalidInput: a text holds a lone surrogate, which is no character; or windows are to
                share more tokens than they have.
        """
        firsts = self._tokens([one.text.text for one in questions])
        seconds = iter(
            self._tokens([one.text.pair for one in questions if one.text.pair is not None])
        )
        encoded = []
        for question, first in zip(questions, firsts, strict=True):
            second = None if question.text.pair is None else next(seconds)
            whole, lost = self._join(question, first, second, max_tokens)
            windows = whole.overflowing if question.cut == "windows" else []
            encoded.append([self._encoding(one, lost, align=align) for one in (whole, *windows)])
        return encoded

    def _tokens(self, texts: Sequence[str]) -> list[tokenizers.Encoding]:
        if not texts:
            return []
        try:
            if len(texts) == 1:
                # A batch of one would start the library's thread pool for nothing.
                return [self._tokenizer.encode(texts[0], add_special_tokens=False)]
            return self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        except (UnicodeEncodeError, TypeError) as error:
            # The library raises TypeError for a string that UTF-8 cannot carry.
            raise InvalidInput(
                "a text holds a lone surrogate (half of a UTF-16 pair), which is no character; "
                "send well-formed Unicode"
            ) from error

    def _join(
        self,
        question: Question,
        first: tokenizers.Encoding,
        second: tokenizers.Encoding | None,
        max_tokens: int,
    ) -> tuple[tokenizers.Encoding, int]:
        """Cut, then add the special tokens. The library's own truncation is state: not used.

        Returns:
            The encoding, its further windows among its `overflowing`; and the tokens lost.
        """
        added = 0
        if self._processor is not None:
            added = self._processor.num_special_tokens_to_add(second is not None)
        room = max_tokens - added
        if question.cut == "windows":
            if question.stride >= room:
                raise InvalidInput(
                    f"`stride` is {question.stride}, but a window of this model has room for "
                    f"{room} tokens beside its special ones; expected less"
                )
            first.truncate(room, stride=question.stride)
            return self._process(first), 0
        lengths = len(first), 0 if second is None else len(second)
        keep = kept(*lengths, room, question.cut)
        if keep[0] < lengths[0]:
            first.truncate(keep[0])
        if second is not None and keep[1] < lengths[1]:
            second.truncate(keep[1])
        return self._process(first, second), sum(lengths) - sum(keep)

    def _process(
        self, first: tokenizers.Encoding, second: tokenizers.Encoding | None = None
    ) -> tokenizers.Encoding:
        """Add the special tokens; without a post-processor, put the two texts side by side."""
        if self._processor is None:
            return self._tokenizer.post_process(first, second)
        return self._processor.process(first, second)

    def _encoding(self, whole: tokenizers.Encoding, lost: int, *, align: bool) -> Encoding:
        alignment = None
        if align:
            # By id: of an unknown piece the library's own `tokens` may hold the text instead.
            tokens = tuple(self._tokenizer.id_to_token(one) or "" for one in whole.ids)
            special = tuple(mask == 1 for mask in whole.special_tokens_mask)
            alignment = Alignment(tokens, tuple(whole.offsets), special)
        return Encoding(tuple(whole.ids), tuple(whole.type_ids), lost, alignment)


def _from_tokenizer_json(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    # The library raises bare Exception for anything wrong with the file.
    except Exception as error:
        raise InvalidCheckpoint(f"{path} cannot be read as a tokenizer: {error}") from error


def load_tokenizer(repository: Repository) -> TextTokenizer:
    """Load a checkpoint's tokenizer: `tokenizer.json`, else `vocab.txt` (WordPiece).

    Raises:
        CheckpointNotFound: neither file is there.
        InvalidCheckpoint: a file does not hold what it should.
    """
    path = repository.require("tokenizer.json", "vocab.txt")
    settings_path = repository.find("tokenizer_config.json")
    settings = {} if settings_path is None else read_json(settings_path)
    if path.name == "tokenizer.json":
        tokenizer = _from_tokenizer_json(path)
    else:
        tokenizer = word_piece(path, settings)
    longest = settings.get("model_max_length")
    if not isinstance(longest, int | float) or not 0 < longest < LARGEST_REAL_MAXIMUM:
        longest = None
    return TextTokenizer.of(
        tokenizer,
        unknown=special_token(settings, "unk_token"),
        max_length=None if longest is None else int(longest),
    )
