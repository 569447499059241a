"""Requests as people send them, and what comes back."""

from collections.abc import Mapping
from typing import Final

from earmark.web.compression import ACCEPTED
from earmark.web.openapi import ExampleExchange, Json

__all__ = ["ERRORS", "PREDICTIONS", "RERANKINGS"]

_QUERY: Final = "What is the capital of France?"
_TEXTS: Final[list[Json]] = ["Bananas are yellow.", "Paris is the capital of France."]

_ABOUT: Final[Mapping[str, Json]] = {
    "id": "bf64e82976a648e0a0fb2be1739e5698",
    "object": "rerank",
    "model": "org/reranker",
    "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
}

RERANKINGS: Final[Mapping[str, ExampleExchange]] = {
    "texts": ExampleExchange(
        summary="Texts, as text-embeddings-inference has them",
        request={"query": _QUERY, "texts": _TEXTS},
        answer=[{"index": 1, "score": 0.9375}, {"index": 0, "score": 0.0625}],
    ),
    "textsReturned": ExampleExchange(
        summary="Texts, which come back beside their scores",
        request={"query": _QUERY, "texts": _TEXTS, "return_text": True},
        answer=[
            {"index": 1, "score": 0.9375, "text": "Paris is the capital of France."},
            {"index": 0, "score": 0.0625, "text": "Bananas are yellow."},
        ],
    ),
    "documents": ExampleExchange(
        summary="Documents, as Cohere and Jina have them",
        request={"model": "org/reranker", "query": _QUERY, "documents": _TEXTS},
        answer={
            **_ABOUT,
            "results": [
                {"index": 1, "relevance_score": 0.9375},
                {"index": 0, "relevance_score": 0.0625},
            ],
            "usage": {"total_tokens": 25, "prompt_tokens": 25},
        },
    ),
    "documentsReturned": ExampleExchange(
        summary="Documents as objects, of which the best comes back",
        request={
            "query": _QUERY,
            "documents": [{"text": text} for text in _TEXTS],
            "top_n": 1,
            "return_documents": True,
        },
        answer={
            **_ABOUT,
            "results": [
                {
                    "index": 1,
                    "relevance_score": 0.9375,
                    "document": {"text": "Paris is the capital of France."},
                }
            ],
            "usage": {"total_tokens": 25, "prompt_tokens": 25},
        },
    ),
}
"""By the name each has in the document."""

_LABELLED: Final[list[Json]] = [
    {"label": "POSITIVE", "score": 0.9734},
    {"label": "NEGATIVE", "score": 0.0266},
]

PREDICTIONS: Final[Mapping[str, ExampleExchange]] = {
    "text": ExampleExchange(
        summary="A text", request={"inputs": "I like you. I love you"}, answer=_LABELLED
    ),
    "pair": ExampleExchange(
        summary="A pair",
        request={"inputs": ["I like you.", "I love you"]},
        answer=[{"label": "POSITIVE", "score": 0.9548}, {"label": "NEGATIVE", "score": 0.0452}],
    ),
    "list": ExampleExchange(
        summary="A list of texts",
        request={"inputs": [["I like you. I love you"], ["I do not"]]},
        answer=[
            _LABELLED,
            [{"label": "NEGATIVE", "score": 0.9685}, {"label": "POSITIVE", "score": 0.0315}],
        ],
    ),
}
"""By the name each has in the document."""

ERRORS: Final[Mapping[int, str]] = {
    400: "`texts` is an empty list; expected at least one text",
    401: (
        "no access key was sent; expected Bearer and an access key of this server in the"
        " Authorization header"
    ),
    404: "Model rerank-v3.5 does not exist; served here: org/reranker",
    413: (
        "the body is 2,097,153 bytes, at most 2,097,152 bytes are accepted; send the texts in"
        " several requests"
    ),
    415: f"the body's Content-Encoding is 'br'; expected one of {', '.join(ACCEPTED)}",
    422: "`top_n`: expected `int` >= 1",
    429: "the server is busy: 256 requests are in flight, of 256 at most; try again in 2 s",
    500: "unknown error (request bf64e82976a648e0a0fb2be1739e5698)",
    503: "the server is going down",
    504: "no answer within 60.0 s; send fewer texts at once or allow more time",
}
"""What is said with each status."""
