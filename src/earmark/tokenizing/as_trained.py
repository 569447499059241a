"""Replaces steps of the `tokenizers` library that clean a text differently than in training.

A `tokenizer.json` names steps of the library, but the model was trained with other tools, which
those steps imitate. Where they differ, steps that follow the other tools are used.
"""

import re
import unicodedata

from tokenizers import NormalizedString, Tokenizer
from tokenizers.normalizers import BertNormalizer, Normalizer, Precompiled
from tokenizers.normalizers import Sequence as Normalizers

from earmark.tokenizing.character_table import CharacterTable
from earmark.tokenizing.charsmap import tables_of
from earmark.tokenizing.edits import Edit, carry_out

DECOMPOSED_HANGUL = re.compile(
    "[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?|[\uac00-\ud7a3][\u11a8-\u11c2]"
)
"""Letters that together form one syllable (The Unicode Standard, 3.12). Composing leaves a syllable
that already has its last letter as it is."""


def as_trained(tokenizer: Tokenizer) -> None:
    """Make a tokenizer clean texts as in the model's training.

    A table of character replacements is applied as SentencePiece applies it. If BERT's cleaning
    keeps accents, it also composes Hangul, as in vocabularies (`BasicTokenizer.tokenize` of
    `transformers` 4.57.1, models/bert/tokenization_bert.py). After either change the library can
    no longer serialise the tokenizer.

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
            return normalizer  # it decomposes Hangul anyway
        return Normalizers([Normalizer.custom(HangulComposed()), normalizer])
    if isinstance(normalizer, Normalizers):
        parts = (normalizer[index] for index in range(len(normalizer)))
        return Normalizers([_as_trained(part) for part in parts])
    return normalizer


class HangulComposed:
    """A normalizer that composes the letters of a Hangul syllable into one."""

    def normalize(self, normalized: NormalizedString) -> None:
        """Compose them; the library calls this."""
        text = normalized.normalized
        if text.isascii():
            return
        found = DECOMPOSED_HANGUL.finditer(text)
        composed = ((one, unicodedata.normalize("NFC", one.group())) for one in found)
        edits = [Edit(*one.span(), made) for one, made in composed if made != one.group()]
        carry_out(normalized, edits)
