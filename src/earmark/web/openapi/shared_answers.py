"""What the operations of all dialects share: headers of costs, and how errors are described.

An error is described by what a dialect answers to a sample of it, as the server raises it. Status,
headers and body are read from that answer, so that the document says what the dialect's table of
errors says. Beside them stand the errors of no dialect: those of the connection's guard, which
knows no request's id yet, of the app, and of a server that goes down.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from earmark.batching.queue import too_late
from earmark.errors import (
    AccessDenied,
    ModelLoading,
    ModelOutOfReach,
    ModelUnavailable,
    QueueFull,
    RequestTooLarge,
    ShuttingDown,
    UnsupportedCoding,
    UnusableModel,
)
from earmark.web.answer_headers import EXPOSED_HEADERS
from earmark.web.compression import ACCEPTED
from earmark.web.endpoints import Refusal
from earmark.web.openapi.json_files import read_components
from earmark.web.openapi.parts import Answer, Content, Example
from earmark.web.request_log import RequestRecord
from earmark.web.responses import ErrorBody, error_response

COMPONENTS: Final = read_components("earmark.web.openapi")
"""Those that every dialect's operations may name."""

APP_HEADERS: Final = ("x-request-id", "vary")
"""What the layers around the dialects add to an answer."""

COST_HEADERS: Final = (
    *APP_HEADERS,
    *(name for name in EXPOSED_HEADERS if name != "x-error-message"),
)
"""What an answer of a model says beside itself, in any dialect."""

RECORD: Final = RequestRecord("bf64e82976a648e0a0fb2be1739e5698", model="earmark/sentiment")
"""Of the request that each sample is the answer to."""

_NAMES: Final = {
    400: "BadRequest",
    401: "NoAccessKey",
    404: "NotFound",
    405: "WrongMethod",
    408: "SlowRequest",
    413: "TooLarge",
    415: "UnsupportedCoding",
    422: "Invalid",
    429: "TooMuchToDo",
    431: "HeadersTooLarge",
    500: "Fault",
    503: "Unavailable",
    504: "NoAnswerInTime",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """An error as the server raises it.

    Attributes:
        when: it comes: a clause without a full stop.
        error: with its words.
    """

    when: str
    error: Exception


SAMPLES: Final[Mapping[str, Sample]] = {
    "unusableModel": Sample(
        "the request names a model whose files cannot run here",
        UnusableModel(
            "Model acme/data cannot run here: its repository has no config.json, so that it is no"
            " model"
        ),
    ),
    "noAccessKey": Sample(
        "the server has access keys, and what was sent is none of them",
        AccessDenied("no access key was sent"),
    ),
    "tooLarge": Sample(
        "the body, or the list in it, is too large",
        RequestTooLarge(
            "the body is 2,097,153 bytes, at most 2,097,152 bytes are accepted; send the texts in"
            " several requests"
        ),
    ),
    "unsupportedCoding": Sample(
        "the body is compressed in a way that is not accepted",
        UnsupportedCoding(
            f"the body's Content-Encoding is 'br'; expected one of {', '.join(ACCEPTED)}",
            accepted=ACCEPTED,
        ),
    ),
    "loading": Sample(
        "the model is not in memory, and its load has begun, with its download where it is one of"
        " the Hub",
        ModelLoading("Model org/name is currently loading", estimated_time_s=20.0),
    ),
    "noRoom": Sample(
        "the model is loaded as soon as another can leave memory",
        ModelLoading(
            "Model org/name waits for room: the models in memory, 4 at most, are in use",
            estimated_time_s=20.0,
        ),
    ),
    "tooMuchToDo": Sample(
        "too much is in flight or waiting",
        QueueFull(
            "the server is busy: 256 requests are in flight, of 256 at most; try again in 2 s",
            retry_after_s=2.0,
        ),
    ),
    "fault": Sample(
        "a fault of the server's, or of a model's files; its log has it under the request's id",
        Exception(),
    ),
    "unloadable": Sample(
        "the model could not be loaded", ModelUnavailable("Model org/name cannot be loaded")
    ),
    "outOfReach": Sample(
        "the Hub, which may have the model, cannot be asked for now",
        ModelOutOfReach(
            "Model acme/unknown is not served here, and the Hugging Face Hub cannot be asked for"
            " acme/unknown for now; the server's log says why; served here: at/hand, others on"
            " demand"
        ),
    ),
    "shuttingDown": Sample(
        "the server is shutting down", ShuttingDown("the server is shutting down")
    ),
    "noAnswerInTime": Sample("no answer in time", too_late(60.0)),
}
"""Those that every dialect has an answer to."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An error as a client gets it.

    Attributes:
        when: it comes: a clause without a full stop.
        response: to `RECORD`.
        type: of its body.
        owner: begins the names of the answers that hold it; empty where it is of no dialect.
    """

    when: str
    response: Response
    type: object = ErrorBody
    owner: str = ""


def refused(
    samples: Mapping[str, Sample], answer: Refusal, of: object, owner: str
) -> dict[str, Refused]:
    """Have a dialect answer samples.

    Args:
        samples: by the names that they have in the document.
        answer: of the dialect, which logs nothing.
        of: the type of its bodies.
        owner: begins the names of the dialect's answers.
    """
    return {
        name: Refused(each.when, answer(each.error, RECORD), of, owner)
        for name, each in samples.items()
    }


_OF_NO_DIALECT: Final = {
    name: Refused(when, error_response(status, text, headers=dict.fromkeys(headers, "")))
    for name, when, status, text, *headers in (
        ("noHttp", "the request is no HTTP", 400, "the request is not valid HTTP/1.1"),
        (
            "wrongMethod",
            "the address has other methods",
            405,
            "DELETE is not allowed here; expected GET, HEAD, POST",
            "allow",
            *APP_HEADERS,
        ),
        (
            "slowRequest",
            "the request did not arrive in time",
            408,
            "the request's body did not arrive in time",
        ),
        (
            "headersTooLarge",
            "the request's headers are too large",
            431,
            "the request's headers are too large; at most 32,768 bytes are accepted",
        ),
        (
            "serverCloses",
            "the server is shutting down",
            503,
            "the server is shutting down",
            "x-request-id",
        ),
    )
}


def error_answers(
    shown: Mapping[str, Refused],
    headers: Iterable[str] = (),
    label: Callable[[dict[str, Any]], str] = lambda _: "",  # a body of any dialect
) -> dict[int, Answer]:
    """Describe errors by their statuses, together with those of no dialect.

    Args:
        shown: by the names of the examples; one that errors of no dialect have replaces theirs.
        headers: that the dialect describes beside those that all have.
        label: reads from a body what its summary begins with.
    """
    others = {name: each for name, each in _OF_NO_DIALECT.items() if name not in shown}
    by_status: dict[int, list[tuple[str, Refused]]] = {}
    for name, each in {**shown, **others}.items():
        by_status.setdefault(each.response.status_code, []).append((name, each))
    known = (*COMPONENTS["headers"], *headers)
    found = {}
    for status, these in by_status.items():
        owner = max((each.owner for _, each in these), key=len)
        sent = {header for _, each in these for header in each.response.headers}
        if owner:
            sent.update(APP_HEADERS)
        examples = {}
        for name, each in these:
            body = json.loads(bytes(each.response.body))
            examples[name] = Example(label(body) + _sentence([each.when]), body)
        types = tuple(dict.fromkeys(each.type for _, each in these))
        found[status] = Answer(
            name=owner + _NAMES[status],
            description=_sentence(each.when for _, each in these),
            contents=(Content(types, examples),),
            headers=tuple(name for name in known if name in sent),
        )
    return found


def _sentence(clauses: Iterable[str]) -> str:
    """Join clauses, each once."""
    text = "; or ".join(dict.fromkeys(clauses))
    return f"{text[:1].upper()}{text[1:]}."
