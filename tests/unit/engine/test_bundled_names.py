"""The bundled model of named entities, run by the engine."""

from collections.abc import Iterator

import pytest

from earmark.checkpoint.ref import read_ref
from earmark.engine.engine import Engine
from earmark.engine.load import EngineOptions, load_engine
from earmark.tasks.spans import AggregationStrategy
from earmark.tasks.token_classification import TokenClassification


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Load the bundled model once."""
    loaded = load_engine(read_ref("earmark/ner"), options=EngineOptions(threads=1))
    yield loaded
    loaded.close()


def names(
    engine: Engine, text: str, strategy: AggregationStrategy = "simple"
) -> list[tuple[str, str, int, int]]:
    """Find the names in a text: type, word, start and end."""
    request = TokenClassification((text,), strategy=strategy)
    (result,) = engine.answer_blocking(request).results()
    return [(one.label, one.word, one.start, one.end) for one in result.found]


@pytest.mark.parametrize("strategy", ["simple", "first", "average", "max"])
def test_whole_names_are_found(engine: Engine, strategy: AggregationStrategy) -> None:
    """With every strategy a name is one piece, without the marks that stand for capitals."""
    text = "My name is Sarah Jessica Parker but you can call me Jessica"
    assert names(engine, text, strategy) == [
        ("PER", "sarah jessica parker", 11, 31),
        ("PER", "jessica", 52, 59),
    ]


def test_offsets_point_into_the_text_as_it_was_written(engine: Engine) -> None:
    """Offsets point into the original text, though the words of the answer are in lower case."""
    text = "The World Health Organization met in Geneva."
    found = [(label, text[start:end]) for label, _, start, end in names(engine, text)]
    assert found == [("ORG", "World Health Organization"), ("LOC", "Geneva")]


def test_names_without_capitals_are_found_too(engine: Engine) -> None:
    """Names in lower case are found."""
    assert names(engine, "my name is sarah jessica parker") == [
        ("PER", "sarah jessica parker", 11, 31)
    ]


def test_common_words_are_no_names(engine: Engine) -> None:
    """A sentence without names has no entity."""
    assert names(engine, "The quick brown fox jumps over the lazy dog.") == []
