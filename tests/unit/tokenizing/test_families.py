"""Which tokenizer a checkpoint without `tokenizer.json` has, and which errors there are."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tokenizer_files import (
    CONTROL,
    UNKNOWN,
    Piece,
    charsmap,
    sentencepiece,
    write_byte_level,
    write_json,
    write_word_pieces,
)

from earmark.checkpoint.files.folder import LocalRepository
from earmark.domain.encoding import Alignment
from earmark.domain.texts import Question, TextInput
from earmark.errors import CheckpointNotFound, InvalidCheckpoint, UnsupportedCheckpoint
from earmark.tokenizing.families import FAMILIES, family_of
from earmark.tokenizing.load import load_tokenizer
from earmark.tokenizing.stated import read_stated
from earmark.tokenizing.tokenizer import TextTokenizer

OWN: Mapping[str, tuple[Piece, ...]] = {
    "sentencepiece.bpe.model": (
        ("<unk>", 0.0, UNKNOWN),
        ("<s>", 0.0, CONTROL),
        ("</s>", 0.0, CONTROL),
    ),
    "spm.model": (("[UNK]", 0.0, UNKNOWN), ("[CLS]", 0.0, CONTROL), ("[SEP]", 0.0, CONTROL)),
    "spiece.model": (
        ("<pad>", 0.0, CONTROL),
        ("<unk>", 0.0, UNKNOWN),
        ("[CLS]", 0.0, CONTROL),
        ("[SEP]", 0.0, CONTROL),
    ),
}


def sentencepiece_file(name: str) -> Callable[[Path], None]:
    """Write a model under the name that one family gives it."""

    def write(folder: Path) -> None:
        own = OWN[name]
        unknown = [its_type for _, _, its_type in own].index(UNKNOWN)
        (folder / name).write_bytes(sentencepiece(own, unknown_id=unknown, table=charsmap()))

    return write


KINDS: Mapping[str, tuple[str, Callable[[Path], None]]] = {
    "bert": ("BertTokenizer", write_word_pieces),
    "electra": ("ElectraTokenizer", write_word_pieces),
    "roberta": ("RobertaTokenizer", write_byte_level),
    "xlm-roberta": ("XLMRobertaTokenizer", sentencepiece_file("sentencepiece.bpe.model")),
    "camembert": ("CamembertTokenizer", sentencepiece_file("sentencepiece.bpe.model")),
    "deberta-v2": ("DebertaV2Tokenizer", sentencepiece_file("spm.model")),
    "albert": ("AlbertTokenizer", sentencepiece_file("spiece.model")),
}


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, TextTokenizer]:
    """Make one tokenizer of each kind."""
    loaded = {}
    for kind, (_, write) in KINDS.items():
        folder = tmp_path_factory.mktemp(kind)
        write(folder)
        write_json(folder, "config.json", {"model_type": kind})
        loaded[kind] = load_tokenizer(LocalRepository.open(folder))
    return loaded


@pytest.mark.parametrize("kind", KINDS)
@given(st.text(max_size=60), st.none() | st.text(max_size=20))
def test_any_text_is_encoded_within_itself(
    tokenizers: Mapping[str, TextTokenizer], kind: str, text: str, pair: str | None
) -> None:
    """For any text the offsets lie in it, in order, and the ids are in the vocabulary."""
    tokenizer = tokenizers[kind]
    asked = [Question(0, TextInput(text, pair))]
    ((one,),) = tokenizer.encode(asked, max_tokens=10_000, align=True)
    assert max(one.ids) < tokenizer.vocabulary_size
    assert isinstance(one.alignment, Alignment)
    longest = max(len(text), len(pair or ""))
    assert all(0 <= start <= end <= longest for start, end in one.alignment.offsets)


@pytest.mark.parametrize("kind", KINDS)
def test_the_class_that_is_named_decides(kind: str, tmp_path: Path) -> None:
    """The class in either config decides, with or without `Fast`; else the model's type."""
    name, write = KINDS[kind]
    write(tmp_path)
    repository = LocalRepository.open(tmp_path)
    usual = "XLMRobertaTokenizer" if kind == "camembert" else name.replace("Electra", "Bert")
    assert family_of(repository, read_stated(repository)) == FAMILIES[usual]
    write_json(tmp_path, "config.json", {"model_type": kind})
    expected = family_of(repository, read_stated(repository))
    assert all((tmp_path / file).is_file() for file in expected.files)
    write_json(tmp_path, "config.json", {"model_type": "other", "tokenizer_class": name})
    assert family_of(repository, read_stated(repository)) == expected
    write_json(tmp_path, "config.json", {"model_type": "other", "tokenizer_class": "Other"})
    write_json(tmp_path, "tokenizer_config.json", {"tokenizer_class": f"{name}Fast"})
    assert family_of(repository, read_stated(repository)) == expected


JAPANESE = {"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "mecab"}
CODE = {"auto_map": {"AutoTokenizer": ["tokenization_own.OwnTokenizer", None]}}


@pytest.mark.parametrize(
    ("settings", "config", "found"),
    [
        (JAPANESE, {"model_type": "bert"}, "tokenizer_config.json names BertJapaneseTokenizer"),
        ({}, {"model_type": "bert", **JAPANESE}, "config.json names BertJapaneseTokenizer"),
        ({"tokenizer_class": "BertweetTokenizer"}, {"model_type": "roberta"}, "BertweetTokenizer"),
        ({"tokenizer_class": "PhobertTokenizer"}, {"model_type": "roberta"}, "PhobertTokenizer"),
        ({"tokenizer_class": "FunnelTokenizerFast"}, {"model_type": "funnel"}, "FunnelTokenizer"),
        ({"tokenizer_class": "OwnTokenizer"}, {}, "OwnTokenizer"),
        (CODE, {"model_type": "bert"}, "OwnTokenizer, which is code beside the checkpoint"),
        ({}, {"model_type": "bert", **CODE}, "OwnTokenizer, which is code beside the checkpoint"),
        ({**CODE, "tokenizer_class": "BertTokenizer"}, {}, "which is code beside the checkpoint"),
        ({}, {"model_type": "xlnet"}, 'model_type "xlnet"'),
        ({}, {"model_type": "flaubert"}, 'model_type "flaubert"'),
        ({}, {"model_type": "roformer"}, 'model_type "roformer"'),
        ({}, {"model_type": "esm"}, "EsmTokenizer"),
    ],
)
def test_a_class_that_is_not_known_is_refused_by_name(
    settings: Mapping[str, object], config: Mapping[str, object], found: str, tmp_path: Path
) -> None:
    """An unknown class is refused by name, though its files have known names."""
    write_word_pieces(tmp_path)
    write_byte_level(tmp_path)
    write_json(tmp_path, "tokenizer_config.json", settings)
    write_json(tmp_path, "config.json", config)
    with pytest.raises(UnsupportedCheckpoint, match=re.escape(found)):
        load_tokenizer(LocalRepository.open(tmp_path))


@pytest.mark.parametrize("name", ["PreTrainedTokenizerFast", "TokenizersBackend"])
def test_a_class_that_is_its_file_needs_the_file(name: str, tmp_path: Path) -> None:
    """A class that is read from `tokenizer.json` alone is refused without it."""
    write_word_pieces(tmp_path)
    write_json(tmp_path, "tokenizer_config.json", {"tokenizer_class": name})
    write_json(tmp_path, "config.json", {"model_type": "bert"})
    with pytest.raises(CheckpointNotFound, match=r"no tokenizer\.json"):
        load_tokenizer(LocalRepository.open(tmp_path))


def test_a_missing_file_of_the_family_is_named(tmp_path: Path) -> None:
    """The error for a missing file names it and the files that are there."""
    write_byte_level(tmp_path)
    (tmp_path / "merges.txt").unlink()
    write_json(tmp_path, "config.json", {"model_type": "roberta"})
    with pytest.raises(CheckpointNotFound, match=r"no merges\.txt; it holds .*vocab\.json"):
        load_tokenizer(LocalRepository.open(tmp_path))
    write_json(tmp_path, "config.json", {"model_type": "albert"})
    with pytest.raises(CheckpointNotFound, match=r"no tokenizer\.json or spiece\.model; it holds"):
        load_tokenizer(LocalRepository.open(tmp_path))


@pytest.mark.parametrize(
    ("vocabulary", "merges"),
    [
        ("[]", ""),
        ('{"a": "b"}', "a b\n"),
        ('{"a": 0, "b": 1}', "a b\n"),
        ('{"a": 0, "b": 1, "ab": 2}', "a b c\n"),
        ('{"a": 0, "b": 1, "ab": 2}', "a\n"),
        ("{", ""),
    ],
)
def test_broken_byte_level_files_are_named(tmp_path: Path, vocabulary: str, merges: str) -> None:
    """The error for broken byte-level files names them, also where the library panics."""
    (tmp_path / "vocab.json").write_text(vocabulary)
    (tmp_path / "merges.txt").write_text(merges)
    with pytest.raises(InvalidCheckpoint, match=r"vocab\.json cannot be read as .*merges\.txt"):
        load_tokenizer(LocalRepository.open(tmp_path))


def test_a_model_with_too_few_pieces_is_refused(tmp_path: Path) -> None:
    """A model without the first pieces, which fix the ids, is refused."""
    (tmp_path / "sentencepiece.bpe.model").write_bytes(b"\x0a\x03\x0a\x01a")
    write_json(tmp_path, "config.json", {"model_type": "xlm-roberta"})
    with pytest.raises(InvalidCheckpoint, match="holds 1 pieces, expected"):
        load_tokenizer(LocalRepository.open(tmp_path))


def test_a_broken_table_in_a_model_is_refused(tmp_path: Path) -> None:
    """A broken table in a `.model` is refused at load."""
    (tmp_path / "spiece.model").write_bytes(sentencepiece(table=charsmap(value=9)))
    with pytest.raises(InvalidCheckpoint, match=r"spiece\.model: its table"):
        load_tokenizer(LocalRepository.open(tmp_path))


def test_pairs_are_closed_as_the_family_does(tokenizers: Mapping[str, TextTokenizer]) -> None:
    """Pairs have one separator and two types, or two separators and one type, by family."""
    asked = [Question(0, TextInput("good")), Question(0, TextInput("good", "good"))]
    shapes = {}
    for kind, tokenizer in tokenizers.items():
        (alone,), (both,) = tokenizer.encode(asked, max_tokens=100)
        _, *word, _ = alone.ids
        separators = len(both) - len(alone) - len(word)
        assert both.ids[-1 - len(word) :] == alone.ids[1:]
        shapes[kind] = separators, max(both.type_ids)
    typed, doubled = (1, 1), (2, 0)
    assert shapes == {
        "bert": typed,
        "electra": typed,
        "roberta": doubled,
        "xlm-roberta": doubled,
        "camembert": doubled,
        "deberta-v2": typed,
        "albert": typed,
    }


def test_a_gap_in_the_ids_counts_for_their_number(tmp_path: Path) -> None:
    """The number of ids is the largest id plus one, gaps included."""
    write_byte_level(tmp_path)
    path = tmp_path / "vocab.json"
    path.write_text(path.read_text(encoding="utf-8")[:-1] + ', "gap": 5000}', encoding="utf-8")
    assert load_tokenizer(LocalRepository.open(tmp_path)).vocabulary_size == 5001


def test_a_role_without_a_token_is_named(tmp_path: Path) -> None:
    """The error for a role without a token names the role."""
    write_byte_level(tmp_path)
    write_json(tmp_path, "tokenizer_config.json", {"cls_token": ""})
    with pytest.raises(InvalidCheckpoint, match=r"vocab\.json has no token for cls_token"):
        load_tokenizer(LocalRepository.open(tmp_path))


def test_a_role_that_no_template_can_hold_is_refused(tmp_path: Path) -> None:
    """A role with a colon, which templates cannot hold, is refused."""
    (tmp_path / "spm.model").write_bytes(sentencepiece(OWN["spm.model"]))
    write_json(tmp_path, "tokenizer_config.json", {"cls_token": "a:b:c"})
    with pytest.raises(InvalidCheckpoint, match=r"spm\.model cannot be read as .*a:b:c"):
        load_tokenizer(LocalRepository.open(tmp_path))


@pytest.mark.parametrize("file", ["sentencepiece.bpe.model", "spiece.model"])
def test_a_model_without_a_table_leaves_letters_as_they_are(tmp_path: Path, file: str) -> None:
    """A model without a table keeps letters that the same model with one replaces."""
    own, asked = OWN[file], [Question(0, TextInput("a"))]
    unknown = [its_type for _, _, its_type in own].index(UNKNOWN)
    ids = []
    for table in (b"", charsmap()):
        (tmp_path / file).write_bytes(sentencepiece(own, unknown_id=unknown, table=table))
        ((one,),) = load_tokenizer(LocalRepository.open(tmp_path)).encode(asked, max_tokens=9)
        ids.append(one.ids)
    assert ids[0] != ids[1]


@pytest.mark.parametrize("kind", ["roberta", "bart", "deberta"])
@pytest.mark.parametrize("flags", [None, {}, {"lstrip": False}])
def test_a_mask_takes_the_space_before_it_along(
    kind: str, flags: Mapping[str, object] | None, tmp_path: Path
) -> None:
    """The mask takes the space before it, as in 4.57.1, unless the settings state its flags."""
    write_byte_level(tmp_path)
    path = tmp_path / "vocab.json"
    names = {"<s>": "[CLS]", "</s>": "[SEP]", "<pad>": "[PAD]", "<unk>": "[UNK]"}
    text = path.read_text(encoding="utf-8")
    if kind == "deberta":
        for old, new in names.items():
            text = text.replace(f'"{old}"', f'"{new}"')
    path.write_text(text, encoding="utf-8")
    mask = "[MASK]" if kind == "deberta" else "<mask>"
    stated: object = {"content": mask, **flags} if flags else mask
    write_json(tmp_path, "tokenizer_config.json", {} if flags is None else {"mask_token": stated})
    write_json(tmp_path, "config.json", {"model_type": kind})
    tokenizer = load_tokenizer(LocalRepository.open(tmp_path))
    asked = [Question(0, TextInput(f"a {mask}"))]
    ((one,),) = tokenizer.encode(asked, max_tokens=9)
    assert len(one.ids) == (5 if flags else 4)
