"""What settings files say beside `tokenizer.json`: values by hand and as both releases answer.

Both are `transformers` 4.57.1 and 5.24.0, asked with the same files.
"""

from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from support.tokenizer_files import write_json
from tokenizers import Tokenizer
from tokenizers.models import BPE, WordPiece
from tokenizers.normalizers import NFKC, BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer, ByteLevel
from tokenizers.processors import RobertaProcessing, TemplateProcessing

from earmark.checkpoint.files.folder import LocalRepository
from earmark.domain.encoding import Encoding
from earmark.domain.texts import Question, TextInput
from earmark.errors import InvalidCheckpoint, UnsupportedCheckpoint
from earmark.tokenizing.load import load_tokenizer
from earmark.tokenizing.tokenizer import TextTokenizer

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY = (*SPECIAL, "the", "bob", "[", "]", "sep", "e1", "[e1]", "##s", "cat", "e", "é", "猫")
PLAIN = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
CLASSES = ("BertTokenizer", "PreTrainedTokenizerFast", "DebertaV2Tokenizer", "OwnTokenizer", None)


def write_word_pieces_json(
    folder: Path, *, lowercase: bool = True, added: Sequence[str] = SPECIAL
) -> None:
    """Write BERT's `tokenizer.json`."""
    ids = {token: index for index, token in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(WordPiece(ids, unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.normalizer = BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.add_special_tokens([*added])
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))


def loaded(folder: Path, **settings: object) -> TextTokenizer:
    """Load the folder's tokenizer with these settings; a class of None is not named."""
    given = {name: value for name, value in settings.items() if name != "tokenizer_class" or value}
    write_json(folder, "tokenizer_config.json", given)
    return load_tokenizer(LocalRepository.open(folder))


def encoded(tokenizer: TextTokenizer, text: str, pair: str | None = None) -> Encoding:
    """Encode one text or pair."""
    ((one,),) = tokenizer.encode([Question(0, TextInput(text, pair))], max_tokens=99, align=True)
    return one


def tokens(tokenizer: TextTokenizer, text: str) -> list[str]:
    """Return a text's tokens without the first and the last."""
    return [tokenizer.token(one) for one in encoded(tokenizer, text).ids[1:-1]]


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize(
    ("settings", "text", "expected"),
    [
        ({}, "the [SEP] bob", ["the", "[SEP]", "bob"]),
        ({"split_special_tokens": True}, "the [SEP]", ["the", "[", "sep", "]"]),
        ({"split_special_tokens": None}, "the [SEP]", ["the", "[SEP]"]),
        ({}, "the [e1]", ["the", "[", "e1", "]"]),
        ({"additional_special_tokens": ["[e1]"]}, "the [e1]", ["the", "[e1]"]),
        ({"extra_special_tokens": ["[e1]"]}, "the [e1]", ["the", "[e1]"]),
        ({"extra_special_tokens": {"mark_token": "[e1]"}}, "the [e1]", ["the", "[e1]"]),
        (
            {"extra_special_tokens": {}, "additional_special_tokens": ["[e1]"]},
            "the [e1]",
            ["the", "[e1]"],
        ),
        ({"sep_token": "[e1]"}, "the [e1] [SEP]", ["the", "[e1]", "[SEP]"]),
        ({"sep_token": {"content": "[e1]", **PLAIN}}, "the [e1]", ["the", "[e1]"]),
        (
            {"added_tokens_decoder": {"11": {"content": "[e1]", **PLAIN, "special": True}}},
            "the [e1] [SEP] [MASK]",
            ["the", "[e1]", "[SEP]", "[MASK]"],
        ),
        (
            {"added_tokens_decoder": {"13": {"content": "cat", **PLAIN, "single_word": True}}},
            "the cats CAT",
            ["the", "cat", "##s", "cat"],
        ),
        (
            {"added_tokens_decoder": {"40": {"content": "qq", **PLAIN, "special": False}}},
            "the qq",
            ["the", "qq"],
        ),
    ],
)
def test_tokens_of_the_settings_are_tokens(
    tmp_path: Path,
    name: str | None,
    settings: Mapping[str, object],
    text: str,
    expected: Sequence[str],
) -> None:
    """Tokens in the settings are added, in every form and for every class."""
    write_word_pieces_json(tmp_path)
    write_json(tmp_path, "config.json", {"model_type": "bert"})
    assert tokens(loaded(tmp_path, tokenizer_class=name, **settings), text) == expected


def test_a_flag_of_an_added_token_overrules_the_file(tmp_path: Path) -> None:
    """A flag of an added token overrules the file's; a flag of a role does not."""
    write_word_pieces_json(tmp_path)
    spaced = {**PLAIN, "content": "[MASK]", "lstrip": True, "special": True}
    places = []
    for settings in ({"mask_token": spaced}, {"added_tokens_decoder": {"4": spaced}}):
        one = encoded(loaded(tmp_path, **settings), "the  [MASK]")
        assert one.alignment is not None
        places.append(one.alignment.offsets[2])
    assert places == [(5, 11), (3, 11)]


def test_the_older_files_count_beside_it(tmp_path: Path) -> None:
    """`special_tokens_map.json` adds tokens to the list, and the file's own tokens stay."""
    write_word_pieces_json(tmp_path)
    write_json(tmp_path, "special_tokens_map.json", {"additional_special_tokens": ["[e1]"]})
    write_json(tmp_path, "added_tokens.json", {"new": len(VOCABULARY), "[SEP]": 3})
    tokenizer = loaded(tmp_path, additional_special_tokens=["cat"])
    assert tokens(tokenizer, "[e1] NEW cats[SEP]") == ["[e1]", "new", "cat", "[UNK]", "[SEP]"]
    assert tokenizer.vocabulary_size == len(VOCABULARY) + 1
    # The newer form says all there is to say.
    tokenizer = loaded(tmp_path, added_tokens_decoder={})
    assert tokens(tokenizer, "[e1] new") == ["[", "e1", "]", "[UNK]"]


def test_a_renamed_role_does_not_change_how_texts_are_closed(tmp_path: Path) -> None:
    """A renamed role does not change how the file closes texts, as in 4.57.1."""
    write_word_pieces_json(tmp_path)
    tokenizer = loaded(tmp_path, tokenizer_class="BertTokenizer", cls_token="[e1]")  # noqa: S106
    assert encoded(tokenizer, "the").ids == (2, 5, 3)


@pytest.mark.parametrize(
    ("settings", "config", "typed"),
    [
        ({"tokenizer_class": "BertTokenizer"}, {}, True),
        ({"tokenizer_class": "ElectraTokenizerFast"}, {}, True),
        ({"tokenizer_class": "AlbertTokenizer"}, {}, True),
        ({"tokenizer_class": "PreTrainedTokenizerFast"}, {}, True),
        ({"tokenizer_class": "OwnTokenizer"}, {}, True),
        ({}, {}, True),
        ({}, {"model_type": "deberta-v2"}, True),
        ({"tokenizer_class": "TokenizersBackend"}, {}, False),
        ({"tokenizer_class": "DistilBertTokenizerFast"}, {}, False),
        ({"tokenizer_class": "RobertaTokenizer"}, {}, False),
        ({"tokenizer_class": "XLMRobertaTokenizer"}, {}, False),
        ({"tokenizer_class": "CamembertTokenizer"}, {}, False),
        ({"tokenizer_class": "MPNetTokenizer"}, {}, False),
        ({"tokenizer_class": "BigBirdTokenizerFast"}, {}, False),
        ({}, {"tokenizer_class": "DistilBertTokenizer", "model_type": "bert"}, False),
        ({}, {"model_type": "roberta"}, False),
        ({}, {"model_type": "big_bird"}, False),
        ({"model_input_names": ["input_ids", "attention_mask"]}, {"model_type": "bert"}, False),
        ({"model_input_names": []}, {"model_type": "bert"}, False),
        ({"model_input_names": None}, {"model_type": "bert"}, True),
        ({"model_input_names": ["input_ids", "token_type_ids"]}, {"model_type": "roberta"}, True),
    ],
)
def test_a_pair_has_types_where_its_class_makes_them(
    tmp_path: Path, settings: Mapping[str, object], config: Mapping[str, object], *, typed: bool
) -> None:
    """A pair has types where `model_input_names` or else its class says so; else all are 0."""
    write_word_pieces_json(tmp_path)
    write_json(tmp_path, "config.json", config)
    tokenizer = loaded(tmp_path, **settings)
    assert encoded(tokenizer, "the", "bob").type_ids == ((0, 0, 0, 1, 1) if typed else (0,) * 5)


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("BertTokenizer", {}, ["the", "e"]),
        ("MobileBertTokenizer", {"do_lower_case": None}, ["the", "e"]),
        ("BertTokenizer", {"do_lower_case": False}, ["[UNK]", "é"]),
        ("BertTokenizer", {"strip_accents": False}, ["the", "é"]),
        ("PreTrainedTokenizerFast", {"do_lower_case": True}, ["[UNK]", "é"]),
        ("XLMRobertaTokenizer", {"do_lower_case": True}, ["[UNK]", "é"]),
        ("RobertaTokenizer", {"do_lower_case": True}, ["[UNK]", "é"]),
        ("AlbertTokenizer", {"do_lower_case": True}, ["[UNK]", "é"]),
        ("OwnTokenizer", {"do_lower_case": True}, ["[UNK]", "é"]),
    ],
)
def test_settings_of_berts_class_are_its_kins(
    tmp_path: Path, name: str, settings: Mapping[str, object], expected: Sequence[str]
) -> None:
    """Case settings apply to BERT's kin, and not to other classes."""
    write_word_pieces_json(tmp_path, lowercase=False)
    assert tokens(loaded(tmp_path, tokenizer_class=name, **settings), "THE é") == expected


def test_another_normaliser_stands(tmp_path: Path) -> None:
    """A normalizer of another kind is not changed by BERT's settings."""
    write_word_pieces_json(tmp_path)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    tokenizer.normalizer = NFKC()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert tokens(loaded(tmp_path, tokenizer_class="BertTokenizer"), "THE é") == ["[UNK]", "é"]


@pytest.mark.parametrize(
    ("name", "stored", "setting", "spaced"),
    [
        ("RobertaTokenizer", True, None, False),
        ("RobertaTokenizer", True, True, True),
        ("RobertaTokenizer", False, True, True),
        ("LEDTokenizer", False, True, True),
        ("DebertaTokenizer", True, None, False),
        ("DebertaTokenizer", False, True, True),
        ("PreTrainedTokenizerFast", True, None, True),
        ("PreTrainedTokenizerFast", False, None, False),
        ("OwnTokenizer", True, False, True),
        ("BertTokenizer", True, False, True),
    ],
)
def test_a_space_before_the_first_word_is_robertas_setting(
    tmp_path: Path, name: str, *, stored: bool, setting: bool | None, spaced: bool
) -> None:
    """As both releases where the class has it; else as the file, which is how it was made.

    4.57.1 alone takes the space away from a `PreTrainedTokenizerFast` whose settings say nothing.
    """
    letters = {letter: index + 4 for index, letter in enumerate(sorted(ByteLevel.alphabet()))}
    tokenizer = Tokenizer(BPE({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, **letters}, []))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=stored)
    tokenizer.post_processor = RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=stored)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    found = tokens(loaded(tmp_path, tokenizer_class=name, add_prefix_space=setting), "a")
    assert found == (["Ġ", "a"] if spaced else ["a"])


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "mecab"}, "mecab"),
        ({"tokenizer_class": "BertweetTokenizer", "normalization": True}, "normalization"),
    ],
)
def test_settings_that_no_file_can_carry_out_are_refused(
    tmp_path: Path, settings: Mapping[str, object], field: str
) -> None:
    """Settings that no file can carry out are refused; the class without them is accepted."""
    write_word_pieces_json(tmp_path)
    with pytest.raises(UnsupportedCheckpoint, match=field):
        loaded(tmp_path, **settings)
    assert tokens(loaded(tmp_path, tokenizer_class=settings["tokenizer_class"]), "the") == ["the"]


@pytest.mark.parametrize(
    ("stated", "known"),
    [
        (512, 512),
        (5.0, 5),
        (3, 3),
        (1e30, None),
        (10**30, None),
        (None, None),
        (0, None),
        (-1, None),
    ],
)
def test_a_longest_text_that_is_none_is_not_known(
    tmp_path: Path, stated: float | None, known: int | None
) -> None:
    """A `model_max_length` out of range leaves the model's positions as the only bound."""
    write_word_pieces_json(tmp_path)
    assert loaded(tmp_path, model_max_length=stated).max_length == known


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model_max_length", "512"),
        ("model_max_length", True),
        ("model_max_length", 2),
        ("model_input_names", "input_ids"),
        ("model_input_names", [1]),
        ("truncation_side", "up"),
        ("do_lower_case", "yes"),
        ("strip_accents", 1),
        ("split_special_tokens", "no"),
        ("cls_token", 7),
        ("cls_token", {"text": "[CLS]"}),
        ("additional_special_tokens", "[CLS]"),
        ("additional_special_tokens", [["[CLS]"]]),
        ("extra_special_tokens", {"image_token": 3}),
        ("tokenizer_class", ["BertTokenizer"]),
    ],
)
def test_a_field_of_another_type_is_named(tmp_path: Path, field: str, value: object) -> None:
    """The error for a field of a wrong type has its file, what was found and expected."""
    write_word_pieces_json(tmp_path)
    settings = {"tokenizer_class": "BertTokenizer", field: value}
    with pytest.raises(
        InvalidCheckpoint, match=rf'^[^ ]*tokenizer_config\.json: "{field}" .*expected'
    ):
        loaded(tmp_path, **settings)


@pytest.mark.parametrize(
    "name", ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"]
)
@pytest.mark.parametrize("content", [b"[]", b'{"a": ', b"\xff"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    """The error for a damaged settings file names it."""
    write_word_pieces_json(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidCheckpoint, match=name):
        load_tokenizer(LocalRepository.open(tmp_path))


def test_what_is_null_is_not_there_and_a_byte_order_mark_is_nothing(tmp_path: Path) -> None:
    """A null field counts as absent, and a byte order mark is skipped."""
    write_word_pieces_json(tmp_path, lowercase=False)
    write_json(tmp_path, "special_tokens_map.json", {"pad_token": None, "sep_token": None})
    names = ("truncation_side", "added_tokens_decoder", "extra_special_tokens", "do_lower_case")
    loaded(tmp_path, tokenizer_class="BertTokenizer", **dict.fromkeys(names))
    path = tmp_path / "tokenizer_config.json"
    path.write_bytes(BOM_UTF8 + path.read_bytes())
    tokenizer = load_tokenizer(LocalRepository.open(tmp_path))
    assert tokens(tokenizer, "THE [SEP]") == ["the", "[SEP]"]
    assert tokenizer.cut_side == "right"
