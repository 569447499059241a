"""The job that a script of `cloudflare` is given, its clients, and their answers, judged."""

import json
import sys
from collections.abc import Callable
from typing import Any

import cloudflare
from clients.calls.checking import close_to, equal, expect
from cloudflare import APIStatusError, AsyncCloudflare, Cloudflare
from cloudflare.types.ai.ai_run_response import TextClassification

VERSION = tuple(int(part) for part in cloudflare.__version__.split(".")[:3])
JOB = json.load(sys.stdin)
URL, KEY, MODELS, SAMPLES, SENSE = (
    JOB[name] for name in ("url", "key", "models", "samples", "sense")
)
ACCOUNT = "0123456789abcdef0123456789abcdef"
RERANKING = {
    "query": SAMPLES["query"],
    "contexts": [{"text": passage} for passage in SAMPLES["passages"]],
}
_POINTED = {"base_url": f"{URL}/client/v4", "max_retries": 0, "timeout": 30}


def client(key: str = KEY) -> Cloudflare:
    """Make a client with a token."""
    return Cloudflare(api_token=key, **_POINTED)


def client_of_a_person(key: str = KEY) -> Cloudflare:
    """Make a client with a key and whose it is."""
    return Cloudflare(api_email="someone@example.org", api_key=key, **_POINTED)


def asynchronous_client() -> AsyncCloudflare:
    """Make a client for an event loop."""
    return AsyncCloudflare(api_token=KEY, **_POINTED)


def label_scores(answer: Any, best: str | None = None) -> dict[str, float]:  # noqa: ANN401 - a union
    """Read a classification: typed elements, in the order of the classes.

    Args:
        answer: what the client returned.
        best: the label that has to win, where the model can know.
    """
    expect(isinstance(answer, list), f"expected a list, found {answer!r}")
    for each in answer:
        expect(isinstance(each, TextClassification), f"{each!r} is no TextClassification")
        equal((type(each.label), type(each.score)), (str, float), "types of label and score")
    scores = {each.label: each.score for each in answer}
    close_to(sum(scores.values()), 1, "the sum of scores")
    if best is not None:
        equal(list(scores), ["NEGATIVE", "POSITIVE"], "the labels, in the model's order")
        equal(max(scores, key=scores.__getitem__), best, "the best label")
    return scores


def refused(call: Callable[[], object], kind: type[APIStatusError], code: int, text: str) -> None:
    """Demand an exception of this kind, with the server's code and words."""
    try:
        call()
    except APIStatusError as error:
        expect(type(error) is kind, f"expected {kind.__name__}, found {type(error).__name__}")
        (told,) = error.errors
        equal(told.code, code, "the code")
        expect(text in told.message, f"expected {text!r}, found {told.message!r}")
    else:
        raise AssertionError(f"expected {kind.__name__}, and nothing was raised")
