"""Headers and errors that the operations of all dialects share, for the OpenAPI document.

The errors come from the connection's guard, before there is a request that has an id; from the app,
where an address has no such method; and from a server that shuts down.
"""

from collections.abc import Mapping
from typing import Final

from earmark.web.openapi import Answer, Content, Example, Header, Json
from earmark.web.responses import ErrorBody

__all__ = [
    "ACCEPT_ENCODING",
    "ALLOW",
    "AUTHENTICATE",
    "COST_HEADERS",
    "EDGE_ERRORS",
    "INVALID_REQUEST",
    "LONG_HEADERS",
    "REQUEST_ID",
    "RETRY_AFTER",
    "SERVER_CLOSES",
    "SLOW_REQUEST",
    "WARNING",
    "WRONG_METHOD",
    "error_content",
]

REQUEST_ID: Final = Header(
    name="x-request-id",
    type=str,
    description="The caller's own where it is visible ASCII of at most 128 characters, else new.",
    example="bf64e82976a648e0a0fb2be1739e5698",
)
RETRY_AFTER: Final = Header(
    name="retry-after", type=int, description="Seconds after which to try again.", example=2
)
ALLOW: Final = Header(
    name="allow", type=str, description="The methods of the address.", example="GET, HEAD, POST"
)
ACCEPT_ENCODING: Final = Header(
    name="accept-encoding",
    type=str,
    description="How a body may be compressed; `zstd` too, where the server's Python has it.",
    example="gzip, deflate, identity",
)
AUTHENTICATE: Final = Header(
    name="www-authenticate", type=str, description="How to send an access key.", example="Bearer"
)


def _header(name: str, of: object, description: str, example: Json) -> Header:
    return Header(name=name, type=of, description=description, example=example)


COST_HEADERS: Final = (
    REQUEST_ID,
    _header("x-compute-model", str, "The model that answered.", "earmark/sentiment"),
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
        "vary",
        str,
        "`Origin`, and `User-Agent` where the form of the answer follows it.",
        "Origin, User-Agent",
    ),
)
"""Headers of a model's answer in every dialect."""

WARNING: Final = Header(
    name="x-hf-warning",
    type=str,
    description=(
        "A parameter that nothing reads, or a doubt about the answer, as `topic; message`; one"
        " line each. With `--strict` a request that has them is a 400."
    ),
    example="parameters topk; `parameters.topk` is not read; did you mean `top_k`?",
)


EDGE_ERRORS: Final[Mapping[int, str]] = {
    400: "the request is not valid HTTP/1.1",
    405: "DELETE is not allowed here; expected GET, HEAD, POST",
    408: "the request's body did not arrive in time",
    431: "the request's headers are too large; at most 32,768 bytes are accepted",
    503: "the server is shutting down",
}
"""Errors that come from no dialect, by status."""


def error_content(text: str, name: str, when: str) -> Content:
    """Show an error as ``{"error": "text"}``.

    Args:
        text: of the error.
        name: of the example.
        when: it comes.
    """
    example = Example(summary=when, value={"error": text})
    return Content(types=(ErrorBody,), examples={name: example})


def _edge(status: int, name: str, when: str, *headers: Header) -> Answer:
    content = error_content(EDGE_ERRORS[status], name[:1].lower() + name[1:], when)
    return Answer(name=name, description=when, contents=(content,), headers=headers)


INVALID_REQUEST: Final = _edge(400, "InvalidRequest", "The request is no HTTP.")
WRONG_METHOD: Final = _edge(405, "WrongMethod", "The address has other methods.", REQUEST_ID, ALLOW)
SLOW_REQUEST: Final = _edge(408, "SlowRequest", "The request did not arrive in time.")
SERVER_CLOSES: Final = _edge(
    503, "ServerCloses", "The server goes down, and waits no longer.", REQUEST_ID
)
LONG_HEADERS: Final = _edge(431, "HeadersTooLarge", "The request's headers are too large.")
