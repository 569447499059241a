"""Loads a checkpoint's tokenizer from its files."""

from pathlib import Path

from tokenizers import Tokenizer

from earmark.checkpoint.files.repository import Repository
from earmark.errors import InvalidCheckpoint
from earmark.tokenizing.charsmap import check_charsmaps_of
from earmark.tokenizing.classes import class_of, has_token_types, refuse_other_than_file
from earmark.tokenizing.families import family_beside, family_of
from earmark.tokenizing.library import complaints_about
from earmark.tokenizing.patterns import check_patterns_of
from earmark.tokenizing.settled import settle
from earmark.tokenizing.stated import SETTINGS, StatedTokenizer, read_stated
from earmark.tokenizing.tokenizer import TextTokenizer
from earmark.tokenizing.truncation import CUT_SIDES, CutSide

LARGEST_REAL_MAXIMUM = 1 << 24
"""A `model_max_length` above this, or 0, means "not known"; `transformers` writes 1e30 for it."""
MOST_FILE_BYTES = 64 * 1024 * 1024
"""Largest file, in bytes; `tokenizer.json` with 256,000 tokens and their merges has some 35 MB. One
of this size takes 1.5 GB of memory."""


def load_tokenizer(repository: Repository) -> TextTokenizer:
    """Load a checkpoint's tokenizer: `tokenizer.json`, else the files of its family.

    Raises:
        CheckpointNotFound: the files are missing.
        InvalidCheckpoint: a file does not hold what it should.
        UnsupportedCheckpoint: the files are for a class that earmark does not build.
    """
    stated = read_stated(repository)
    built = build_tokenizer(repository, stated)
    return TextTokenizer.of(
        built,
        unknown=stated.text_of("unk_token"),
        max_length=_max_length(stated, built.num_special_tokens_to_add(is_pair=False)),
        cut_side=_cut_side(stated),
        token_types=has_token_types(class_of(repository, stated), stated),
    )


def build_tokenizer(repository: Repository, stated: StatedTokenizer) -> Tokenizer:
    """Build a tokenizer of the library, with its post-processor.

    Args:
        repository: the checkpoint's files.
        stated: the settings in its JSON files.

    Raises:
        CheckpointNotFound: the files are not there.
        InvalidCheckpoint: a file does not hold what it should.
        UnsupportedCheckpoint: the files are those of a class that earmark does not build.
    """
    path = repository.find("tokenizer.json")
    if path is None:
        family = family_of(repository, stated)
        first = repository.require("tokenizer.json", family.files[0])
        files = [first, *(repository.require(file) for file in family.files[1:])]
        for file in files:
            _check_size(file)
        return family.load(files, stated)
    _check_size(path)
    with complaints_about(path, expected="a tokenizer"):
        tokenizer = Tokenizer.from_file(str(path))
    check_charsmaps_of(tokenizer, path)
    check_patterns_of(tokenizer, path)
    kind = class_of(repository, stated)
    refuse_other_than_file(kind, stated)
    beside = family_beside(kind)
    if beside is not None:
        stated = stated.with_usual(beside.tokens)
        if beside.kin is not None:
            settle(tokenizer, stated, beside.kin)
        beside.close(tokenizer, stated, path)
    with complaints_about(path, expected="a tokenizer with the added tokens of its settings"):
        stated.add_to(tokenizer)
    return tokenizer


def _check_size(path: Path) -> None:
    """Raise an error if reading a file would take minutes and gigabytes.

    Raises:
        InvalidCheckpoint: the file is larger than any real one, or a link to an empty one.
    """
    size = path.stat().st_size
    if not size and path.is_symlink():
        # It may lead to a file of the system's that never ends (`/proc/kmsg`).
        raise InvalidCheckpoint(f"{path} is a link to nothing of any size, expected a tokenizer")
    if size > MOST_FILE_BYTES:
        raise InvalidCheckpoint(
            f"{path.name} is {size:,} bytes, and at most {MOST_FILE_BYTES:,} are read; use the"
            " checkpoint with the tokenizer that it was published with"
        )


def _max_length(stated: StatedTokenizer, special: int) -> int | None:
    """Read the length of the longest text; None if it is not known.

    Args:
        stated: the settings.
        special: number of tokens around every text.

    Raises:
        InvalidCheckpoint: the field is not a number, or leaves no room for a text.
    """
    longest = stated.fields.get("model_max_length", stated.fields.get("max_len"))
    if longest is None:
        return None
    if isinstance(longest, bool) or not isinstance(longest, int | float):
        raise InvalidCheckpoint(
            f'{SETTINGS}: "model_max_length" is {longest!r}, expected a number of tokens or null'
        )
    if not 1 <= longest < LARGEST_REAL_MAXIMUM:
        return None
    if longest <= special:
        raise InvalidCheckpoint(
            f'{SETTINGS}: "model_max_length" is {longest!r}, expected more than the {special} '
            "special tokens of every text, or null"
        )
    return int(longest)


def _cut_side(stated: StatedTokenizer) -> CutSide:
    side = stated.fields.get("truncation_side", "right")
    for known in CUT_SIDES:
        if side == known:
            return known
    raise InvalidCheckpoint(
        f'{SETTINGS}: "truncation_side" is {side!r}, expected "right" or "left"'
    )
