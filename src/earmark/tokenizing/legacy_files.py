"""Builds WordPiece tokenizers from `vocab.txt`, the format before `tokenizer.json`."""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.decoders import WordPiece as WordPieceDecoder
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer

from earmark.errors import InvalidCheckpoint
from earmark.tokenizing.library import complaints_about
from earmark.tokenizing.settled import bert_normalizer
from earmark.tokenizing.stated import StatedTokenizer

REQUIRED = ("unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
"""Roles of special tokens that the vocabulary must have."""
MOST_CHARACTERS_PER_WORD = 100
"""Longer words become the unknown token, as in the reference (`WordpieceTokenizer`)."""


def word_piece(paths: Sequence[Path], stated: StatedTokenizer) -> Tokenizer:
    """Build BERT's tokenizer, without its post-processor.

    Follows `transformers` 5.24.0, models/bert/tokenization_bert.py.

    Args:
        paths: `vocab.txt`, one token a line, line number = id; of repeated lines the last counts.
        stated: `do_lower_case` (default true), `strip_accents` (null: as lower-casing),
            `tokenize_chinese_chars`, special tokens.

    Raises:
        InvalidCheckpoint: the file cannot be read, or lacks a special token.
    """
    (path,) = paths
    with complaints_about(path, expected="a WordPiece vocabulary"):
        ids = WordPiece.read_file(str(path))
    known = {*ids, *(token.content for token in stated.added)}
    for role in REQUIRED:
        if stated.text_of(role) not in known:
            raise InvalidCheckpoint(f"{path} has no line {stated.text_of(role)} ({role})")
    model = WordPiece(
        ids,
        unk_token=stated.text_of("unk_token") or "",
        max_input_chars_per_word=MOST_CHARACTERS_PER_WORD,
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = bert_normalizer(stated)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.decoder = WordPieceDecoder()
    stated.add_to(tokenizer)
    return tokenizer
