"""How a tokenizer writes its tokens as text."""

from dataclasses import dataclass

from tokenizers import Tokenizer

from earmark.tokenizing.library import panics_over_a_text

__all__ = ["TokenizerPieces"]

USUAL_UNKNOWN = ("<unk>", "[UNK]")
"""What the reference's tokenizer classes call it where no file says; a Unigram model knows only
its number, and does not tell."""


@dataclass(frozen=True, slots=True)
class TokenizerPieces:
    """Answers from the tokenizer's own decoder.

    Attributes:
        unknown: the token for what the vocabulary does not have; None where there is none.
    """

    _tokenizer: Tokenizer
    unknown: str | None

    @classmethod
    def of(cls, tokenizer: Tokenizer, unknown: str | None = None) -> "TokenizerPieces":
        """Look at a tokenizer's model.

        Args:
            tokenizer: the tokenizer.
            unknown: the unknown token, where the checkpoint's settings name it.
        """
        return cls(tokenizer, unknown or _unknown(tokenizer))

    def join(self, tokens: list[str]) -> str:
        """Write tokens as text again, as `transformers` does (`convert_tokens_to_string`).

        Raises:
            TokenizerFault: the library panicked over them.
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
