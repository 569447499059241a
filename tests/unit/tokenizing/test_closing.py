"""How texts are closed by a `tokenizer.json` without special tokens, and DeBERTa's pairs."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from support.tokenizer_files import write_json
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import ByteLevel, PostProcessor, TemplateProcessing

from earmark.checkpoint.files.folder import LocalRepository
from earmark.domain.texts import Question, TextInput
from earmark.tokenizing.load import load_tokenizer
from earmark.tokenizing.tokenizer import TextTokenizer

SQUARE = ("[CLS]", "[SEP]")
ANGLED = ("<s>", "</s>")
TYPED = ("[CLS] a [SEP]", "[CLS] a [SEP] b [SEP]", (0, 0, 0, 1, 1))
DOUBLED = ("<s> a </s>", "<s> a </s> </s> b </s>", (0, 0, 0, 0, 0, 0))
OF_CLASS: Mapping[str, tuple[str, str, tuple[int, ...]]] = {
    "BertTokenizer": TYPED,
    "DistilBertTokenizer": (*TYPED[:2], (0, 0, 0, 0, 0)),
    "ElectraTokenizer": TYPED,
    "DebertaTokenizer": TYPED,
    "DebertaV2Tokenizer": TYPED,
    "AlbertTokenizer": TYPED,
    "RobertaTokenizer": DOUBLED,
    "BartTokenizer": DOUBLED,
    "MPNetTokenizer": DOUBLED,
    "XLMRobertaTokenizer": DOUBLED,
    "CamembertTokenizer": DOUBLED,
}
"""A text, a pair and its types, as the class of each in `transformers` 4.57.1 builds them
(`build_inputs_with_special_tokens`)."""


def template(single: str, pair: str, ends: tuple[str, str]) -> TemplateProcessing:
    """Make a post-processor of two special tokens, which are the first of the vocabulary."""
    special = [(token, index) for index, token in enumerate(ends)]
    return TemplateProcessing(single=single, pair=pair, special_tokens=special)


def load(
    folder: Path, name: str, processor: PostProcessor | None, ends: tuple[str, str] | None = None
) -> TextTokenizer:
    """Write a `tokenizer.json` of a class, and load it."""
    first = ends or (SQUARE if OF_CLASS.get(name, TYPED)[0].startswith("[") else ANGLED)
    words = {token: index for index, token in enumerate((*first, "a", "b", "\u0120a", "\u0120b"))}
    tokenizer = Tokenizer(WordLevel(words, unk_token="a"))  # noqa: S106 - a token of text
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.add_special_tokens([*first])
    if processor is not None:
        tokenizer.post_processor = processor
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(folder, "tokenizer_config.json", {"tokenizer_class": name})
    return load_tokenizer(LocalRepository.open(folder))


def read(tokenizer: TextTokenizer, *texts: str) -> tuple[str, tuple[int, ...]]:
    """Encode a text or a pair, and return the tokens and their types."""
    ((one,),) = tokenizer.encode([Question(0, TextInput(*texts))], max_tokens=20, align=True)
    assert one.alignment is not None
    return " ".join(one.alignment.tokens), one.type_ids


@pytest.mark.parametrize("processor", [None, ByteLevel(trim_offsets=True)])
@pytest.mark.parametrize("name", OF_CLASS)
def test_a_file_that_closes_no_text_is_closed_as_its_class_does(
    name: str, processor: PostProcessor | None, tmp_path: Path
) -> None:
    """A file that adds no special tokens is closed as its class does."""
    tokenizer = load(tmp_path, name, processor)
    single, pair, types = OF_CLASS[name]
    assert read(tokenizer, "a") == (single, (0, 0, 0))
    assert read(tokenizer, "a", "b") == (pair, types)


def test_the_pairs_of_deberta_have_one_separator(tmp_path: Path) -> None:
    """DeBERTa's pairs have one separator, though `transformers` 5 writes two."""
    twice = template("[CLS] $A [SEP]", "[CLS] $A [SEP] [SEP] $B [SEP]", SQUARE)
    tokenizer = load(tmp_path, "DebertaTokenizer", twice)
    assert read(tokenizer, "a") == ("[CLS] a [SEP]", (0, 0, 0))
    assert read(tokenizer, "a", "b") == ("[CLS] a [SEP] b [SEP]", (0, 0, 0, 1, 1))


@pytest.mark.parametrize("name", ["BertTokenizer", "DebertaTokenizer", "PreTrainedTokenizerFast"])
def test_a_file_that_closes_texts_in_its_own_way_is_left_alone(name: str, tmp_path: Path) -> None:
    """A file with a template of its own is followed."""
    own = template("[CLS] $A", "[CLS] $A $B:1", SQUARE)
    tokenizer = load(tmp_path, name, own)
    assert read(tokenizer, "a", "b") == ("[CLS] a b", (0, 0, 1))


def test_a_file_without_a_class_is_left_alone(tmp_path: Path) -> None:
    """A file without a class is followed, though it adds no special tokens."""
    assert read(load(tmp_path, "PreTrainedTokenizerFast", None), "a", "b") == ("a b", (0, 0))


def test_a_vocabulary_without_the_tokens_of_its_class_closes_nothing(tmp_path: Path) -> None:
    """A vocabulary without its class's special tokens closes no text."""
    tokenizer = load(tmp_path, "BertTokenizer", None, ends=("<x>", "<y>"))
    assert read(tokenizer, "a") == ("a", (0,))
