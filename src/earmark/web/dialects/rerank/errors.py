"""Errors of text-embeddings-inference and of Cohere, in one body that the clients of both read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from starlette.responses import Response

from earmark.errors import (
    AccessDenied,
    CapacityError,
    DeadlineExceeded,
    EmptyInput,
    ModelOutOfReach,
    ModelUnavailable,
    RequestError,
    RequestTooLarge,
    ShuttingDown,
    TextFault,
    UnknownModel,
    UnreadInput,
    UnsupportedCoding,
)
from earmark.web.error_forms import coding_headers, logging_faults, nearest_form, retry_after
from earmark.web.request_log import RequestRecord
from earmark.web.responses import json_response

_FAULT = 500


@dataclass(frozen=True, slots=True)
class Form:
    """How an error is answered.

    Attributes:
        status: of HTTP.
        kind: ``error_type`` of text-embeddings-inference.
        text: may hold ``{message}``, the error's own words, and ``{request_id}``.
    """

    status: int
    kind: str
    text: str = "{message}"


FORMS: Final[dict[type[BaseException], Form]] = {
    # 422, as text-embeddings-inference and Cohere answer.
    RequestError: Form(422, "Validation"),
    # 400, as in every dialect here, and as Cohere answers a parameter that it does not know.
    UnreadInput: Form(400, "Validation"),
    EmptyInput: Form(400, "Empty"),
    AccessDenied: Form(
        401,
        "Unauthorized",
        "{message}; expected Bearer and an access key of this server in the Authorization header",
    ),
    UnknownModel: Form(404, "Validation"),
    RequestTooLarge: Form(413, "Validation"),
    UnsupportedCoding: Form(415, "Validation"),
    CapacityError: Form(429, "Overloaded"),
    ShuttingDown: Form(503, "Unhealthy"),
    ModelOutOfReach: Form(503, "Unhealthy"),
    DeadlineExceeded: Form(504, "Overloaded"),
    ModelUnavailable: Form(
        _FAULT, "Backend", "{message}; the server's log says more (request {request_id})"
    ),
    TextFault: Form(_FAULT, "Backend"),
    BaseException: Form(_FAULT, "Backend", "unknown error (request {request_id})"),
}
"""The nearest class of an error's own line of descent counts."""


class RerankError(msgspec.Struct, frozen=True):
    """An error: Cohere's clients read `message`, those of text-embeddings-inference the rest."""

    error: str
    error_type: str
    message: str


def error_answer(error: BaseException, record: RequestRecord) -> Response:
    """Answer an error; `refusal` logs it as well."""
    form = nearest_form(FORMS, error)
    text = form.text.format(message=error, request_id=record.request_id)
    headers = coding_headers(error)
    if isinstance(error, AccessDenied):
        # RFC 9110, section 11.6.1: every 401 names the scheme.
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, CapacityError):
        headers["retry-after"] = retry_after(error)
    return json_response(RerankError(text, form.kind, text), status=form.status, headers=headers)


refusal: Final = logging_faults(FORMS, error_answer)
"""Answers an error, and logs it with its traceback where it is ours."""


def no_such_method(method: str, allowed: Sequence[str]) -> Response:
    """Answer a method that an address does not have (RFC 9110, section 15.5.6)."""
    listed = ", ".join(allowed)
    text = f"{method} is not allowed here; expected {listed}"
    return json_response(
        RerankError(text, "Validation", text), status=405, headers={"allow": listed}
    )
