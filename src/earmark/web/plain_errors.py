"""Errors in the default form: one table from error class to status and text.

The form is that of the Hugging Face Inference API, ``{"error": "text"}``.

The statuses are those that the official clients handle best. 400 and never 422, whose text
`huggingface_hub` before 0.29 replaces. 429 and never 503 when there is too much to do: the
JavaScript client from 3.4 on repeats after a 503 at once and without end. 503 is for a model that
is being loaded; requests of that client are held meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from earmark.errors import (
    AccessDenied,
    CapacityError,
    DeadlineExceeded,
    EmptyInput,
    ModelLoading,
    ModelNotLoaded,
    ModelOutOfReach,
    ModelUnavailable,
    RequestError,
    RequestTooLarge,
    ShuttingDown,
    TextFault,
    UnknownModel,
    UnsupportedCoding,
)
from earmark.web.error_forms import (
    coding_headers,
    log_fault,
    logging_faults,
    nearest_form,
    retry_after,
)
from earmark.web.request_log import RequestRecord
from earmark.web.responses import ErrorBody, error_response, json_response

_LONGEST_HEADER = 1000
"""The longest text in a header, in characters; proxies commonly allow 4 to 8 KiB for all headers of
an answer together."""

_INVALID_CREDENTIALS = "Invalid credentials in Authorization header"
"""The Hub's own words. Where ``x-error-message`` holds exactly these, `huggingface_hub` does not
take a 401 of ``/api/models/{id}`` for a model that does not exist."""


@dataclass(frozen=True, slots=True)
class Form:
    """How an error is answered.

    Attributes:
        status: of HTTP.
        text: may hold ``{message}``, the error's own words, ``{model}`` and ``{request_id}``.
    """

    status: int
    text: str = "{message}"


FORMS: Final[dict[type[BaseException], Form]] = {
    RequestError: Form(400),
    AccessDenied: Form(
        401,
        f"{_INVALID_CREDENTIALS}: {{message}}; expected Bearer and an access key of this server",
    ),
    UnknownModel: Form(404),
    RequestTooLarge: Form(413),
    UnsupportedCoding: Form(415),
    CapacityError: Form(429),
    # 503 is safe here: the server has closed its socket, so that no client can repeat without end.
    ShuttingDown: Form(503),
    # Only for clients that did not ask to wait, or have waited: see `clients.expects_to_wait`.
    ModelLoading: Form(503),
    # Likewise, a client that repeats after a 503 at once is held until the Hub may be asked again.
    ModelOutOfReach: Form(503),
    # The Hub's widget looks for these words in an answer of 200; no client treats it as an error.
    ModelNotLoaded: Form(200, "not loaded yet"),
    # The error names the operator's files, so that only the log has it, under the request's id.
    ModelUnavailable: Form(500, "{message}; the server's log says why (request {request_id})"),
    # The first words are the Hub's own: clients match on them.
    DeadlineExceeded: Form(504, "Model {model} time out: {message}"),
    TextFault: Form(500),
    # A fault of the server: only the log has the details, under the request's id.
    BaseException: Form(500, "unknown error (request {request_id})"),
}
"""The nearest class of an error's own line of descent counts."""


def wording(error: BaseException, record: RequestRecord) -> str:
    """Return the text of an error for the client, and log a fault of the server.

    Args:
        error: what went wrong.
        record: names the request and its model.
    """
    log_fault(FORMS, error, record)
    return _words(error, record)


def _words(error: BaseException, record: RequestRecord) -> str:
    text = nearest_form(FORMS, error).text
    return text.format(message=error, model=record.model, request_id=record.request_id)


def error_answer(error: BaseException, record: RequestRecord) -> Response:
    """Answer an error; `refusal` logs it as well.

    Args:
        error: what went wrong.
        record: names the request and its model.
    """
    form, text = nearest_form(FORMS, error), _words(error, record)
    headers = error_headers(text) | coding_headers(error)
    if isinstance(error, AccessDenied):
        # RFC 9110, section 11.6.1: every 401 names the scheme.
        headers |= {"x-error-message": _INVALID_CREDENTIALS, "www-authenticate": "Bearer"}
    if isinstance(error, CapacityError) and form.status in (429, 503):
        headers["retry-after"] = retry_after(error)
    if isinstance(error, ModelLoading):
        estimate = {"error": text, "estimated_time": round(error.estimated_time_s, 1)}
        return json_response(estimate, status=form.status, headers=headers)
    if isinstance(error, EmptyInput):
        return json_response(ErrorBody(text, error_type="Empty"), status=400, headers=headers)
    return error_response(form.status, text, headers=headers)


refusal: Final = logging_faults(FORMS, error_answer)
"""Answers an error, and logs it with its traceback where it is ours."""


def error_headers(text: str) -> dict[str, str]:
    """Repeat an error's text as ``x-error-message``, where a header can carry it unchanged.

    `huggingface_hub` prints the header before the body's text and drops one of two equal ones, so
    a text that would have to be altered is better left out.
    """
    carried = text.isascii() and text.isprintable() and len(text) <= _LONGEST_HEADER
    return {"x-error-message": text} if carried else {}


def no_such_address(asked: str, hint: str) -> Response:
    """Answer an unknown address.

    Args:
        asked: method and path.
        hint: which address may have been meant.
    """
    return error_response(404, f"nothing is served at {asked}; {hint}")


def no_such_method(method: str, allowed: Sequence[str]) -> Response:
    """Answer a method that an address does not have (RFC 9110, section 15.5.6)."""
    listed = ", ".join(allowed)
    text = f"{method} is not allowed here; expected {listed}"
    return error_response(405, text, headers={"allow": listed})
