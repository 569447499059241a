"""How a tokenizer's tokens make words."""

from dataclasses import dataclass

from tokenizers import Tokenizer

__all__ = ["TokenizerPieces"]


@dataclass(frozen=True, slots=True)
class TokenizerPieces:
    """Answers from the tokenizer's own decoder.

    Attributes:
        marks_continuation: whether tokens that go on with a word are marked, as WordPiece's ``##``.
        unknown: the token for what the vocabulary does not have; None where there is none.
    """

    _tokenizer: Tokenizer
    marks_continuation: bool
    unknown: str | None

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "TokenizerPieces":
        """Look at a tokenizer's model."""
        model = tokenizer.model
        unknown = getattr(model, "unk_token", None)
        return cls(tokenizer, bool(getattr(model, "continuing_subword_prefix", None)), unknown)

    def join(self, tokens: list[str]) -> str:
        """Write tokens as text again, as `transformers` does (`convert_tokens_to_string`)."""
        decoder = self._tokenizer.decoder
        return " ".join(tokens) if decoder is None else str(decoder.decode(tokens))
