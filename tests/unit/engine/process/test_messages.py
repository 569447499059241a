"""Messages between a server and its engine processes: what arrives is what was sent."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_engine import FAKE_CERTIFICATE
from support.small_facts import small_facts

from earmark.batching.splitting import BatchReport
from earmark.batching.ticket import Logits
from earmark.checkpoint.ref import BundledRef, FolderRef, HubRef, ModelRef
from earmark.domain.encoding import Encoding
from earmark.domain.labels import LabelSet
from earmark.engine.process.messages import (
    AnswerTo,
    Fault,
    Loaded,
    Recipe,
    Report,
    SentEncoding,
    Submit,
    Text,
    decode_from_engine,
    decode_to_engine,
    encode,
    named,
)
from earmark.errors import (
    CapacityError,
    EarmarkError,
    EngineError,
    InvalidCheckpoint,
    NonFiniteScore,
    QueueFull,
)

_IDS = st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=40).map(tuple)


@given(_IDS, st.booleans(), st.integers(0, 1000))
def test_an_encoding_arrives_as_it_was(ids: tuple[int, ...], pair: bool, index: int) -> None:  # noqa: FBT001 - drawn
    """With its token types, and the place of its answer."""
    types = tuple(n % 2 for n in range(len(ids))) if pair else (0,) * len(ids)
    sent = Submit(1, 7, [Text.of(index, Encoding(ids, types))], 12.5)
    arrived = decode_to_engine(encode(sent))
    assert isinstance(arrived, Submit)
    assert (arrived.submission, arrived.deadline_s) == (7, 12.5)
    assert arrived.texts[0].read(7) == SentEncoding(ids, types, submission=7, index=index)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (1, 1)])
def test_logits_arrive_to_the_bit(shape: tuple[int, ...]) -> None:
    """Those of a text, and those of each token."""
    values = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    sent = AnswerTo.of(SentEncoding((1,), (0,), submission=2, index=3), Logits(values, 0.5, 0.25))
    answer = sent.answer()
    assert isinstance(answer, Logits)
    assert (answer.queue_wait_s, answer.run_s) == (0.5, 0.25)
    np.testing.assert_array_equal(answer.values, values, strict=True)


@pytest.mark.parametrize(
    "error",
    [NonFiniteScore("NaN"), InvalidCheckpoint("no config"), QueueFull("full", retry_after_s=7)],
)
def test_an_error_arrives_in_its_own_class(error: EarmarkError) -> None:
    """With its message, and the time after which to try again."""
    arrived = Fault.of(error).error()
    assert (type(arrived), str(arrived)) == (type(error), str(error))
    if isinstance(error, CapacityError):
        assert isinstance(arrived, CapacityError)
        assert arrived.retry_after_s == error.retry_after_s


def test_an_error_of_a_library_arrives_as_an_engine_error() -> None:
    """So does a class that this side does not know."""
    assert str(Fault.of(KeyError("x")).error()) == "KeyError: 'x'"
    assert type(Fault("NoSuchClass", "x").error()) is EngineError


def test_a_report_arrives_with_its_error() -> None:
    """The log of a failed run is written on the other side."""
    report = BatchReport(
        texts=1, tokens=2, cells=3, queue_wait_s=0.5, run_s=0.25, error=RuntimeError("lost")
    )
    arrived = Report.of(report).report()
    assert (arrived.texts, arrived.tokens, arrived.cells) == (1, 2, 3)
    assert str(arrived.error) == "RuntimeError: lost"


def test_facts_arrive_with_their_certificate() -> None:
    """All that `/info` shows of a model comes from the process that loaded it."""
    info = small_facts("a/b", ("text-classification",), LabelSet(("x",)), max_input_tokens=4)
    info = replace(info, revision="c" * 40, certificate=FAKE_CERTIFICATE)
    arrived = decode_from_engine(encode(Loaded(3, info, "token", 0.5)))
    assert arrived == Loaded(3, info, "token", 0.5)


@pytest.mark.parametrize(
    "ref", [BundledRef("earmark/ner"), HubRef("org/name", "main"), FolderRef(Path("/models/a"))]
)
def test_a_models_name_arrives_in_its_own_form(ref: ModelRef) -> None:
    """A folder that is called as a model of the Hub stays a folder."""
    form, name, revision = named(ref)
    recipe = Recipe(form, name, revision, "id", "auto", "openvino", None, 64, "off", None)
    assert recipe.ref == ref
