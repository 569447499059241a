"""Where the `tokenizers` library cleans a text in another way than the model's training did.

A `tokenizer.json` names the steps of the library; the model was trained with the tools whose work
they stand for. These are put in their place.
"""

import re
import unicodedata

from tokenizers import NormalizedString, Tokenizer
from tokenizers.normalizers import BertNormalizer, Normalizer, Precompiled
from tokenizers.normalizers import Sequence as Normalizers

from earmark.tokenizing.character_table import CharacterTable
from earmark.tokenizing.charsmap import tables_of
from earmark.tokenizing.edits import Edit, carry_out

__all__ = ["as_trained"]

DECOMPOSED_HANGUL = re.compile(
    "[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?|[\uac00-\ud7a3][\u11a8-\u11c2]"
)
"""Letters that together are one syllable (The Unicode Standard, 3.12). A syllable that has its last
letter already takes no other; composing leaves it as it is."""


def as_trained(tokenizer: Tokenizer) -> None:
    """Let a tokenizer clean texts as the model's training did.

    A table of character replacements is followed as SentencePiece follows it. BERT's cleaning,
    where it keeps accents, also composes Hangul, as vocabularies hold it (`BasicTokenizer.tokenize`
    of `transformers` 4.57.1, models/bert/tokenization_bert.py). After either the library cannot
    write the tokenizer down any more.

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
            return normalizer  # it takes Hangul apart, whichever way it comes
        return Normalizers([Normalizer.custom(HangulComposed()), normalizer])
    if isinstance(normalizer, Normalizers):
        parts = (normalizer[index] for index in range(len(normalizer)))
        return Normalizers([_as_trained(part) for part in parts])
    return normalizer


class HangulComposed:
    """A normalizer that makes one letter of those that are a syllable together."""

    def normalize(self, normalized: NormalizedString) -> None:
        """Compose them; the library calls this."""
        text = normalized.normalized
        if text.isascii():
            return
        found = DECOMPOSED_HANGUL.finditer(text)
        composed = ((one, unicodedata.normalize("NFC", one.group())) for one in found)
        edits = [Edit(*one.span(), made) for one, made in composed if made != one.group()]
        carry_out(normalized, edits)
