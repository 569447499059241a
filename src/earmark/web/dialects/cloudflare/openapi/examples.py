"""Requests as people send them, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from earmark.web.compression import ACCEPTED
from earmark.web.openapi import Example, ExampleExchange, Json

__all__ = [
    "AI_REQUEST_ID",
    "CLASSIFIER",
    "ERRORS",
    "RERANKER",
    "RUNS",
    "Run",
    "binding_failure",
    "failure",
]

CLASSIFIER: Final = "@cf/huggingface/distilbert-sst-2-int8"
RERANKER: Final = "@cf/baai/bge-reranker-base"
AI_REQUEST_ID: Final = "bf64e829-76a6-48e0-a0fb-2be1739e5698"
_BATCH_ID: Final = "0c6f1f0e-8a1b-4d0e-9d43-5a54a8a5a9f2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(ExampleExchange):
    """An input and its result, which each kind of address wraps in its own way.

    Attributes:
        model: by its name.
        queued: whether the input is a batch.
    """

    model: str = CLASSIFIER
    queued: bool = False

    def enveloped(self) -> Example:
        """Show the answer over REST."""
        value: Json = {"result": self.answer, "success": True, "errors": [], "messages": []}
        return Example(summary=self.summary, value=value)

    def universal(self) -> Example:
        """Show the request to an address that names no model."""
        return Example(summary=self.summary, value={"model": self.model, "input": self.request})

    def bound(self) -> Example:
        """Show the request of a binding."""
        options: dict[str, Json] = {"queueRequest": True} if self.queued else {}
        return Example(summary=self.summary, value={"inputs": self.request, "options": options})


_PIZZA: Final = "This pizza is great!"
_LABELS: Final[Json] = [
    {"label": "NEGATIVE", "score": 0.0266},
    {"label": "POSITIVE", "score": 0.9734},
]

RUNS: Final[Mapping[str, Run]] = {
    "text": Run(summary="A text", request={"text": _PIZZA}, answer=_LABELS),
    "rerank": Run(
        summary="Contexts by how well they answer a query, the best one",
        model=RERANKER,
        request={
            "query": "What is the capital of France?",
            "contexts": [
                {"text": "Bananas are yellow."},
                {"text": "Paris is the capital of France."},
            ],
            "top_k": 1,
        },
        answer={"response": [{"id": 1, "score": 0.9375}]},
    ),
    "batch": Run(
        summary="A batch, with queueRequest",
        request={"requests": [{"text": _PIZZA, "external_reference": "order 7"}]},
        answer={"status": "queued", "request_id": _BATCH_ID, "model": CLASSIFIER},
        queued=True,
    ),
    "poll": Run(
        summary="How far a batch is, which is answered here",
        request={"request_id": _BATCH_ID},
        answer={
            "responses": [
                {"id": 0, "result": _LABELS, "success": True, "external_reference": "order 7"}
            ],
            "usage": {"prompt_tokens": 6, "completion_tokens": 0, "total_tokens": 6},
        },
    ),
    "pollFailed": Run(
        summary="How far a batch is, whose only input was an empty text",
        request={"request_id": _BATCH_ID},
        answer={
            "responses": [
                {
                    "id": 0,
                    "result": {},
                    "success": False,
                    "external_reference": None,
                    "errors": [
                        {
                            "code": 5006,
                            "message": "AiError: Bad input: Error: Length of '/text' must be >= 1",
                        }
                    ],
                }
            ],
            "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        },
    ),
}
"""By the name each has in the document."""

ERRORS: Final[Mapping[str, tuple[int, str]]] = {
    "badInput": (5006, "Bad input: Error: required properties at '/' are 'text'"),
    "badPage": (5006, "Bad input: Error: page is '0'; expected a number from 1 to 2,147,483,648"),
    "unknownModel": (
        5007,
        (
            "No such model: Model @cf/acme/unknown does not exist; served here: "
            f"{CLASSIFIER}, {RERANKER}"
        ),
    ),
    "noSuchSchema": (5007, "No such model: No such model @cf/acme/unknown or task"),
    "noKey": (9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"),
    "malformedKey": (6003, "Invalid request headers"),
    "noRoute": (7000, "No route for that URI"),
    "wrongKey": (10000, "Authentication error"),
    "wrongMethod": (7001, "Method DELETE not available for that URI."),
    "late": (
        3007,
        "Request timeout: no answer within 55.0 s; send fewer texts at once or allow more time",
    ),
    "tooLarge": (
        3006,
        (
            "Request is too large: the body is 2,097,153 bytes, at most 2,097,152 bytes are"
            " accepted; send the texts in several requests"
        ),
    ),
    "coding": (
        5006,
        (
            "Bad input: Error: the body's Content-Encoding is 'br'; expected one of"
            f" {', '.join(ACCEPTED)}"
        ),
    ),
    "busy": (
        3040,
        (
            "Capacity temporarily exceeded, please try again.: the server is busy: 256 requests"
            " are in flight, of 256 at most; try again in 2 s"
        ),
    ),
    "outOfReach": (
        5007,
        (
            "No such model: Model acme/unknown is not served here, and the Hugging Face Hub cannot"
            " be asked for acme/unknown for now; the server's log says why; served here: at/hand,"
            " others on demand"
        ),
    ),
    "fault": (5000, "Internal error: unknown error"),
}
"""Code and description, by the name each has in the document."""

_CHAINS: Final[Mapping[str, Json]] = {
    "malformedKey": {"code": 6111, "message": "Invalid format for Authorization header"}
}
"""What an error came of, by its name."""


_MESSAGES: Final[Mapping[str, Json]] = {
    "noRoute": {
        "code": 7000,
        "message": "GET /docs shows every address, GET /openapi.json lists them for programs",
        "type": None,
    }
}
"""What is said beside an error, by its name."""


def failure(name: str, *, reached_model: bool) -> Json:
    """Show an error over REST.

    Args:
        name: in `ERRORS`.
        reached_model: whether it is one of a model, or on the way to one.
    """
    code, text = ERRORS[name]
    message = f"AiError: {text} ({AI_REQUEST_ID})" if reached_model else text
    error: dict[str, Json] = {"code": code, "message": message}
    if name in _CHAINS:
        error["error_chain"] = [_CHAINS[name]]
    return {
        "result": {} if reached_model else None,
        "success": False,
        "errors": [error],
        "messages": [_MESSAGES[name]] if name in _MESSAGES else [],
    }


def binding_failure(name: str, status: int) -> Json:
    """Show the same to a binding."""
    code, text = ERRORS[name]
    return {
        "name": "AiError",
        "internalCode": code,
        "httpCode": status,
        "message": f"AiError: {text} ({AI_REQUEST_ID})",
        "description": text,
        "requestId": AI_REQUEST_ID,
    }
