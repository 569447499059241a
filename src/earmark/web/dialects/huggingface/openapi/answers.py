"""Headers and errors: what all answers have in common."""

from collections.abc import Mapping
from typing import Final

from earmark.web.dialects.huggingface.openapi.examples import ERRORS, LOADING, NO_ROOM, UNLOADABLE
from earmark.web.openapi import Answer, Content, Example, Header
from earmark.web.responses import ErrorBody
from earmark.web.shared_answers import (
    AUTHENTICATE,
    COST_HEADERS,
    LONG_HEADERS,
    REQUEST_ID,
    RETRY_AFTER,
    SLOW_REQUEST,
    WRONG_METHOD,
    error_content,
)

__all__ = ["ASKING_ERRORS", "ASK_HEADERS", "LOOKUP_ERRORS", "MODEL_ERRORS", "NO_KEY"]

_MESSAGE: Final = Header(
    name="x-error-message",
    type=str,
    description="The text of the error, where a header can carry it unchanged.",
    example=ERRORS[400],
)

ASK_HEADERS: Final = (
    *COST_HEADERS,
    Header(
        name="x-hf-warning",
        type=str,
        description=(
            "A parameter that nothing reads, or a doubt about the answer, as `topic; message`; one"
            " line each. With `--strict` a request that has them is a 400."
        ),
        example="parameters topk; `parameters.topk` is not read; did you mean `top_k`?",
    ),
)
"""What an answer's headers say."""


def _error(status: int, name: str, when: str, *more: Header) -> Answer:
    return Answer(
        name=name,
        description=when,
        contents=(error_content(ERRORS[status], name[:1].lower() + name[1:], when),),
        headers=(REQUEST_ID, _MESSAGE, *more),
    )


_INVALID = _error(
    400,
    "BadRequest",
    "The request is malformed, or names a model of the Hub that cannot run here; the text says"
    " where and how.",
)
NO_KEY: Final = _error(
    401,
    "NoAccessKey",
    "The server has access keys, and what was sent is none of them.",
    AUTHENTICATE,
)
_UNKNOWN = _error(
    404,
    "NotFound",
    "No such model is served, nor may it be fetched from the Hub, if it is there; or nothing at"
    " this address.",
)
_LARGE = _error(413, "TooLarge", "The body, or the list in it, is too large.")
_BUSY = _error(429, "TooMuchToDo", "Too much is in flight or waiting.", RETRY_AFTER)
_CLOSING = _error(
    503,
    "ShuttingDown",
    "The server is shutting down; or the Hub, which may have the model, cannot be asked for now.",
    RETRY_AFTER,
)
_LATE = _error(504, "NoAnswerInTime", "No answer in time.")

_FAULT = Answer(
    name="Fault",
    description="A fault of the server's, or of a model's files; its log has it under the"
    " request's id.",
    contents=(
        Content(
            types=(ErrorBody,),
            examples={
                "fault": Example(summary="A fault of the server's", value={"error": ERRORS[500]}),
                "unloadable": Example(
                    summary="A model that could not be loaded", value={"error": UNLOADABLE}
                ),
            },
        ),
    ),
    headers=(REQUEST_ID, _MESSAGE),
)

_UNAVAILABLE = Answer(
    name="Unavailable",
    description=(
        "The model is not in memory, and its load has begun, with its download where it is one of"
        " the Hub; or the Hub cannot be asked for now; or the server is shutting down."
    ),
    contents=(
        Content(
            types=(ErrorBody,),
            examples={
                "loading": Example(
                    summary="The model is being loaded; so many seconds it is likely to take",
                    value=LOADING,
                ),
                "noRoom": Example(
                    summary="The model is loaded as soon as another can leave memory",
                    value=NO_ROOM,
                ),
                "closing": Example(
                    summary="The server is shutting down", value={"error": ERRORS[503]}
                ),
            },
        ),
    ),
    headers=(REQUEST_ID, _MESSAGE, RETRY_AFTER),
)

LOOKUP_ERRORS: Final[Mapping[int, Answer]] = {
    400: _INVALID,
    401: NO_KEY,
    404: _UNKNOWN,
    405: WRONG_METHOD,
    408: SLOW_REQUEST,
    431: LONG_HEADERS,
    500: _FAULT,
    503: _CLOSING,
}
"""What may come in place of a look-up's answer."""

MODEL_ERRORS: Final[Mapping[int, Answer]] = {**LOOKUP_ERRORS, 429: _BUSY}
"""The same where a model is named, which the Hub may have to be asked for."""

ASKING_ERRORS: Final[Mapping[int, Answer]] = {
    **LOOKUP_ERRORS,
    413: _LARGE,
    429: _BUSY,
    503: _UNAVAILABLE,
    504: _LATE,
}
"""What may come in place of a model's answer."""
