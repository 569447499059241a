"""A tokenizer whose own expressions backtrack too long is refused; usual ones are not."""

from pathlib import Path

import pytest
from support.checkpoint_spec import CheckpointSpec, TokenizerSpec
from support.checkpoints import write_checkpoint
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers

from earmark.checkpoint.bundled import bundled_ids, open_bundled
from earmark.checkpoint.files.folder import LocalRepository
from earmark.domain.texts import Question, TextInput
from earmark.errors import InvalidCheckpoint
from earmark.tokenizing.load import load_tokenizer
from earmark.tokenizing.patterns import is_plain

GPT_2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Published expressions: of GPT-2, and of later models that descend from `tiktoken`."""


def _checkpoint(folder: Path, part: str, pattern: str) -> Path:
    """Write a checkpoint whose tokenizer has an expression of its own in one part."""
    made = write_checkpoint(folder, CheckpointSpec(tokenizer=TokenizerSpec()))
    file = made / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(file))
    if part == "normalizer":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Replace(Regex(pattern), " ")])
    elif part == "decoder":
        tokenizer.decoder = decoders.Sequence([decoders.Replace(Regex(pattern), " ")])
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.Whitespace()]
        )
    tokenizer.save(str(file))
    (made / "tokenizer_config.json").unlink()
    return made


@pytest.mark.parametrize("part", ["normalizer", "pre_tokenizer", "decoder"])
def test_an_expression_of_exponential_time_is_refused_wherever_it_stands(
    part: str, tmp_path: Path
) -> None:
    """The message names the file and the expression."""
    made = _checkpoint(tmp_path, part, "(a+)+$")
    with pytest.raises(InvalidCheckpoint, match=r"tokenizer.json: .*'\(a\+\)\+\$' takes too long"):
        load_tokenizer(LocalRepository.open(made))


@pytest.mark.parametrize(
    "pattern",
    [r"(a|aa)+$b", r"(a+)+[^ab]", r"(\w+\s?)+$", r"([a-zA-Z]+)*\d"],
)
def test_expressions_that_backtrack_are_refused(pattern: str, tmp_path: Path) -> None:
    """Nested, overlapping and adjacent repetition; the engine's panic counts as too long."""
    with pytest.raises(InvalidCheckpoint, match="takes too long for a text of"):
        load_tokenizer(LocalRepository.open(_checkpoint(tmp_path, "pre_tokenizer", pattern)))


@pytest.mark.parametrize("pattern", [GPT_2, CL100K, " {2,}", r"\s+$", r"(?=(\d{3})+(?!\d))"])
def test_published_expressions_are_read(pattern: str, tmp_path: Path) -> None:
    """Among them two that repeat several things, and are tried."""
    tokenizer = load_tokenizer(
        LocalRepository.open(_checkpoint(tmp_path, "pre_tokenizer", pattern))
    )
    assert tokenizer.vocabulary_size > 0


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (" {2,}", True),
        (GPT_2, True),
        (r"a\+\*+|[+*]+", True),
        (CL100K, False),
        ("(a+)+", False),
        ("(a|b){2}", False),
        ("a*a*", False),
        (r"\p{L}{,3}b{1000}c+", False),
    ],
)
def test_a_plain_expression_repeats_one_thing(pattern: str, expected: bool) -> None:  # noqa: FBT001 - a value
    """Escaped signs and those within brackets repeat nothing."""
    assert is_plain(pattern) is expected


@pytest.mark.parametrize("model_id", bundled_ids())
@pytest.mark.parametrize("letter", ["A", "a", "1", "Aa"])
def test_a_long_word_is_read_once_by_the_models_in_the_box(model_id: str, letter: str) -> None:
    """A word of 20,000 letters, ended by what is none, needs no more steps than the engine has."""
    tokenizer = load_tokenizer(open_bundled(model_id))
    text = TextInput(letter * 20_000 + "_")
    ((found,),) = tokenizer.encode([Question(0, text)], max_tokens=20)
    assert len(found) > 2
