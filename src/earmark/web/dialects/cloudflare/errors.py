"""Errors in the form of this dialect: codes, statuses and messages of Workers AI.

The statuses are those of Cloudflare's table. Its clients repeat a request after 408, 409, 429 and
every status from 500 on, twice, and wait at most a minute between. An answer that will not change
carries ``x-should-retry: false``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from starlette.responses import Response

from earmark.errors import (
    CapacityError,
    DeadlineExceeded,
    InvalidInput,
    ModelOutOfReach,
    ModelUnavailable,
    RequestError,
    RequestTooLarge,
    TextFault,
    UnknownModel,
    UnsupportedCoding,
    UnusableModel,
)
from earmark.web.dialects.cloudflare.envelope import ApiError, Message, ai_request_id, bare, failed
from earmark.web.error_forms import coding_headers, logging_faults, nearest_form, retry_after
from earmark.web.request_log import RequestRecord

_LONGEST_RETRY_S = 60
"""The longest wait that is suggested: the Python client ignores a longer one, and the JavaScript
client waits however long it is."""

_INVALID = 400
_FAULT = 500


@dataclass(frozen=True, slots=True)
class Form:
    """How an error is answered.

    Attributes:
        status: of HTTP.
        code: Cloudflare's number.
        name: what the message begins with; empty where there is nothing to add.
        text: may hold ``{message}``, the error's own words.
    """

    status: int
    code: int
    name: str
    text: str = "{message}"


FORMS: Final[dict[type[BaseException], Form]] = {
    RequestError: Form(400, 5006, "Bad input: Error"),
    InvalidInput: Form(400, 5006, "Bad input: Error"),
    UnknownModel: Form(400, 5007, "No such model"),
    UnusableModel: Form(400, 5007, "No such model"),
    # Not 3040: no model is busy, and clients that try again twice within seconds gain nothing.
    ModelOutOfReach: Form(400, 5007, "No such model"),
    RequestTooLarge: Form(413, 3006, "Request is too large"),
    UnsupportedCoding: Form(415, 5006, "Bad input: Error"),
    CapacityError: Form(429, 3040, "Capacity temporarily exceeded, please try again."),
    DeadlineExceeded: Form(408, 3007, "Request timeout"),
    ModelUnavailable: Form(_FAULT, 5000, "Internal error"),
    TextFault: Form(_FAULT, 5000, "Internal error"),
    BaseException: Form(_FAULT, 5000, "Internal error", "unknown error"),
}
"""The nearest class of an error's own line of descent counts. 5000 is ours: Cloudflare's table has
no number for a fault of the server."""


class BindingError(msgspec.Struct, frozen=True, rename="camel"):
    """What the binding of a Worker turns into an exception."""

    name: str
    internal_code: int
    http_code: int
    message: str
    description: str
    request_id: str


def api_error(error: BaseException) -> ApiError:
    """Put an error into a code and a message, as for one input of a batch."""
    form = nearest_form(FORMS, error)
    return ApiError(form.code, f"AiError: {form.name}: {form.text.format(message=error)}")


def rest_answer(error: BaseException, record: RequestRecord) -> Response:
    """Answer an error of a model, or on the way to one, over REST."""
    form, description, ai_id = _described(error, record)
    message = f"AiError: {description} ({ai_id})"
    headers = {"cf-ai-req-id": ai_id, **_retry_headers(form, error)}
    error_told = ApiError(form.code, message)
    return failed(error_told, status=form.status, reached_model=True, headers=headers)


def binding_answer(error: BaseException, record: RequestRecord) -> Response:
    """Answer the same to a binding, which has no envelope."""
    form, description, ai_id = _described(error, record)
    body = BindingError(
        "AiError", form.code, form.status, f"AiError: {description} ({ai_id})", description, ai_id
    )
    headers = {"cf-ai-req-id": ai_id, **_retry_headers(form, error)}
    return bare(body, status=form.status, headers=headers)


def edge_answer(error: BaseException, record: RequestRecord) -> Response:
    """Answer an error of an address that reaches no model."""
    form, description, _ = _described(error, record)
    headers = _retry_headers(form, error)
    return failed(ApiError(form.code, description), status=form.status, headers=headers)


def no_such_route(hint: str) -> Response:
    """Answer an unknown address in Cloudflare's words, with a hint."""
    error = ApiError(7000, "No route for that URI")
    return failed(error, status=400, messages=(Message(error.code, hint),))


def no_such_method(method: str, allowed: Sequence[str]) -> Response:
    """Answer a method that an address does not have."""
    error = ApiError(7001, f"Method {method} not available for that URI.")
    return failed(error, status=405, headers={"allow": ", ".join(allowed)})


def _described(error: BaseException, record: RequestRecord) -> tuple[Form, str, str]:
    """Find an error's form and words, and the request's id."""
    form = nearest_form(FORMS, error)
    text = form.text.format(message=error)
    return form, f"{form.name}: {text}", ai_request_id(record.request_id)


def _retry_headers(form: Form, error: BaseException) -> dict[str, str]:
    if form.status == _FAULT:
        return {"x-should-retry": "false"}
    if not isinstance(error, CapacityError) or form.status == _INVALID:
        return coding_headers(error)
    return {"retry-after": str(min(int(retry_after(error)), _LONGEST_RETRY_S))}


rest_refusal: Final = logging_faults(FORMS, rest_answer)
binding_refusal: Final = logging_faults(FORMS, binding_answer)
edge_refusal: Final = logging_faults(FORMS, edge_answer)
"""The same answers; each logs an error with its traceback where it is ours."""
