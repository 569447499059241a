"""The table from error class to status and text."""

import inspect
import json

import pytest
from structlog.testing import capture_logs

from earmark import errors
from earmark.errors import (
    AccessDenied,
    CapacityError,
    CheckpointError,
    DeadlineExceeded,
    EarmarkError,
    EngineError,
    InvalidInput,
    NonFiniteScore,
    QueueFull,
    RequestTooLarge,
    ShuttingDown,
    UnknownModel,
    UnsupportedTask,
    UnusableModel,
)
from earmark.web.error_forms import nearest_form
from earmark.web.plain_errors import FORMS, error_headers, refusal
from earmark.web.request_log import RequestRecord

_RECORD = RequestRecord("r1", model="org/name")
_NO_KEY = (
    "Invalid credentials in Authorization header: no; expected Bearer and an access key of this"
    " server"
)


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (InvalidInput("no"), 400, "no"),
        (UnsupportedTask("no"), 400, "no"),
        (UnusableModel("no"), 400, "no"),
        (
            AccessDenied("no"),
            401,
            _NO_KEY,
        ),
        (UnknownModel("no"), 404, "no"),
        (RequestTooLarge("no"), 413, "no"),
        (QueueFull("no"), 429, "no"),
        (CapacityError("no"), 429, "no"),
        (ShuttingDown("no"), 503, "no"),
        (DeadlineExceeded("no"), 504, "Model org/name time out: no"),
        (NonFiniteScore("no"), 500, "no"),
        (EngineError("secret"), 500, "unknown error (request r1)"),
        (CheckpointError("secret"), 500, "unknown error (request r1)"),
        (ZeroDivisionError("secret"), 500, "unknown error (request r1)"),
    ],
)
def test_each_error_has_its_status_and_text(error: Exception, status: int, text: str) -> None:
    """Each error has its status; errors of the server hide their details from the client."""
    answer = refusal(error, _RECORD)
    assert (answer.status_code, json.loads(bytes(answer.body))) == (status, {"error": text})
    assert answer.headers["content-type"] == "application/json"


_TREE = sorted(
    name
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, EarmarkError)
)


@pytest.mark.parametrize("name", _TREE)
def test_no_error_of_the_tree_is_without_a_form(name: str) -> None:
    """Every error class has a form, none with 422, and only the widget's refusal with 200."""
    kind = getattr(errors, name)
    assert inspect.isclass(kind)
    assert issubclass(kind, EarmarkError)
    status = nearest_form(FORMS, kind("x")).status
    usual = {400, 401, 404, 413, 415, 429, 500, 503, 504}
    assert status in ({200} if kind is errors.ModelNotLoaded else usual)
    told_to_wait = (ShuttingDown, errors.ModelLoading, errors.ModelOutOfReach)
    assert (status == 503) == issubclass(kind, told_to_wait)


@pytest.mark.parametrize(("retry_after_s", "expected"), [(0.01, "1"), (2.2, "3"), (60.0, "60")])
def test_overload_says_when_to_come_back(retry_after_s: float, expected: str) -> None:
    """`Retry-After` of an overload is in whole seconds, rounded up, and never 0."""
    answer = refusal(QueueFull("no", retry_after_s=retry_after_s), _RECORD)
    assert answer.headers["retry-after"] == expected


def test_only_overload_says_when_to_come_back() -> None:
    """Errors that do not go away by waiting have no `Retry-After`."""
    assert "retry-after" not in refusal(InvalidInput("no"), _RECORD).headers


def test_a_refusal_of_access_names_the_scheme_and_says_what_the_hub_says() -> None:
    """`huggingface_hub` compares this header with the Hub's words for equality."""
    headers = refusal(AccessDenied("no"), _RECORD).headers
    assert headers["www-authenticate"] == "Bearer"
    assert headers["x-error-message"] == "Invalid credentials in Authorization header"


def test_what_is_ours_is_logged_with_its_traceback() -> None:
    """An error of the server is logged with its traceback and the id that the client got."""
    fault = ZeroDivisionError("secret")
    with capture_logs() as lines:
        refusal(fault, _RECORD)
    (line,) = lines
    assert (line["request_id"], line["model"], line["exc_info"]) == ("r1", "org/name", fault)


def test_what_is_the_clients_is_not_logged_as_a_fault() -> None:
    """An error that the client caused is not logged as a fault."""
    with capture_logs() as lines:
        refusal(InvalidInput("no"), _RECORD)
    assert lines == []


def test_an_error_text_is_repeated_in_a_header() -> None:
    """A text that fits a header unchanged is repeated in `x-error-message`."""
    assert error_headers("no {x}") == {"x-error-message": "no {x}"}


@pytest.mark.parametrize("text", ["caf\xe9", "two\nlines", "bell\x07", "x" * 1001])
def test_a_text_that_no_header_can_carry_is_left_out_of_it(text: str) -> None:
    """A text that no header can carry unchanged is not in `x-error-message`."""
    assert error_headers(text) == {}
