"""What the dialects share to turn an error into an answer."""

import math
from collections.abc import Mapping
from typing import Final, Protocol, TypeVar

import structlog
from starlette.responses import Response

from earmark.errors import CapacityError, ModelUnavailable, StateUnavailable, UnsupportedCoding
from earmark.web.endpoints import Refusal
from earmark.web.request_log import RequestRecord

Form = TypeVar("Form")

_FAULT: Final = 500
"""The status of what is ours to mend."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.web")


class HasStatus(Protocol):
    """A row of a dialect's table of errors."""

    @property
    def status(self) -> int:
        """The status of HTTP that its errors are answered with."""
        ...


def nearest_form(forms: Mapping[type[BaseException], Form], error: BaseException) -> Form:
    """Find the form of an error by walking up its classes; `forms` has one for `BaseException`."""
    return next(forms[kind] for kind in type(error).__mro__ if kind in forms)


def logging_faults(forms: Mapping[type[BaseException], HasStatus], answer: Refusal) -> Refusal:
    """Make a refusal of a dialect's answer to errors: one that logs what is ours to mend."""

    def refuse(error: BaseException, record: RequestRecord) -> Response:
        log_fault(forms, error, record)
        return answer(error, record)

    return refuse


def log_fault(
    forms: Mapping[type[BaseException], HasStatus], error: BaseException, record: RequestRecord
) -> None:
    """Log what the log alone says of an error; with a traceback where it may be a fault of ours.

    For a model that cannot be loaded, the reason was logged when the load was tried.
    """
    if nearest_form(forms, error).status != _FAULT:
        return
    if isinstance(error, ModelUnavailable):
        reason = str(error.__cause__ or error)
        _log.warning(
            "a model cannot be had", request_id=record.request_id, model=record.model, error=reason
        )
    elif isinstance(error, StateUnavailable):  # the operator's, such as a full disk
        _log.error("fault", request_id=record.request_id, model=record.model, error=str(error))
    else:
        _log.error("fault", request_id=record.request_id, model=record.model, exc_info=error)


def retry_after(error: CapacityError) -> str:
    """Write when to try again as HTTP's ``Retry-After``: whole seconds, at least 1."""
    return str(max(1, math.ceil(error.retry_after_s)))


def coding_headers(error: BaseException) -> dict[str, str]:
    """Name the codings that are accepted, where an error is about them (RFC 9110, 15.5.16)."""
    if not isinstance(error, UnsupportedCoding):
        return {}
    return {"accept-encoding": ", ".join(error.accepted)}
