"""Writes the tokens of a tokenizer as text."""

from dataclasses import dataclass

from tokenizers import Tokenizer

from earmark.tokenizing.library import panics_over_a_text

USUAL_UNKNOWN = ("<unk>", "[UNK]")
"""The unknown token of the reference's tokenizer classes if no file names it; a Unigram model has
only its id, which the library does not return."""


@dataclass(frozen=True, slots=True)
class TokenizerPieces:
    """Writes tokens as text with the tokenizer's own decoder.

    Attributes:
        unknown: the token for text that is not in the vocabulary; None if there is none.
    """

    _tokenizer: Tokenizer
    unknown: str | None

    @classmethod
    def of(cls, tokenizer: Tokenizer, unknown: str | None = None) -> "TokenizerPieces":
        """Create it for a tokenizer.

        Args:
            tokenizer: the tokenizer.
            unknown: the unknown token, if the checkpoint's settings name it.
        """
        return cls(tokenizer, unknown or _unknown(tokenizer))

    def join(self, tokens: list[str]) -> str:
        """Join tokens into a text, as `transformers` does (`convert_tokens_to_string`).

        Raises:
            TokenizerFault: the library panicked.
        """
        decoder = self._tokenizer.decoder
        if decoder is None:
            return " ".join(tokens)
        with panics_over_a_text():
            return str(decoder.decode(tokens))


def _unknown(tokenizer: Tokenizer) -> str | None:
    stated = getattr(tokenizer.model, "unk_token", None)
    names = USUAL_UNKNOWN if stated is None else (str(stated),)
    return next((name for name in names if tokenizer.token_to_id(name) is not None), None)
