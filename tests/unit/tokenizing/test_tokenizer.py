"""Texts to token ids, with a count of what was cut."""

import json
import time
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.checkpoints import CheckpointSpec, TokenizerSpec, write_checkpoint

from earmark.checkpoint.files.folder import LocalRepository
from earmark.domain.encoding import Encoding
from earmark.domain.texts import Question, TextInput
from earmark.errors import CheckpointNotFound, InvalidCheckpoint, InvalidInput
from earmark.tokenizing.load import load_tokenizer
from earmark.tokenizing.tokenizer import TextTokenizer


def encode(tokenizer: TextTokenizer, inputs: list[TextInput], *, max_tokens: int) -> list[Encoding]:
    """Encode texts, cutting those that are too long."""
    questions = [Question(item, text) for item, text in enumerate(inputs)]
    return [one for (one,) in tokenizer.encode(questions, max_tokens=max_tokens)]


TEXTS = st.text(max_size=80)
PAIRS = st.builds(TextInput, TEXTS, st.none() | TEXTS)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    """Load a small WordPiece tokenizer whose file has its own padding and truncation."""
    spec = CheckpointSpec(tokenizer=TokenizerSpec(files="tokenizer.json, padded and truncated"))
    folder = write_checkpoint(tmp_path_factory.mktemp("checkpoint"), spec)
    return load_tokenizer(LocalRepository.open(folder))


@given(st.lists(PAIRS, min_size=1, max_size=5), st.integers(3, 60))
def test_an_encoding_is_whole_or_says_what_it_lost(
    tokenizer: TextTokenizer, inputs: list[TextInput], max_tokens: int
) -> None:
    """Kept and cut tokens add up to the whole text's, and the limit always holds."""
    whole = encode(tokenizer, inputs, max_tokens=10_000)
    cut = encode(tokenizer, inputs, max_tokens=max_tokens)
    for all_of_it, kept in zip(whole, cut, strict=True):
        assert all_of_it.truncated_tokens == 0
        assert len(kept) <= max_tokens
        assert len(kept) + kept.truncated_tokens == len(all_of_it)
        assert len(kept.type_ids) == len(kept.ids)


@given(st.lists(PAIRS, min_size=2, max_size=6))
def test_together_is_as_alone(tokenizer: TextTokenizer, inputs: list[TextInput]) -> None:
    """A text has the same encoding alone and among others."""
    together = encode(tokenizer, inputs, max_tokens=20)
    alone = [encode(tokenizer, [one], max_tokens=20)[0] for one in inputs]
    assert together == alone


def test_other_threads_run_while_a_long_text_is_encoded(tokenizer: TextTokenizer) -> None:
    """Other threads run while a text of a megabyte is encoded."""
    question = Question(0, TextInput("walking, good " * 70_000))
    encoder = Thread(target=tokenizer.encode, args=([question],), kwargs={"max_tokens": 20})
    encoder.start()
    turns = 0
    while encoder.is_alive():
        turns += 1
        time.sleep(0.001)
    assert turns > 20


def test_a_long_text_is_read_as_a_short_one_is(tokenizer: TextTokenizer) -> None:
    """Long and short texts have the same encoding, whichever way the library is called."""
    words = "walking, good "
    (short,) = encode(tokenizer, [TextInput(words)], max_tokens=10_000)
    (long,) = encode(tokenizer, [TextInput(words * 500)], max_tokens=10_000)
    assert long.ids[1:-1] == short.ids[1:-1] * 500


def test_a_pair_has_two_types(tokenizer: TextTokenizer) -> None:
    """Tokens of the second text, and its separator, have type 1."""
    (pair,) = encode(tokenizer, [TextInput("a", "b")], max_tokens=20)
    assert pair.type_ids == (0, 0, 0, 1, 1)


def test_an_empty_pair_is_a_pair(tokenizer: TextTokenizer) -> None:
    """An empty second text has a separator; a missing one does not."""
    empty, none = encode(tokenizer, [TextInput("a", ""), TextInput("a")], max_tokens=20)
    assert (len(empty), len(none)) == (4, 3)


def test_half_a_character_is_the_callers_mistake(tokenizer: TextTokenizer) -> None:
    """A lone surrogate is an error of the input, alone or beside other texts."""
    for inputs in ([TextInput("\ud800")], [TextInput("fine"), TextInput("x", "\udfff")]):
        with pytest.raises(InvalidInput, match="lone surrogate"):
            encode(tokenizer, inputs, max_tokens=20)


@pytest.mark.parametrize(
    ("stated", "known"), [(24, 24), (None, None), (10**30, None)], ids=["24", "none", "1e30"]
)
def test_the_checkpoints_own_maximum_is_read(
    tmp_path: Path, stated: int | None, known: int | None
) -> None:
    """`model_max_length` is read; a number beyond all models means that it is not known."""
    spec = CheckpointSpec(tokenizer=TokenizerSpec(model_max_length=stated))
    folder = write_checkpoint(tmp_path, spec)
    assert load_tokenizer(LocalRepository.open(folder)).max_length == known


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.lists(PAIRS, min_size=1, max_size=5))
def test_vocab_txt_gives_the_same_ids(tmp_path: Path, inputs: list[TextInput]) -> None:
    """`vocab.txt` gives the same ids as `tokenizer.json`."""
    both = []
    for files in ("tokenizer.json", "vocab.txt"):
        folder = tmp_path / files
        if not folder.exists():
            write_checkpoint(folder, CheckpointSpec(tokenizer=TokenizerSpec(files=files)))
        loaded = load_tokenizer(LocalRepository.open(folder))
        both.append(encode(loaded, inputs, max_tokens=30))
    assert both[0] == both[1]


def test_a_folder_without_a_tokenizer_says_what_is_missing(tmp_path: Path) -> None:
    """The error for a folder without a tokenizer names both files."""
    with pytest.raises(CheckpointNotFound, match=r"no tokenizer\.json or vocab\.txt"):
        load_tokenizer(LocalRepository.open(tmp_path))


def test_a_broken_tokenizer_file_is_named(tmp_path: Path) -> None:
    """The error for a broken file has its path and the library's own message."""
    (tmp_path / "tokenizer.json").write_text('{"model": 1}')
    with pytest.raises(InvalidCheckpoint, match=r"tokenizer\.json cannot be read as a tokenizer"):
        load_tokenizer(LocalRepository.open(tmp_path))


@pytest.mark.parametrize(
    ("contents", "complaint"), [(b"[PAD]\n[UNK]\n", "no line"), (b"\xff\xfe", "UTF-8")]
)
def test_a_broken_vocabulary_is_named(tmp_path: Path, contents: bytes, complaint: str) -> None:
    """A vocabulary that is no text, or lacks its special tokens, is refused by name."""
    (tmp_path / "vocab.txt").write_bytes(contents)
    with pytest.raises(InvalidCheckpoint, match=complaint):
        load_tokenizer(LocalRepository.open(tmp_path))


def test_texts_are_cut_on_the_side_that_the_checkpoint_names(tmp_path: Path) -> None:
    """With the side `left` the last tokens are kept, of a pair those of both texts."""
    folder = write_checkpoint(tmp_path, CheckpointSpec())
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({"truncation_side": "left"}), encoding="utf-8")
    tokenizer = load_tokenizer(LocalRepository.open(folder))
    words = "good great fine bad"
    asked = [TextInput(words), TextInput(words, "dull film movie")]
    single, pair = encode(tokenizer, asked, max_tokens=5)
    whole = encode(tokenizer, asked, max_tokens=20)
    assert (single.ids[1:4], single.truncated_tokens) == (whole[0].ids[2:5], 1)
    assert (pair.ids[1], pair.ids[3], pair.truncated_tokens) == (
        whole[1].ids[4],
        whole[1].ids[8],
        5,
    )


@pytest.mark.parametrize("name", ["tokenizer.json", "vocab.txt"])
def test_a_tokenizer_file_larger_than_any_is_not_read(tmp_path: Path, name: str) -> None:
    """A file that is larger than any tokenizer is refused by its size, unread."""
    folder = write_checkpoint(tmp_path / "large", CheckpointSpec())
    (folder / "tokenizer.json").unlink()
    with (folder / name).open("wb") as file:
        file.truncate(467_000_000)
    expected = f"{name} is 467,000,000 bytes, and at most 67,108,864 are read"
    with pytest.raises(InvalidCheckpoint, match=expected):
        load_tokenizer(LocalRepository.open(folder))


def test_a_side_that_is_none_is_refused(tmp_path: Path) -> None:
    """An unknown `truncation_side` is refused with what was found and expected."""
    folder = write_checkpoint(tmp_path, CheckpointSpec())
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({"truncation_side": "middle"}), encoding="utf-8")
    with pytest.raises(InvalidCheckpoint, match='\'middle\', expected "right" or "left"'):
        load_tokenizer(LocalRepository.open(folder))
