"""What every answer has to be, whatever was asked.

Two sources: the forms of errors that the dialects' own services have, written down here; and the
OpenAPI document, for the status, type and schema of each answer of an address.
"""

import gzip
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec
from fuzz.requests import Asked
from fuzz.values import MARKER
from fuzz.wire import Received

_SERVER_ERRORS: Final = 500
_ALLOWED_SERVER_ERRORS: Final = frozenset({501, 503})
"""501 refuses an unknown transfer coding (RFC 9112, 6.1); 503 comes with a reason, such as a model
that is being loaded."""
_CLIENT_ERRORS: Final = 400

_RERANK: Final = frozenset({"/rerank", "/v1/rerank", "/v2/rerank", "/predict"})
_WORKERS_AI: Final = "/client/v4"
_BINDING: Final = re.compile(r"/client/v4/accounts/[^/]+/ai/run/proxy")
_TRACES: Final = (b"Traceback (most recent", b'  File "', b"site-packages")

_once = frozenset(
    {"content-length", "content-type", "transfer-encoding", "connection", "date", "x-request-id"}
)
"""Headers of which an answer may have one at most."""

_OLD_PACKAGE: Final = b"cf-consn-sdk-version"
"""Header of `@cloudflare/ai`, of which 1.1 gunzips every answer, without a header that says so."""
_GZIP: Final = b"\x1f\x8b"
_TRACE_SHOWN: Final = 1500

_BodyCheck = Callable[[Mapping[str, object]], bool]


def _is_plain(body: Mapping[str, object]) -> bool:
    """Return whether this is ``{"error": "text"}``, the form of the Hugging Face Inference API."""
    return bool(body.get("error")) and isinstance(body["error"], str)


def _is_rerank(body: Mapping[str, object]) -> bool:
    """Return whether this is the form of text-embeddings-inference, with Cohere's `message`."""
    return (
        _is_plain(body)
        and isinstance(body.get("error_type"), str)
        and body.get("message") == body["error"]
    )


def _is_envelope(body: Mapping[str, object]) -> bool:
    """Return whether this is Cloudflare's envelope of a failure."""
    errors = body.get("errors")
    return (
        body.get("success") is False
        and {"result", "messages"} <= body.keys()
        and isinstance(errors, list)
        and bool(errors)
        and all(type(one.get("code")) is int and bool(one.get("message")) for one in errors)
    )


def _is_binding_error(body: Mapping[str, object]) -> bool:
    """Return whether this is what a Worker's binding turns into an exception."""
    return {
        "name",
        "internalCode",
        "httpCode",
        "message",
        "description",
        "requestId",
    } <= body.keys()


def _forms(path: str) -> tuple[_BodyCheck, ...]:
    """Return the forms that an error at a path may have."""
    path = path.rstrip("/")
    if _BINDING.fullmatch(path):
        return (_is_binding_error, _is_envelope)
    if path.startswith(_WORKERS_AI):
        return (_is_envelope,)
    if path in _RERANK:
        return (_is_rerank,)
    # A gateway's addresses are here, and others: a caller without a key learns of none.
    if f"{path}/".startswith("/v1/"):
        return (_is_plain, _is_envelope)
    return (_is_plain,)


def complaints(asked: Asked | None, answer: Received) -> Iterator[str]:
    """List what is wrong with an answer.

    Args:
        asked: the request; None for bytes that need not be one.
        answer: what came.
    """
    if answer.status >= _SERVER_ERRORS and answer.status not in _ALLOWED_SERVER_ERRORS:
        yield f"status {answer.status}: {answer.body[:300]!r}"
    if answer.status >= _CLIENT_ERRORS and any(trace in answer.body for trace in _TRACES):
        yield f"the answer holds a traceback: {answer.body[:300]!r}"
    twice = _once.intersection(answer.repeated)
    if twice:
        yield f"the answer has several headers {', '.join(sorted(twice))}"
    refused = _is_refused_by_the_server(answer)
    if asked is not None and asked.request_id is not None and not refused:
        repeated = answer.headers.get("x-request-id")
        if repeated != asked.request_id:
            yield f"x-request-id is {repeated!r}, and {asked.request_id!r} was sent"
    if asked is not None and asked.method == "HEAD":
        return
    value, problem = _decoded(asked, answer)
    if problem:
        yield problem
        return
    if answer.status >= _CLIENT_ERRORS:
        yield from _misformed(asked, answer, value, refused=refused)
    if asked is not None:
        yield from _undescribed(asked, answer, value)


def _is_refused_by_the_server(answer: Received) -> bool:
    """Return whether the app never saw the request: the server refuses what is no valid HTTP."""
    return (
        answer.status >= _CLIENT_ERRORS and answer.closes and "x-request-id" not in answer.headers
    )


def _decoded(asked: Asked | None, answer: Received) -> tuple[object, str | None]:
    if answer.media_type != "application/json":
        return None, None
    old = asked is not None and any(name == _OLD_PACKAGE for name, _ in asked.headers)
    try:
        body = gzip.decompress(answer.body) if old and answer.body[:2] == _GZIP else answer.body
        return msgspec.json.decode(body), None
    except (msgspec.DecodeError, OSError, EOFError) as error:
        return None, f"the body is no JSON ({error}): {answer.body[:300]!r}"


def _misformed(
    asked: Asked | None, answer: Received, value: object, *, refused: bool
) -> Iterator[str]:
    forms: tuple[_BodyCheck, ...] = (_is_plain,)
    if asked is None:
        forms = (_is_plain, _is_envelope, _is_binding_error)
    elif not refused:
        forms = _forms(asked.target.path)
    if not isinstance(value, dict) or not any(form(value) for form in forms):
        yield f"a {answer.status} in another form ({answer.media_type}): {answer.body[:300]!r}"


def _undescribed(asked: Asked, answer: Received, value: object) -> Iterator[str]:
    operation = asked.target.operation
    if operation is None or operation.answers is None or asked.method != operation.method:
        return
    described = operation.answers.get(answer.status)
    if described is None:
        if answer.status not in _ALLOWED_SERVER_ERRORS:
            yield f"{operation.name} describes no {answer.status}: {answer.body[:300]!r}"
        return
    media_type = answer.media_type.partition(";")[0]
    if media_type not in described.schemas:
        if described.schemas or answer.body:
            yield f"{operation.name} describes no {answer.status} of type {media_type!r}"
        return
    if value is not None:
        complaint = described.complaint(media_type, value)
        if complaint:
            yield f"{operation.name} describes a {answer.status} otherwise: {complaint}"


def logged_faults(events: list[Mapping[str, object]]) -> Iterator[tuple[str, str | None]]:
    """List what a server's log must not hold, each with the id of its request where it has one."""
    for event in events:
        # Names of models are logged, and one may be what a text was moved to.
        shown = repr({name: value for name, value in event.items() if name != "model"})
        request_id = str(event["request_id"]) if "request_id" in event else None
        if event.get("level") in ("error", "critical") or "exception" in event:
            trace = str(event.get("exception", ""))[-_TRACE_SHOWN:]
            yield f"the log has an error: {event.get('event')}\n{trace}".rstrip(), request_id
        elif "plain" in event:
            yield f"the log has a line that is no JSON: {shown[:500]}", request_id
        elif MARKER in shown:
            yield f"the log has a text of a caller: {shown[:500]}", request_id
