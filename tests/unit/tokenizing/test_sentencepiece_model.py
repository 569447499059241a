"""SentencePiece models are read whole, or refused with the reason."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.tokenizer_files import UNKNOWN, charsmap, sentencepiece

from earmark.errors import InvalidCheckpoint
from earmark.tokenizing.sentencepiece_model import (
    CONTROL,
    LARGEST_FILE,
    NORMAL,
    USER_DEFINED,
    model_message,
    read_sentencepiece,
)


def changed(part: str, field: str, *, to: bool) -> bytes:
    """Return a model with one changed rule."""
    model = model_message().FromString(sentencepiece())
    setattr(getattr(model, part), field, to)
    written: bytes = model.SerializeToString()
    return written


WHOLE = sentencepiece(more=[("user", 0.0, 4)], table=charsmap())


def test_a_model_is_read_whole(tmp_path: Path) -> None:
    """A model is read with its pieces, special and unknown ones, and its table."""
    path = tmp_path / "spm.model"
    path.write_bytes(WHOLE)
    model = read_sentencepiece(path)
    assert model.pieces[:4] == [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), ("\u2581", -4.0)]
    assert model.kinds[:4] == [UNKNOWN, CONTROL, CONTROL, NORMAL]
    assert model.kinds[-1] == USER_DEFINED
    assert (model.joins_pairs, model.spaced, model.trimmed) == (False, True, True)
    assert not model.bytes_for_unknown
    assert model.unknown_id == 0
    assert model.charsmap == charsmap()


@pytest.mark.parametrize(
    ("contents", "found"),
    [
        (b"no such thing", "cannot be read as a SentencePiece model"),
        (WHOLE[:-7], "cannot be read as a SentencePiece model"),
        (b"", r"unknown piece is number 0 of 0"),
        (sentencepiece(unknown_id=9999), r"unknown piece is number 9999 of"),
        (sentencepiece(kind=3), "is a WORD model of SentencePiece, expected UNIGRAM or BPE"),
        (changed("trainer_spec", "treat_whitespace_as_suffix", to=True), "marks the ends of words"),
        (changed("normalizer_spec", "escape_whitespaces", to=False), "does not mark where words"),
        (sentencepiece(kind=7), "is a 7th kind of model"),
        (sentencepiece([("", 0.0, CONTROL)]), "piece 0 is empty"),
        (sentencepiece([("a", 0.0, UNKNOWN)]), "piece .* is there twice"),
        (sentencepiece([("x", float("nan"), UNKNOWN)]), "piece 0 is scored nan"),
        (sentencepiece([("@", float("-inf"), UNKNOWN)]), "piece 0 is scored -inf"),
        (WHOLE.replace(b"<unk>", b"<\xff\xff\xff>"), "piece 0 is not UTF-8"),
    ],
)
def test_a_broken_model_is_refused(tmp_path: Path, contents: bytes, found: str) -> None:
    """The error for a broken model names the file and the place."""
    path = tmp_path / "spm.model"
    path.write_bytes(contents)
    with pytest.raises(InvalidCheckpoint, match=rf"spm\.model.*{found}"):
        read_sentencepiece(path)


def test_a_file_too_large_for_any_vocabulary_is_not_read(tmp_path: Path) -> None:
    """A file that is too large is refused by its size, unread."""
    path = tmp_path / "spm.model"
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)  # takes no room on the disk
    with pytest.raises(InvalidCheckpoint, match="more than any vocabulary"):
        read_sentencepiece(path)


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    """The error for a missing file names it."""
    with pytest.raises(InvalidCheckpoint, match=r"spm\.model cannot be read"):
        read_sentencepiece(tmp_path / "spm.model")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=4))
def test_damage_is_refused_or_read(tmp_path: Path, place: int, instead: bytes) -> None:
    """A model with any changed bytes is either read or refused with the one error."""
    path = tmp_path / "spm.model"
    path.write_bytes(WHOLE[:place] + instead + WHOLE[place + len(instead) :])
    try:
        model = read_sentencepiece(path)
    except InvalidCheckpoint:
        return
    assert all(isinstance(text, str) for text, _ in model.pieces)
