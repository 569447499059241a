"""What the JSON files beside a vocabulary state: which file wins, and what is malformed."""

from pathlib import Path

import pytest
from support.tokenizer_files import write_json, write_word_pieces

from earmark.checkpoint.files.folder import LocalRepository
from earmark.domain.texts import Question, TextInput
from earmark.errors import InvalidCheckpoint
from earmark.tokenizing.load import load_tokenizer
from earmark.tokenizing.stated import read_stated

SIZE = 320


def ids_of(folder: Path, text: str) -> tuple[int, ...]:
    """Encode a text with a folder's tokenizer, without its first and last token."""
    asked = [Question(0, TextInput(text))]
    ((one,),) = load_tokenizer(LocalRepository.open(folder)).encode(asked, max_tokens=100)
    return one.ids[1:-1]


def test_added_tokens_get_the_next_ids(tmp_path: Path) -> None:
    """Added tokens get the next ids in the newer file's order; the older files do not count."""
    write_word_pieces(tmp_path, SIZE)
    write_json(tmp_path, "added_tokens.json", {"omega": SIZE + 1, "kappa": SIZE})
    assert ids_of(tmp_path, "kappa omega") == (SIZE, SIZE + 1)
    decoder = {
        str(SIZE): {"content": "omega"},
        str(SIZE + 1): {"content": "kappa", "special": True},
    }
    write_json(tmp_path, "tokenizer_config.json", {"added_tokens_decoder": decoder})
    assert ids_of(tmp_path, "kappa omega") == (SIZE + 1, SIZE)


def test_a_role_is_read_in_every_form(tmp_path: Path) -> None:
    """A role is read as text, as an object, from the older file and from a list."""
    repository = LocalRepository.open(tmp_path)
    assert read_stated(repository).text_of("cls_token") is None
    write_json(
        tmp_path,
        "tokenizer_config.json",
        {
            "cls_token": "[A]",
            "sep_token": {"content": "[B]", "lstrip": True},
            "pad_token": None,
            "extra_special_tokens": {"image_token": "[C]"},
        },
    )
    stated = read_stated(repository)
    texts = [stated.text_of(f"{role}_token") for role in ("cls", "sep", "pad", "image")]
    assert texts == ["[A]", "[B]", None, "[C]"]
    write_json(tmp_path, "special_tokens_map.json", {"cls_token": {"content": "[D]"}})
    assert read_stated(repository).text_of("cls_token") == "[D]"


def test_lists_of_further_tokens_are_joined(tmp_path: Path) -> None:
    """The older file's list of tokens is added after the newer one's."""
    write_json(tmp_path, "tokenizer_config.json", {"additional_special_tokens": ["[A]", "[B]"]})
    further = {"extra_special_tokens": ["[B]", {"content": "[C]"}]}
    write_json(tmp_path, "special_tokens_map.json", further)
    extra = read_stated(LocalRepository.open(tmp_path)).extra or ()
    assert [getattr(one, "content", one) for one in extra] == ["[A]", "[B]", "[C]"]
    write_json(tmp_path, "special_tokens_map.json", {"additional_special_tokens": ["[D]", "[A]"]})
    extra = read_stated(LocalRepository.open(tmp_path)).extra or ()
    assert [getattr(one, "content", one) for one in extra] == ["[A]", "[B]", "[D]"]


@pytest.mark.parametrize(
    "decoder",
    [[], {"0": "[A]"}, {"0": {}}, {"first": {"content": "[A]"}}, {"-1": {"content": "[A]"}}],
)
def test_a_malformed_list_of_added_tokens_is_refused(tmp_path: Path, decoder: object) -> None:
    """The error for a malformed list has the file, what was found and expected."""
    write_json(tmp_path, "tokenizer_config.json", {"added_tokens_decoder": decoder})
    with pytest.raises(InvalidCheckpoint, match=r"tokenizer_config\.json: .*expected"):
        read_stated(LocalRepository.open(tmp_path))


@pytest.mark.parametrize("index", [-1, "x", None, 1 << 40, 1.5])
def test_an_older_id_that_is_none_is_refused(tmp_path: Path, index: object) -> None:
    """The error for a malformed id in `added_tokens.json` has the file, found and expected."""
    write_json(tmp_path, "added_tokens.json", {"omega": index})
    with pytest.raises(InvalidCheckpoint, match=r"added_tokens\.json: .*expected a whole number"):
        read_stated(LocalRepository.open(tmp_path))


def test_special_tokens_may_be_read_as_text(tmp_path: Path) -> None:
    """With `split_special_tokens`, spelt-out special tokens are read as plain text."""
    write_word_pieces(tmp_path, SIZE)
    assert len(ids_of(tmp_path, "[SEP]")) == 1
    write_json(tmp_path, "tokenizer_config.json", {"split_special_tokens": True})
    assert len(ids_of(tmp_path, "[SEP]")) > 1
