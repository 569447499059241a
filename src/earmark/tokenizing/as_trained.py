"""Where the `tokenizers` library cleans a text in another way than the model's training did.

A `tokenizer.json` names the steps of the library; the model was trained with the tools whose work
they stand for. These are put in their place.
"""

from tokenizers import Tokenizer
from tokenizers.normalizers import NFC, BertNormalizer, Normalizer, Precompiled
from tokenizers.normalizers import Sequence as Normalizers

from earmark.tokenizing.character_table import CharacterTable
from earmark.tokenizing.charsmap import tables_of

__all__ = ["as_trained"]


def as_trained(tokenizer: Tokenizer) -> None:
    """Let a tokenizer clean texts as the model's training did.

    A table of character replacements is followed as SentencePiece follows it; with one, the library
    cannot write the tokenizer down any more. BERT's cleaning, where it keeps accents, also composes
    them and the letters of Hangul, which vocabularies hold composed (`BasicTokenizer.tokenize` of
    `transformers` 4.57.1, models/bert/tokenization_bert.py).

    Args:
        tokenizer: its tables have passed `check_charsmaps_of`.
    """
    if tokenizer.normalizer is not None:
        tokenizer.normalizer = _as_trained(tokenizer.normalizer)


def _as_trained(normalizer: Normalizer) -> Normalizer:
    if isinstance(normalizer, Precompiled):
        (table,) = tables_of(normalizer)
        return Normalizer.custom(CharacterTable(table))
    if isinstance(normalizer, BertNormalizer):
        strips = normalizer.strip_accents
        if normalizer.lowercase if strips is None else strips:
            return normalizer
        return Normalizers([normalizer, NFC()])
    if isinstance(normalizer, Normalizers):
        parts = (normalizer[index] for index in range(len(normalizer)))
        return Normalizers([_as_trained(part) for part in parts])
    return normalizer
