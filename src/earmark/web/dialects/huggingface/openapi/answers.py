"""Headers and errors: what all answers have in common."""

from collections.abc import Mapping
from typing import Final

from earmark.web.dialects.huggingface.openapi.examples import ERRORS
from earmark.web.openapi import Answer, Content, Example, Header, Json
from earmark.web.responses import ErrorBody

__all__ = ["ASKING_ERRORS", "ASK_HEADERS", "LOOKUP_ERRORS", "NO_KEY", "REQUEST_ID"]

REQUEST_ID: Final = Header(
    name="x-request-id",
    type=str,
    description="The caller's own where it is visible ASCII of at most 128 characters, else new.",
    example="bf64e82976a648e0a0fb2be1739e5698",
)

_MESSAGE: Final = Header(
    name="x-error-message",
    type=str,
    description="The text of the error, where a header can carry it unchanged.",
    example=ERRORS[400],
)
_RETRY: Final = Header(
    name="retry-after", type=int, description="Seconds after which to try again.", example=2
)


def _header(name: str, of: object, description: str, example: Json) -> Header:
    return Header(name=name, type=of, description=description, example=example)


ASK_HEADERS: Final = (
    REQUEST_ID,
    _header(
        "x-compute-type", str, "`cpu`, or `cache` where nothing had to be computed anew.", "cpu"
    ),
    _header("x-compute-precision", str, "What the model computed in.", "int8"),
    _header("x-compute-time", float, "Seconds in all.", 0.04),
    _header("x-compute-characters", int, "Unicode code points that came in.", 22),
    _header("x-compute-tokens", int, "Tokens the model read.", 9),
    _header("x-total-time", float, "Milliseconds in all.", 40.5),
    _header("x-tokenization-time", float, "Milliseconds of making tokens.", 3.8),
    _header("x-queue-time", float, "Milliseconds of waiting for a batch.", 3.9),
    _header("x-inference-time", float, "Milliseconds inside the model.", 32.0),
    _header(
        "x-truncated-tokens", int, "Tokens the model did not read; absent when it read all.", 12
    ),
    _header(
        "x-truncated-inputs", str, "Which inputs were cut, counted from 0, where few are.", "0,3"
    ),
    _header("x-cache-hits", int, "Texts that did not have to be run for this request.", 1),
    _header(
        "x-hf-warning",
        str,
        "A doubt about the answer, as `topic; message`.",
        'zero-shot-classification; no label of this model begins with "entail", so its last one is'
        " taken for entailment",
    ),
    _header("vary", str, "`User-Agent` where the form of the answer follows it.", "User-Agent"),
)
"""What an answer's headers say."""


def _error(status: int, name: str, when: str, *more: Header, **also: Json) -> Answer:
    value: Json = {"error": ERRORS[status], **also}
    example = {name[:1].lower() + name[1:]: Example(summary=when, value=value)}
    return Answer(
        name=name,
        description=when,
        contents=(Content(types=(ErrorBody,), examples=example),),
        headers=(REQUEST_ID, _MESSAGE, *more),
    )


# A request that never becomes one gets no id.
_INVALID = _error(400, "BadRequest", "The request is malformed; the text says where and how.")
NO_KEY: Final = _error(
    401, "NoAccessKey", "The server has access keys, and what was sent is none of them."
)
_UNKNOWN = _error(404, "NotFound", "No such model, or nothing at this address.")
_METHOD = _error(
    405,
    "WrongMethod",
    "The address has other methods.",
    Header(
        name="allow", type=str, description="The methods of the address.", example="GET, HEAD, POST"
    ),
)
_SLOW = _error(408, "Timeout", "The request did not arrive in time.")
_LARGE = _error(413, "TooLarge", "The body, or the list in it, is too large.")
_BUSY = _error(429, "TooMuchToDo", "Too much is in flight or waiting.", _RETRY)
_HEADERS = _error(431, "HeadersTooLarge", "The request's headers are too large.")
_FAULT = _error(500, "Fault", "A fault of the server's; its log has it under the request's id.")
_CLOSING = _error(503, "ShuttingDown", "The server is shutting down.", _RETRY)
_LATE = _error(504, "NoAnswerInTime", "No answer in time.")

_UNAVAILABLE = Answer(
    name="Unavailable",
    description="The model is being loaded, or the server is shutting down.",
    contents=(
        Content(
            types=(ErrorBody,),
            examples={
                "loading": Example(
                    summary="The model is being loaded; so many seconds it is likely to take.",
                    value={
                        "error": "Model earmark/sentiment is currently loading",
                        "estimated_time": 2.5,
                    },
                ),
                "closing": Example(
                    summary="The server is shutting down.", value={"error": ERRORS[503]}
                ),
            },
        ),
    ),
    headers=(REQUEST_ID, _MESSAGE, _RETRY),
)

LOOKUP_ERRORS: Final[Mapping[int, Answer]] = {
    400: _INVALID,
    401: NO_KEY,
    404: _UNKNOWN,
    405: _METHOD,
    408: _SLOW,
    431: _HEADERS,
    500: _FAULT,
    503: _CLOSING,
}
"""What may come in place of a look-up's answer."""

ASKING_ERRORS: Final[Mapping[int, Answer]] = {
    **LOOKUP_ERRORS,
    413: _LARGE,
    429: _BUSY,
    503: _UNAVAILABLE,
    504: _LATE,
}
"""What may come in place of a model's answer."""
