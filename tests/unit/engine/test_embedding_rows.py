"""A text with a token for which the model has no embedding is refused by itself."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.checkpoints import CheckpointSpec, TokenizerSpec, write_checkpoint

from earmark.checkpoint.ref import FolderRef
from earmark.domain.texts import TextInput
from earmark.engine.engine import Engine
from earmark.engine.load import EngineOptions, load_engine
from earmark.engine.streaming import Failed, Finding
from earmark.errors import EarmarkError, InvalidCheckpoint, InvalidInput
from earmark.tasks.reranking import Reranking
from earmark.tasks.text_classification import TextClassification
from earmark.tasks.token_classification import TokenClassification
from earmark.tasks.zero_shot import ZeroShot

ADDED = "[E1]"
"""Gets id 320, the first that a table of 320 rows does not have."""
REFUSAL = r"token '\[E1\]', id 320, .* embeddings for the 320 ids below 320"
TAGS = ("O", "B-PER", "I-PER")


def add_tokens(folder: Path, *added: str) -> None:
    """Name tokens in the settings that neither the vocabulary nor the model has."""
    path = folder / "tokenizer_config.json"
    fields = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**fields, "additional_special_tokens": added}))


@contextmanager
def loaded(folder: Path, spec: CheckpointSpec) -> Iterator[Engine]:
    """Write a checkpoint with one token too many, load it, close it."""
    add_tokens(write_checkpoint(folder, spec), ADDED)
    engine = load_engine(FolderRef(folder), options=EngineOptions(threads=1))
    try:
        yield engine
    finally:
        engine.close()


def refused(outcomes: tuple[object, ...]) -> list[bool]:
    """Return, for each outcome, whether it is the refusal."""
    errors = [one for one in outcomes if isinstance(one, EarmarkError)]
    assert all(isinstance(error, InvalidInput) for error in errors)
    for error in errors:
        with pytest.raises(InvalidInput, match=REFUSAL):
            raise error
    return [isinstance(one, EarmarkError) for one in outcomes]


@pytest.mark.parametrize("files", ["tokenizer.json", "vocab.txt"])
def test_a_text_with_such_a_token_is_refused_by_itself(tmp_path: Path, files: str) -> None:
    """The text is refused, and other texts have the answers that they have without it."""
    spec = CheckpointSpec(tokenizer=TokenizerSpec(files="vocab.txt"))
    if files == "tokenizer.json":
        spec = CheckpointSpec()
    inputs = (
        TextInput("a b"),
        TextInput(f"a {ADDED} b"),
        TextInput("c", "d"),
        TextInput("c", ADDED),
    )
    with loaded(tmp_path, spec) as engine:
        outcomes = engine.answer_blocking(TextClassification(inputs)).outcomes
        alone = engine.answer_blocking(TextClassification((inputs[0], inputs[2]))).results()
    assert refused(outcomes) == [False, True, False, True]
    for answer, expected in zip((outcomes[0], outcomes[2]), alone, strict=True):
        assert not isinstance(answer, EarmarkError)
        assert answer.score == pytest.approx(expected.score, abs=1e-5)


def test_a_token_that_was_cut_off_is_not_met(tmp_path: Path) -> None:
    """A text whose unknown token is cut off is answered."""
    spec = CheckpointSpec(max_positions=8)
    with loaded(tmp_path, spec) as engine:
        request = TextClassification((TextInput("a b c d e f g h " + ADDED),))
        (answer,) = engine.answer_blocking(request).results()
    assert answer.truncated_tokens == 3


def test_labels_and_documents_are_texts_too(tmp_path: Path) -> None:
    """Such a label refuses all texts of its request; such a text or document is refused alone."""
    names = ("contradiction", "entailment")
    with loaded(tmp_path / "labels", CheckpointSpec(label_names=names)) as engine:
        request = ZeroShot(("a", "b"), ("c", ADDED))
        assert refused(engine.answer_blocking(request).outcomes) == [True, True]
        request = ZeroShot(("a", f"b {ADDED}"), ("c", "d"))
        assert refused(engine.answer_blocking(request).outcomes) == [False, True]
    with loaded(tmp_path / "documents", CheckpointSpec(num_labels=1)) as engine:
        ranking = Reranking("a", ("b", f"{ADDED} c", "d"))
        assert refused(engine.answer_blocking(ranking).outcomes) == [False, True, False]


def test_a_window_with_such_a_token_refuses_its_text(tmp_path: Path) -> None:
    """A text with such a token in one window is refused, whole or as a stream."""
    spec = CheckpointSpec(head="token", label_names=TAGS, num_labels=3, max_positions=8)
    texts = ("a b c", "a b c d e f g h i j k " + ADDED, "d")
    request = TokenClassification(texts, stride=2, ignore_labels=frozenset())

    async def streamed(engine: Engine) -> list[Finding]:
        return [finding async for finding in await engine.stream(request)]

    with loaded(tmp_path, spec) as engine:
        outcomes = engine.answer_blocking(request).outcomes
        findings = asyncio.run(streamed(engine))
    assert refused(outcomes) == [False, True, False]
    failed = [one for one in findings if isinstance(one, Failed)]
    assert [one.item for one in failed] == [1]
    assert refused((failed[0].error,)) == [True]
    assert {one.item for one in findings if not isinstance(one, Failed)} == {0, 2}


def test_a_special_token_without_a_row_is_refused_at_load(tmp_path: Path) -> None:
    """A special token without an embedding is refused at load."""
    folder = write_checkpoint(tmp_path, CheckpointSpec(tokenizer=TokenizerSpec(files="vocab.txt")))
    path = folder / "tokenizer_config.json"
    fields = json.loads(path.read_text(encoding="utf-8"))
    added = {"320": {"content": "[START]", "special": True}}
    path.write_text(json.dumps({**fields, "cls_token": "[START]", "added_tokens_decoder": added}))
    with pytest.raises(InvalidCheckpoint, match=r"every text has the token '\[START\]', id 320"):
        load_engine(FolderRef(folder), options=EngineOptions(threads=1))
