"""Tokenizers from the files that came before `tokenizer.json`."""

from collections.abc import Mapping
from pathlib import Path

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import WordPiece as WordPieceDecoder
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from earmark.errors import InvalidCheckpoint

__all__ = ["special_token", "word_piece"]

SPECIAL_TOKENS = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
"""Names in `tokenizer_config.json` and BERT's own tokens, which stand where it says nothing."""
MOST_CHARACTERS_PER_WORD = 100
"""Longer words become the unknown token, as in the reference (`WordpieceTokenizer`)."""


def special_token(settings: Mapping[str, object], name: str) -> str | None:
    """Read a special token, stored as a string or as ``{"content": …}``; None where not named."""
    value = settings.get(name)
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else None


def _flag(settings: Mapping[str, object], name: str, *, default: bool) -> bool:
    value = settings.get(name)
    return value if isinstance(value, bool) else default


def word_piece(vocabulary: Path, settings: Mapping[str, object]) -> Tokenizer:
    """Build BERT's tokenizer from a `vocab.txt`.

    Args:
        vocabulary: one token a line, line number = id.
        settings: `tokenizer_config.json`: `do_lower_case` (true where it says nothing),
            `strip_accents` (null: as lower-casing), `tokenize_chinese_chars`, special tokens.

    Raises:
        InvalidCheckpoint: the file cannot be read, or lacks a special token.
    """
    try:
        lines = vocabulary.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidCheckpoint(f"{vocabulary} cannot be read as UTF-8: {error}") from error
    if lines and not lines[-1]:
        lines.pop()
    # Of doubled lines the last one wins, as in the reference (`load_vocab`).
    ids = {token.rstrip("\r"): index for index, token in enumerate(lines)}
    special = {
        name: special_token(settings, name) or usual for name, usual in SPECIAL_TOKENS.items()
    }
    for name, token in special.items():
        if token not in ids:
            raise InvalidCheckpoint(f"{vocabulary} has no line {token} ({name})")
    model = WordPiece(
        ids,
        unk_token=special["unk_token"],
        max_input_chars_per_word=MOST_CHARACTERS_PER_WORD,
    )
    tokenizer = Tokenizer(model)
    strip_accents = settings.get("strip_accents")
    tokenizer.normalizer = BertNormalizer(
        clean_text=True,
        handle_chinese_chars=_flag(settings, "tokenize_chinese_chars", default=True),
        strip_accents=strip_accents if isinstance(strip_accents, bool) else None,
        lowercase=_flag(settings, "do_lower_case", default=True),
    )
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.decoder = WordPieceDecoder()
    cls, sep = special["cls_token"], special["sep_token"]
    tokenizer.post_processor = TemplateProcessing(
        single=f"{cls}:0 $A:0 {sep}:0",
        pair=f"{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1",
        special_tokens=[(cls, ids[cls]), (sep, ids[sep])],
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special.values()])
    return tokenizer
