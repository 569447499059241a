"""All three tasks over real, tiny models."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import httpx
import pytest
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.http_app import ask

from earmark.checkpoint.ref import FolderRef
from earmark.engine.engine import Engine
from earmark.engine.load import EngineOptions, load_engine

_INFERENCE = CheckpointSpec(
    label_names=("ENTAILMENT", "NEUTRAL", "CONTRADICTION"), num_labels=3, max_positions=32
)
_TOKENS = CheckpointSpec(
    head="token", label_names=("O", "B-PER", "I-PER"), num_labels=3, max_positions=16
)
_LONG = " ".join("abcdefgh" * 5)
"""40 words, each a token."""


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, ...]]:
    """Load a model of language inference and one that labels tokens."""
    folder = tmp_path_factory.mktemp("models")
    options = EngineOptions(threads=1)
    with ExitStack() as stack:
        loaded = []
        for name, spec in (("inference", _INFERENCE), ("tokens", _TOKENS)):
            engine = load_engine(FolderRef(write_checkpoint(folder / name, spec)), options=options)
            loaded.append(stack.enter_context(closing(engine)))
        yield tuple(loaded)


def _post(engines: tuple[Engine, ...], model_id: str, body: object) -> httpx.Response:
    return ask("POST", f"/models/{model_id}", json.dumps(body), engines=engines)


def _answer(
    engines: tuple[Engine, ...], model_id: str, inputs: object, **parameters: object
) -> Any:  # noqa: ANN401 - whatever JSON came back
    answer = _post(engines, model_id, {"inputs": inputs, "parameters": parameters})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_labels_of_one_request_sum_to_one(engines: tuple[Engine, ...]) -> None:
    """The scores of one request sum to 1, best first, with each label once."""
    scores = _answer(engines, "inference", "a b c", candidate_labels=["d", "e f", "g"])
    assert sorted(each["label"] for each in scores) == ["d", "e f", "g"]
    assert sum(each["score"] for each in scores) == pytest.approx(1.0, rel=1e-5)
    assert scores == sorted(scores, key=lambda each: -each["score"])


def test_a_label_scored_by_itself_is_what_the_pair_says(engines: tuple[Engine, ...]) -> None:
    """A label by itself has the score of the pair of text and hypothesis."""
    ((label,),) = [_answer(engines, "inference", "a b", candidate_labels="c")]
    pair = {"text": "a b", "text_pair": "This example is c."}
    (own,) = _answer(engines, "inference", pair)
    by_name = {each["label"]: each["score"] for each in own}
    both = by_name["ENTAILMENT"] + by_name["CONTRADICTION"]
    assert label["score"] == pytest.approx(by_name["ENTAILMENT"] / both, rel=1e-4)


def test_texts_of_one_request_are_answered_as_if_alone(engines: tuple[Engine, ...]) -> None:
    """Texts that share a batch have the answers that each has alone."""
    texts = ["a", "b c d e", _LONG]
    together = _answer(engines, "inference", texts, candidate_labels=["x", "y z"])
    for text, found in zip(texts, together, strict=True):
        alone = _answer(engines, "inference", text, candidate_labels=["x", "y z"])
        assert found["labels"] == [each["label"] for each in alone]
        assert found["scores"] == [pytest.approx(each["score"], rel=1e-4) for each in alone]


def test_a_long_text_is_cut_beside_each_hypothesis(engines: tuple[Engine, ...]) -> None:
    """The headers count the cut tokens over all hypotheses."""
    parameters = {"candidate_labels": ["a", "b"], "hypothesis_template": "{}"}
    answer = _post(engines, "inference", {"inputs": ["a", _LONG], "parameters": parameters})
    # 32 tokens, of which 3 are special and 1 is the hypothesis: 12 of 40 are cut, twice.
    assert answer.headers["x-truncated-tokens"] == "24"
    assert answer.headers["x-truncated-inputs"] == "1"


def test_a_long_text_is_cut_without_a_stride_and_read_whole_with_one(
    engines: tuple[Engine, ...],
) -> None:
    """Without a stride 14 words are read and the rest is cut; with one all are read."""
    body = {"inputs": _LONG, "parameters": {"ignore_labels": []}}
    cut = _post(engines, "tokens", body)
    assert max(each["end"] for each in cut.json()) == 27
    assert cut.headers["x-truncated-tokens"] == "26"
    body["parameters"] = {"ignore_labels": [], "stride": 4}
    whole = _post(engines, "tokens", body)
    assert max(each["end"] for each in whole.json()) == len(_LONG)
    assert "x-truncated-tokens" not in whole.headers


@pytest.mark.parametrize("stride", [14, 16, 10**9])
def test_a_stride_that_leaves_a_window_no_room_is_a_400(
    engines: tuple[Engine, ...], stride: int
) -> None:
    """A stride that is too large is a 400, also for a short text."""
    answer = _post(engines, "tokens", {"inputs": "a", "parameters": {"stride": stride}})
    assert answer.status_code == 400
    assert f"`stride` is {stride}, but a window of this model has room for 14" in answer.text


@pytest.mark.parametrize("strategy", ["none", "simple", "first", "average", "max"])
def test_offsets_are_places_in_the_text(engines: tuple[Engine, ...], strategy: str) -> None:
    """Offsets count code points, whatever comes before in the text."""
    text = "\U0001f600 e\u0301 a  b"
    found = _answer(engines, "tokens", text, aggregation_strategy=strategy, ignore_labels=[])
    assert found
    for each in found:
        piece = text[each["start"] : each["end"]]
        assert piece == piece.strip()
        assert piece
    assert found[-1]["end"] == len(text)
