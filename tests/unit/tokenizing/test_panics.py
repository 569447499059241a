"""A text on which the library panics fails alone, with an error."""

import asyncio
from pathlib import Path

import pytest
from support.checkpoint_spec import CheckpointSpec, TokenizerSpec
from support.checkpoints import write_checkpoint
from tokenizers import Regex, Tokenizer
from tokenizers.pre_tokenizers import Sequence, Split, Whitespace

from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.ref import FolderRef
from earmark.domain.texts import Question, TextInput
from earmark.engine.load import EngineOptions, load_engine
from earmark.errors import TokenizerFault
from earmark.tasks.text_classification import TextClassification
from earmark.tokenizing.load import load_tokenizer
from earmark.tokenizing.tokenizer import TextTokenizer

TRIPS = "α" * 60 + "!"  # noqa: RUF001 - it is Greek
"""The expression below tries more ways to read it than its engine allows."""
FOREVER = r"(\p{Greek}|\p{Greek}\p{Greek})+$"
"""No probe at load (`tokenizing.patterns`) has a Greek letter."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a checkpoint whose pre-tokenizer has an expression of exponential time."""
    made = write_checkpoint(tmp_path_factory.mktemp("c"), CheckpointSpec(tokenizer=TokenizerSpec()))
    file = made / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.pre_tokenizer = Sequence([Split(Regex(FOREVER), "isolated"), Whitespace()])
    tokenizer.save(str(file))
    (made / "tokenizer_config.json").unlink()
    return made


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> TextTokenizer:
    """Load the checkpoint's tokenizer."""
    return load_tokenizer(LocalRepository.open(folder))


@pytest.mark.parametrize("texts", [[TRIPS], ["good", TRIPS]])
def test_a_panic_is_an_error_that_quotes_nothing(
    tokenizer: TextTokenizer, texts: list[str]
) -> None:
    """A panic becomes an error that does not quote the text, alone or among other texts."""
    questions = [Question(item, TextInput(text)) for item, text in enumerate(texts)]
    with pytest.raises(TokenizerFault) as caught:
        tokenizer.encode(questions, max_tokens=20)
    assert TRIPS not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_other_texts_of_a_request_are_answered(folder: Path) -> None:
    """The text that panics has the error, and the other texts are answered."""
    engine = load_engine(FolderRef(folder), options=EngineOptions(precision="float32"))
    request = TextClassification(tuple(map(TextInput, ("good", "bad", TRIPS, "walking"))))
    try:
        reply = asyncio.run(engine.answer(request))
    finally:
        engine.close()
    failed = [isinstance(one, TokenizerFault) for one in reply.outcomes]
    assert failed == [False, False, True, False]
