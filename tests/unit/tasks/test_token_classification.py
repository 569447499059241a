"""Requests to label tokens, over every kind of tokenizer."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.checkpoint_sessions import OpenedCheckpoint, open_checkpoint
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.tokenizer_kinds import KINDS, text_tokenizer

from earmark.domain.encoding import Encoding
from earmark.domain.head import ModelHead
from earmark.domain.labels import LabelSet
from earmark.domain.packing import Float32
from earmark.domain.results import Entities
from earmark.tasks.spans import STRATEGIES, AggregationStrategy
from earmark.tasks.token_classification import TokenClassification

LABELS = LabelSet(("O", "B-PER", "I-PER", "B-LOC", "I-LOC"))

PACKED_TOLERANCE = 1e-5
"""Sums in another order, as in `integration/test_packed_equals_alone.py`."""

TEXTS = st.lists(
    st.sampled_from(
        ["the", "good film", "Paris,", "🙂", "cafe\u0301", "很", "  ", "\n", "New-York"]
    )
    | st.text(max_size=6),
    max_size=12,
).map(" ".join)

quickly = settings(max_examples=30, deadline=None)
"""Few texts for each of many combinations; no deadline, as the first makes a tokenizer."""

every_kind = pytest.mark.parametrize("kind", KINDS)
every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


def encode(kind: str, request: TokenClassification, max_tokens: int) -> list[list[Encoding]]:
    """Encode a request as the engine does."""
    return text_tokenizer(kind).encode(request.questions(), max_tokens=max_tokens, align=True)


def made_up_logits(windows: list[Encoding], seed: int) -> list[Float32]:
    """Draw logits, in halves so that equal scores come up often."""
    rng = np.random.default_rng(seed)
    return [
        (rng.integers(-4, 5, (len(one), len(LABELS))) / 2).astype(np.float32) for one in windows
    ]


def answer(kind: str, request: TokenClassification, max_tokens: int, seed: int) -> Entities:
    """Answer a request for one text from made-up logits."""
    (windows,) = encode(kind, request, max_tokens)
    head = ModelHead("token", LABELS, text_tokenizer(kind).pieces)
    return request.finish(0, windows, made_up_logits(windows, seed), head)


@every_kind
@every_strategy
@quickly
@given(text=TEXTS, seed=st.integers(0, 1000))
def test_entities_lie_in_the_text_in_its_order(
    kind: str, strategy: AggregationStrategy, text: str, seed: int
) -> None:
    """Offsets count code points of the text as it was sent, whatever the tokenizer made of it."""
    result = answer(kind, TokenClassification((text,), strategy, frozenset()), 64, seed)
    assert all(0 <= one.start <= one.end <= len(text) for one in result.found)
    assert all(one.start <= other.start for one, other in pairwise(result.found))
    assert all(0 < one.score <= 1 for one in result.found)
    assert all((one.index is not None) == (strategy == "none") for one in result.found)


@every_kind
@quickly
@given(text=TEXTS, seed=st.integers(0, 1000), stride=st.integers(0, 5))
def test_entities_of_windows_never_overlap(kind: str, text: str, seed: int, stride: int) -> None:
    """Each place of the text is in one entity at most, though two windows read it."""
    request = TokenClassification((text * 3,), "simple", frozenset(), stride)
    (windows,) = encode(kind, request, 10)
    result = answer(kind, request, 10, seed)
    if len(windows) > 1:
        assert all(one.end <= other.start for one, other in pairwise(result.found))
    assert result.tokens == sum(len(one) for one in windows)


@every_kind
@every_strategy
@quickly
@given(text=TEXTS, seed=st.integers(0, 1000))
def test_ignored_labels_are_left_out_and_no_other(
    kind: str, strategy: AggregationStrategy, text: str, seed: int
) -> None:
    """The rest stays as it was: labels are ignored after tokens are joined."""
    everything = answer(kind, TokenClassification((text,), strategy, frozenset()), 64, seed)
    ignored = frozenset({"PER", "O"})
    some = answer(kind, TokenClassification((text,), strategy, ignored), 64, seed)
    assert some.found == tuple(one for one in everything.found if one.group not in ignored)


@every_strategy
def test_an_empty_text_has_no_entities(strategy: AggregationStrategy) -> None:
    """Nothing but special tokens is read."""
    result = answer("wordpiece", TokenClassification(("",), strategy, frozenset()), 64, 0)
    assert (result.found, result.tokens) == ((), 2)


def test_a_long_text_is_cut_without_a_stride_and_says_so() -> None:
    """Tokens that were not read are counted."""
    result = answer("wordpiece", TokenClassification(("good " * 20,), "none", frozenset()), 10, 0)
    assert (len(result.found), result.tokens, result.truncated_tokens) == (8, 10, 12)


def test_a_long_text_is_read_whole_with_a_stride() -> None:
    """Windows of eight tokens, two of which are shared."""
    request = TokenClassification(("good " * 20,), "simple", frozenset(), 2)
    result = answer("wordpiece", request, 10, 0)
    assert result.truncated_tokens == 0
    assert result.tokens == 20 + 2 * 2 + 3 * 2
    assert result.found[-1].end == 99


def test_a_request_counts_its_texts_and_their_characters() -> None:
    """One answer and one text for each input, code points as they were sent."""
    request = TokenClassification(("a🙂", "bcd"))
    assert (request.items, request.texts, request.characters) == (2, 2, 5)
    assert [one.item for one in request.questions()] == [0, 1]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> OpenedCheckpoint:
    """A tiny token head on a runtime."""
    spec = CheckpointSpec(head="token", num_labels=5, label_names=LABELS.names)
    folder = write_checkpoint(tmp_path_factory.mktemp("checkpoint"), spec)
    return open_checkpoint(folder, runtime="onnxruntime")


def test_packed_windows_equal_windows_alone(checkpoint: OpenedCheckpoint) -> None:
    """Windows of several texts in one batch are not moved by each other."""
    texts = ("the film is good " * 9, "Paris, and more of it " * 5, "", "🙂 here " * 8)
    request = TokenClassification(texts, stride=3)
    encoded = checkpoint.tokenizer.encode(request.questions(), max_tokens=16, align=True)
    windows = [one for each in encoded for one in each]
    assert len(windows) > 2 * len(texts)
    together = checkpoint.logits(windows)
    for window, packed in zip(windows, together, strict=True):
        (alone,) = checkpoint.logits([window])
        np.testing.assert_allclose(packed, alone, rtol=0, atol=PACKED_TOLERANCE)
