"""Headers and errors: what all answers have in common."""

from collections.abc import Mapping, Sequence
from typing import Final

from earmark.web.dialects.cloudflare.errors import BindingError
from earmark.web.dialects.cloudflare.openapi.bodies import EdgeFailure, ModelFailure
from earmark.web.dialects.cloudflare.openapi.examples import (
    AI_REQUEST_ID,
    binding_failure,
    failure,
)
from earmark.web.openapi import Answer, Content, Example, Header, Json
from earmark.web.responses import ErrorBody
from earmark.web.shared_answers import (
    ACCEPT_ENCODING,
    ALLOW,
    COST_HEADERS,
    EDGE_ERRORS,
    LONG_HEADERS,
    REQUEST_ID,
    RETRY_AFTER,
    SERVER_CLOSES,
    SLOW_REQUEST,
    WARNING,
)

__all__ = [
    "BOUND_ERRORS",
    "CATALOGUE_ERRORS",
    "EDGE_HEADERS",
    "RUN_ERRORS",
    "RUN_HEADERS",
    "SCHEMA_ERRORS",
]

_AI_REQUEST: Final = Header(
    name="cf-ai-req-id",
    type=str,
    description="The request's id in the log, as a UUID.",
    example=AI_REQUEST_ID,
)
_RAY: Final = Header(
    name="cf-ray",
    type=str,
    description="New with each answer, as Cloudflare's edge would have it.",
    example="8f2d6c1b5a4e3f70-LCL",
)
_CACHE: Final = Header(
    name="cache-control", type=str, description="Always `no-store`.", example="no-store"
)
_SHOULD_RETRY: Final = Header(
    name="x-should-retry",
    type=str,
    description="`false`: the same request would fail again, and the SDKs do not repeat it.",
    example="false",
)

EDGE_HEADERS: Final = (REQUEST_ID, _RAY, _CACHE)
RUN_HEADERS: Final = (*COST_HEADERS, WARNING, _AI_REQUEST, _RAY, _CACHE)
"""What an answer's headers say; those of a batch have no costs."""

_Shown = tuple[str, str, Json]
"""An example's name, its summary, and the body."""


def _answer(
    name: str, when: str, types: Sequence[object], shown: Sequence[_Shown], *headers: Header
) -> Answer:
    examples = {key: Example(summary=summary, value=value) for key, summary, value in shown}
    content = Content(types=tuple(types), examples=examples)
    return Answer(
        name=f"WorkersAi{name}",
        description=when,
        contents=(content,),
        headers=(*EDGE_HEADERS, *headers),
    )


def _edge(name: str, summary: str) -> _Shown:
    return name, summary, failure(name, reached_model=False)


_BAD_INPUT: Final = ("badInput", "5006: the input fits no schema, or the model's is another")
_UNKNOWN: Final = ("unknownModel", "5007: no such model")
_ON_THE_WAY: Final = (
    _edge("noRoute", "7000: no such address"),
    _edge("noKey", "9106, where the server has access keys: none was sent"),
    _edge("malformedKey", "6003, likewise: what was sent is no bearer's"),
)
_WHY_INVALID: Final = (
    "The request is malformed; no such model is served, nor may it be fetched from the Hub, which"
    " may be out of reach; or it cannot run here; or no key was sent."
)

_NO_ACCESS: Final = _answer(
    "WrongKey",
    "The server has access keys, and what was sent is none of them; or it knows no such account.",
    (EdgeFailure,),
    [_edge("wrongKey", "10000")],
)
_METHOD: Final = _answer(
    "WrongMethod",
    "The address has other methods.",
    (EdgeFailure,),
    [_edge("wrongMethod", "7001")],
    ALLOW,
)
_SLOW: Final[_Shown] = (
    "slowRequest",
    "The request did not arrive in time, of which the connection's guard tells",
    {"error": EDGE_ERRORS[408]},
)


def _of_model(kind: str, failure_type: object, told: Mapping[str, Json]) -> dict[int, Answer]:
    """Describe errors of a model, or on the way to one.

    Args:
        kind: tells these answers from others of the same statuses.
        failure_type: of their body.
        told: bodies, by the names in `ERRORS`.
    """

    def answer(name: str, when: str, key: str, code: int, *headers: Header) -> Answer:
        shown = [(key, str(code), told[key])]
        return _answer(kind + name, when, (failure_type,), shown, _AI_REQUEST, *headers)

    return {
        400: _answer(
            f"{kind}Invalid",
            _WHY_INVALID,
            (failure_type, EdgeFailure, ErrorBody),
            [(*each, told[each[0]]) for each in (_BAD_INPUT, _UNKNOWN)] + [*_ON_THE_WAY],
            _AI_REQUEST,
        ),
        401: _NO_ACCESS,
        405: _METHOD,
        408: _answer(
            f"{kind}Late",
            "No answer within 55 s; or the request did not arrive in time.",
            (failure_type, ErrorBody),
            [("late", "3007: no answer in time", told["late"]), _SLOW],
            _AI_REQUEST,
            RETRY_AFTER,
        ),
        413: answer("TooLarge", "The body, or the list in it, is too large.", "tooLarge", 3006),
        415: answer(
            "UnsupportedCoding",
            "The body is compressed in a way that is not accepted.",
            "coding",
            5006,
            ACCEPT_ENCODING,
        ),
        429: answer(
            "Busy",
            "Too much is in flight or waiting, a model is loading, or the server goes down.",
            "busy",
            3040,
            RETRY_AFTER,
        ),
        431: LONG_HEADERS,
        500: answer(
            "Fault",
            "A fault of the server's; its log has it under the request's id.",
            "fault",
            5000,
            _SHOULD_RETRY,
        ),
        503: SERVER_CLOSES,
    }


_TOLD: Final = {
    "badInput": 400,
    "unknownModel": 400,
    "late": 408,
    "tooLarge": 413,
    "coding": 415,
    "busy": 429,
    "fault": 500,
}

RUN_ERRORS: Final[Mapping[int, Answer]] = _of_model(
    "Run", ModelFailure, {name: failure(name, reached_model=True) for name in _TOLD}
)
"""What may come in place of a run's answer, over REST."""

BOUND_ERRORS: Final[Mapping[int, Answer]] = _of_model(
    "Binding",
    BindingError,
    {name: binding_failure(name, status) for name, status in _TOLD.items()},
)
"""The same to a binding."""

CATALOGUE_ERRORS: Final[Mapping[int, Answer]] = {
    400: _answer(
        "Invalid",
        _WHY_INVALID,
        (EdgeFailure, ErrorBody),
        [
            _edge("badPage", "5006: a parameter is malformed"),
            _edge("noSuchSchema", "5007: no such model"),
            *_ON_THE_WAY,
        ],
    ),
    401: _NO_ACCESS,
    405: _METHOD,
    408: SLOW_REQUEST,
    431: LONG_HEADERS,
    500: _answer(
        "Fault",
        "A fault of the server's; its log has it under the request's id.",
        (EdgeFailure,),
        [_edge("fault", "5000")],
        _SHOULD_RETRY,
    ),
    503: SERVER_CLOSES,
}
"""What may come in place of the catalogue's answers."""

SCHEMA_ERRORS: Final[Mapping[int, Answer]] = {
    **CATALOGUE_ERRORS,
    400: _answer(
        "SchemaInvalid",
        _WHY_INVALID,
        (EdgeFailure, ErrorBody),
        [
            _edge("noSuchSchema", "5007: no such model"),
            _edge("outOfReach", "5007: not served, and the Hub cannot be asked for it"),
            *_ON_THE_WAY,
        ],
    ),
    429: _answer(
        "SchemaBusy",
        "Too many models of the Hub wait to be looked up already.",
        (EdgeFailure,),
        [_edge("busy", "3040")],
        RETRY_AFTER,
    ),
}
"""The same where a model is named."""
