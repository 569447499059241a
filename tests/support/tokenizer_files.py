"""Vocabulary files of the kinds that came before `tokenizer.json`, made by code."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from support.checkpoint_spec import TokenizerSpec
from support.subword_tokenizers import METASPACE, byte_level
from support.vocabulary import ENDINGS, WORDS, vocabulary

from earmark.tokenizing.sentencepiece_model import model_message

__all__ = [
    "CONTROL",
    "UNKNOWN",
    "Piece",
    "charsmap",
    "sentencepiece",
    "write_byte_level",
    "write_json",
    "write_word_pieces",
]

NORMAL, UNKNOWN, CONTROL, USER_DEFINED = 1, 2, 3, 4
"""Types of a SentencePiece piece."""

Piece = tuple[str, float, int]
"""Text, score, type."""

OWN: tuple[Piece, ...] = (
    ("<unk>", 0.0, UNKNOWN),
    ("<s>", 0.0, CONTROL),
    ("</s>", 0.0, CONTROL),
)
BLOCK = 256
HAS_LEAF = 1 << 8
OFFSET_SHIFT = 10


def write_json(folder: Path, name: str, fields: Mapping[str, object]) -> None:
    """Write a JSON file."""
    (folder / name).write_text(json.dumps(fields), encoding="utf-8")


def write_word_pieces(folder: Path, size: int = 320) -> None:
    """Write BERT's `vocab.txt`."""
    lines = "".join(f"{token}\n" for token in vocabulary(size))
    (folder / "vocab.txt").write_text(lines, encoding="utf-8", newline="\n")


def write_byte_level(folder: Path, size: int = 400) -> None:
    """Write RoBERTa's `vocab.json` and `merges.txt`."""
    byte_level(size, TokenizerSpec(kind="byte-level")).model.save(str(folder))


def sentencepiece(
    own: Sequence[Piece] = OWN,
    *,
    more: Sequence[Piece] = (),
    kind: int = 1,
    unknown_id: int = 0,
    table: bytes = b"",
) -> bytes:
    """Make a SentencePiece model.

    Args:
        own: special pieces, which stand first.
        more: further pieces, after words, endings and letters.
        kind: 1 is Unigram.
        unknown_id: the piece for what no other piece is.
        table: replacements of characters.
    """
    letters = "abcdefghijklmnopqrstuvwxyz.,!? '"
    texts = [METASPACE, *(METASPACE + word for word in WORDS), *ENDINGS, *letters.replace(" ", "")]
    model = model_message()()
    normal = [(text, -4.0 - rank / 64, NORMAL) for rank, text in enumerate(dict.fromkeys(texts))]
    for text, score, its_type in (*own, *normal, *more):
        model.pieces.add(piece=text, score=score, type=its_type)
    model.trainer_spec.model_type = kind
    model.trainer_spec.unk_id = unknown_id
    if table:
        model.normalizer_spec.precompiled_charsmap = table
    written: bytes = model.SerializeToString()
    return written


def charsmap(
    *,
    replacement: bytes = b"b\0",
    value: int = 0,
    leaf_base: int = 2 * BLOCK,
    size: int = 3 * BLOCK,
) -> bytes:
    """Make a table that replaces the letter a; every argument can break it.

    Args:
        replacement: the texts that stand for others.
        value: where in `replacement` the letter's own begins.
        leaf_base: the unit that holds the value.
        size: units in all.
    """
    units = np.zeros(size, "<u4")
    child = BLOCK ^ ord("a")
    units[0] = BLOCK << OFFSET_SHIFT
    units[child] = (child ^ leaf_base) << OFFSET_SHIFT | HAS_LEAF | ord("a")
    if leaf_base < size:
        units[leaf_base] = value
    trie = units.tobytes()
    return len(trie).to_bytes(4, "little") + trie + replacement
