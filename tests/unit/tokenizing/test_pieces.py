"""How tokens are written as text, by the checkpoint's own files."""

import json
from pathlib import Path

import pytest
from support.checkpoints import CheckpointSpec, TokenizerSpec, write_checkpoint
from support.tokenizer_kinds import library_tokenizer, text_tokenizer
from tokenizers import Tokenizer
from tokenizers.models import BPE, WordLevel

from earmark.checkpoint.files.folder import LocalRepository
from earmark.tokenizing.load import load_tokenizer
from earmark.tokenizing.pieces import TokenizerPieces


@pytest.mark.parametrize("spec", [TokenizerSpec(), TokenizerSpec(files="vocab.txt")])
def test_both_file_formats_make_the_same_pieces(spec: TokenizerSpec, tmp_path: Path) -> None:
    """`vocab.txt`, without prefix and decoder, writes tokens as BERT's `tokenizer.json` does."""
    folder = write_checkpoint(tmp_path, CheckpointSpec(tokenizer=spec))
    pieces = load_tokenizer(LocalRepository.open(folder)).pieces
    assert pieces.unknown == "[UNK]"
    assert pieces.join(["walk", "##ing", ",", "good"]) == "walking, good"


@pytest.mark.parametrize("kind", ["byte-level", "unigram"])
def test_the_usual_unknown_token_stands_where_no_file_names_one(kind: str) -> None:
    """Where no file names an unknown token, the usual one of the class is used."""
    assert TokenizerPieces.of(library_tokenizer(kind)).unknown == "<unk>"


@pytest.mark.parametrize("stated", ["<mask>", {"content": "<mask>", "lstrip": True}])
def test_the_settings_name_of_the_unknown_token_wins(stated: object, tmp_path: Path) -> None:
    """The unknown token of the settings is used, written as text or as an object."""
    spec = CheckpointSpec(vocab_size=512, tokenizer=TokenizerSpec(kind="byte-level"))
    path = write_checkpoint(tmp_path, spec) / "tokenizer_config.json"
    fields = json.loads(path.read_text(encoding="utf-8")) | {"unk_token": stated}
    path.write_text(json.dumps(fields), encoding="utf-8")
    assert load_tokenizer(LocalRepository.open(tmp_path)).pieces.unknown == "<mask>"


def test_a_vocabulary_without_an_unknown_token_has_none() -> None:
    """A name that is not in the vocabulary is no unknown token."""
    assert TokenizerPieces.of(Tokenizer(BPE({"a": 0}, []))).unknown is None
    word_level = WordLevel({"a": 0}, unk_token="?")  # noqa: S106 - a token of text
    assert TokenizerPieces.of(Tokenizer(word_level)).unknown is None


@pytest.mark.parametrize(
    ("kind", "tokens", "text"),
    [
        ("wordpiece", ["new", "-", "york", "##s", "!"], "new - yorks!"),
        ("byte-level", ["Ġgood", "Ġ", "ð", "Ł", "Ļ", "Ĥ"], " good 🙂"),
        ("unigram", ["▁good", "▁film", "s"], "good films"),
        ("unigram", ["ing", "▁film"], "ing film"),
    ],
)
def test_tokens_are_written_as_the_tokenizers_decoder_does(
    kind: str, tokens: list[str], text: str
) -> None:
    """Tokens are written by the decoder, like `convert_tokens_to_string` of the reference."""
    assert text_tokenizer(kind).pieces.join(tokens) == text


def test_without_a_decoder_tokens_are_set_side_by_side() -> None:
    """Without a decoder tokens are joined as in the reference."""
    pieces = TokenizerPieces.of(Tokenizer(WordLevel({"a": 0}, unk_token="a")))  # noqa: S106 - text
    assert pieces.join(["a", "b"]) == "a b"
