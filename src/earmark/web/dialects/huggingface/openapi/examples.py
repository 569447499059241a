"""Requests as people send them, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from earmark.tasks.task import TaskName
from earmark.web.compression import ACCEPTED
from earmark.web.openapi import Example, ExampleExchange, Json

__all__ = [
    "ERRORS",
    "EXCHANGES",
    "LOADING",
    "NOT_LOADED",
    "NO_ROOM",
    "STREAM",
    "UNLOADABLE",
    "TaskExchange",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskExchange(ExampleExchange):
    """A request and its answer.

    Attributes:
        task: what the model is for.
        user_agent: of a client that reads this form; empty for anyone.
    """

    task: TaskName
    user_agent: str = ""


_MONEY: Final = "I want my money back"
_SARAH: Final = "My name is Sarah Jessica Parker but you can call me Jessica"
_SORTED: Final[Json] = {
    "inputs": _MONEY,
    "parameters": {"candidate_labels": ["refund", "legal", "faq"]},
}
_LABELS: Final[list[Json]] = ["refund", "faq", "legal"]
_SCORES: Final[list[Json]] = [0.8125, 0.125, 0.0625]

EXCHANGES: Final[Mapping[str, TaskExchange]] = {
    "text": TaskExchange(
        task="text-classification",
        summary="A text",
        request={"inputs": "I like you. I love you"},
        answer=[[{"label": "POSITIVE", "score": 0.9734}, {"label": "NEGATIVE", "score": 0.0266}]],
    ),
    "texts": TaskExchange(
        task="text-classification",
        summary="Texts, and only the best label of each",
        request={"inputs": ["I like it", "I do not"], "parameters": {"top_k": 1}},
        answer=[[{"label": "POSITIVE", "score": 0.9685}], [{"label": "NEGATIVE", "score": 0.9548}]],
    ),
    "reranker": TaskExchange(
        task="text-classification",
        summary="Pairs, for a reranker",
        request={
            "inputs": [
                {"text": "What is the capital of France?", "text_pair": "Paris is in France."},
                {"text": "What is the capital of France?", "text_pair": "Bananas are yellow."},
            ]
        },
        answer=[[{"label": "LABEL_0", "score": 0.9375}], [{"label": "LABEL_0", "score": 0.0625}]],
    ),
    "ranking": TaskExchange(
        task="text-ranking",
        summary="Texts, for a reranker, best first",
        request={
            "inputs": {
                "query": "What is the capital of France?",
                "texts": ["Bananas are yellow.", "Paris is in France."],
            }
        },
        answer=[{"index": 1, "score": 0.9375}, {"index": 0, "score": 0.0625}],
    ),
    "zeroShot": TaskExchange(
        task="zero-shot-classification",
        summary="Labels of your own",
        request=_SORTED,
        answer=[
            {"label": label, "score": score} for label, score in zip(_LABELS, _SCORES, strict=True)
        ],
    ),
    "zeroShotList": TaskExchange(
        task="zero-shot-classification",
        summary="Labels of your own, a list of texts, each label by itself",
        request={
            "inputs": [_MONEY],
            "parameters": {
                "candidate_labels": ["refund", "legal", "faq"],
                "multi_label": True,
                "hypothesis_template": "This example is {}.",
            },
        },
        answer=[{"sequence": _MONEY, "labels": _LABELS, "scores": _SCORES}],
    ),
    "zeroShotObject": TaskExchange(
        task="zero-shot-classification",
        summary="Labels of your own, as huggingface_hub before 1.1.5 reads them",
        request=_SORTED,
        answer={"sequence": _MONEY, "labels": _LABELS, "scores": _SCORES},
        user_agent="unknown/None; hf_hub/0.36.0; python/3.11.7",
    ),
    "zeroShotObjects": TaskExchange(
        task="zero-shot-classification",
        summary="Labels of your own, as @huggingface/inference before 4.5 reads them",
        request=_SORTED,
        answer=[{"sequence": _MONEY, "labels": _LABELS, "scores": _SCORES}],
        user_agent="@huggingface/inference/3.15.0",
    ),
    "zeroShotBoth": TaskExchange(
        task="zero-shot-classification",
        summary="Labels of your own, for a client that does not say its version",
        request=_SORTED,
        answer=[
            {
                "label": "refund",
                "score": 0.8125,
                "sequence": _MONEY,
                "labels": _LABELS,
                "scores": _SCORES,
            },
            {"label": "faq", "score": 0.125, "sequence": "", "labels": [], "scores": []},
            {"label": "legal", "score": 0.0625, "sequence": "", "labels": [], "scores": []},
        ],
        user_agent="node",
    ),
    "entities": TaskExchange(
        task="token-classification",
        summary="Named entities",
        request={"inputs": _SARAH},
        answer=[
            {
                "entity_group": "PER",
                "score": 0.9375,
                "word": "Sarah Jessica Parker",
                "start": 11,
                "end": 31,
            },
            {"entity_group": "PER", "score": 0.9375, "word": "Jessica", "start": 52, "end": 59},
        ],
    ),
    "entitiesList": TaskExchange(
        task="token-classification",
        summary="Named entities of several texts",
        request={"inputs": [_SARAH, "Nobody was there"]},
        answer=[
            [
                {
                    "entity_group": "PER",
                    "score": 0.9375,
                    "word": "Sarah Jessica Parker",
                    "start": 11,
                    "end": 31,
                },
                {"entity_group": "PER", "score": 0.9375, "word": "Jessica", "start": 52, "end": 59},
            ],
            [],
        ],
    ),
    "tokens": TaskExchange(
        task="token-classification",
        summary="Labelled tokens, one by one",
        request={"inputs": "I am Sarah", "parameters": {"aggregation_strategy": "none"}},
        answer=[
            {
                "entity": "B-PER",
                "score": 0.9375,
                "index": 3,
                "word": "Sarah",
                "start": 5,
                "end": 10,
                "entity_group": "PER",
            }
        ],
    ),
}
"""By the name each has in the document."""

STREAM: Final = Example(
    summary="Named entities, each as soon as it is certain",
    value=(
        'data:{"entity_group":"PER","score":0.9375,"word":"Sarah Jessica Parker","start":11,'
        '"end":31}\n\n'
        'data:{"entity_group":"PER","score":0.9375,"word":"Jessica","start":52,"end":59}\n\n'
        "data: [DONE]\n\n"
    ),
)

ERRORS: Final[Mapping[int, str]] = {
    400: "`parameters.top_k`: expected `int` >= 1",
    401: (
        "Invalid credentials in Authorization header: no access key was sent; expected Bearer and"
        " an access key of this server"
    ),
    404: "Model acme/unknown does not exist; served here: earmark/sentiment",
    413: (
        "the body is 2,097,153 bytes, at most 2,097,152 bytes are accepted; send the texts in"
        " several requests"
    ),
    415: f"the body's Content-Encoding is 'br'; expected one of {', '.join(ACCEPTED)}",
    429: ("the server is busy: 256 requests are in flight, of 256 at most; try again in 2 s"),
    500: "unknown error (request bf64e82976a648e0a0fb2be1739e5698)",
    503: "the server is shutting down",
    504: (
        "Model earmark/sentiment time out: no answer within 60.0 s; send fewer texts at once or"
        " allow more time"
    ),
}
"""What is said with each status."""

LOADING: Final[Json] = {"error": "Model org/name is currently loading", "estimated_time": 20.0}
NO_ROOM: Final[Json] = {
    "error": ("Model org/name waits for room: 4 models, as many as may be in memory, are in use"),
    "estimated_time": 20.0,
}
NOT_LOADED: Final[Json] = {"error": "not loaded yet"}
UNLOADABLE: Final = (
    "Model org/name cannot be loaded; the server's log says why (request"
    " bf64e82976a648e0a0fb2be1739e5698)"
)
"""What is said of a model that is not in memory."""
