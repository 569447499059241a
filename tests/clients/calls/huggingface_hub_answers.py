"""The job that a script of `huggingface_hub` is given, its clients, and their answers, judged."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

import huggingface_hub
import huggingface_hub.utils
from clients.calls.checking import Scores, close_to, equal, expect
from huggingface_hub import (
    InferenceClient,
    TextClassificationOutputElement,
    TokenClassificationOutputElement,
    ZeroShotClassificationOutputElement,
)

VERSION = tuple(int(part) for part in huggingface_hub.__version__.split(".")[:3])
JOB = json.load(sys.stdin)
URL, KEY, MODELS, SAMPLES, SENSE = (
    JOB[name] for name in ("url", "key", "models", "samples", "sense")
)
LABELS = SAMPLES["labels"]
PAIRS = [{"text": SAMPLES["query"], "text_pair": passage} for passage in SAMPLES["passages"]]
TIMEOUT_S = 30
EMPTY = "You must include at least one label and at least one sequence."


def arguments(model: str, key: str = KEY) -> dict[str, Any]:
    """Point a client at a model; the provider is what health and info demand from 0.28 on."""
    url = f"{URL}/models/{MODELS[model]}"
    given: dict[str, Any] = {"model": url, "token": key, "timeout": TIMEOUT_S}
    return given | ({"provider": "hf-inference"} if VERSION >= (0, 28) else {})


def old(owner: object, name: str) -> Any:  # noqa: ANN401 - what has no types
    """Find what the newest version has no more, or not there, and so no type for."""
    return getattr(owner, name)


# Where 0.23 has them too.
BadRequestError = old(huggingface_hub.utils, "BadRequestError")
HfHubHTTPError = old(huggingface_hub.utils, "HfHubHTTPError")


def client(model: str, key: str = KEY) -> InferenceClient:
    """Make a client of a model."""
    return InferenceClient(**arguments(model, key))


def scores_of(answer: Sequence[Any], kind: type, what: str) -> dict[str, float]:
    """Demand typed elements with a label and a score, best first."""
    for each in answer:
        expect(isinstance(each, kind) and is_dataclass(each), f"{what}: {each!r} is no {kind}")
        expect(isinstance(each.label, str), f"{what}: the label is {each.label!r}")
        expect(isinstance(each.score, float), f"{what}: the score is {each.score!r}")
    scores = [each.score for each in answer]
    equal(scores, sorted(scores, reverse=True), f"{what}, the order of scores")
    return {each.label: each.score for each in answer}


def text_scores(answer: Sequence[Any], what: str) -> dict[str, float]:
    """Read what `text_classification` answers."""
    return scores_of(answer, TextClassificationOutputElement, what)


def label_scores(answer: Sequence[Any], what: str) -> dict[str, float]:
    """Read what `zero_shot_classification` answers."""
    return scores_of(answer, ZeroShotClassificationOutputElement, what)


def entity_scores(answer: Sequence[Any], *, group: str = "entity_group") -> dict[str, float]:
    """Read what `token_classification` answers: scores by label and place."""
    for each in answer:
        typed = isinstance(each, TokenClassificationOutputElement) and is_dataclass(each)
        expect(typed, f"{each!r} is no element of an answer")
        kinds = [type(getattr(each, name)) for name in ("score", "word", "start", "end")]
        equal(kinds, [float, str, int, int], "the types of score, word, start and end")
        expect(0 <= each.start < each.end, f"the place is {each.start} to {each.end}")
        expect(isinstance(each[group], str), f"the label is {each[group]!r}")
    return {f"{each[group]} {each.start}-{each.end}": each.score for each in answer}


def raw_scores(answer: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Read labels and scores out of plain JSON."""
    return {each["label"]: each["score"] for each in answer}


def sentiment_is_sensible(scores: Scores, expected: str) -> None:
    """Demand two labels, the right one first."""
    equal(set(scores), {"POSITIVE", "NEGATIVE"}, "the labels")
    close_to(sum(scores.values()), 1, "the sum of scores")
    equal(next(iter(scores)), expected, "the best label")


def ranking_is_sensible(scores: Scores) -> None:
    """Demand all labels; the right one first, where the model can know."""
    equal(set(scores), set(LABELS), "the labels")
    close_to(sum(scores.values()), 1, "the sum of scores")
    equal(next(iter(scores)), SENSE["zero_shot"], "the best label")


def persons_are_found(scores: Scores) -> None:
    """Demand the two names, where the model can know them."""
    expect(bool(scores), "no entity was found")
    equal(list(scores), [f"PER {start}-{end}" for start, end in SENSE["persons"]], "persons")


def refused(call: Callable[[], object], status: int, kind: type, text: str) -> None:
    """Demand an exception of this kind, with the server's status and its text, once."""
    try:
        call()
    except HfHubHTTPError as error:
        expect(type(error) is kind, f"expected {kind.__name__}, found {type(error).__name__}")
        expect(error.response is not None, "the exception has no response")
        equal(error.response.status_code, status, "the status")
        expect(str(error).count(text) == 1, f"expected {text!r} once, found {error}")
    else:
        raise AssertionError(f"expected {kind.__name__}, and nothing was raised")
