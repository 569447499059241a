"""What the dialects share to turn an error into an answer."""

import math
from collections.abc import Mapping
from typing import TypeVar

import structlog

from earmark.errors import CapacityError, ModelUnavailable, UnsupportedCoding
from earmark.web.request_log import RequestRecord

__all__ = ["coding_headers", "log_fault", "nearest_form", "retry_after"]

Form = TypeVar("Form")


def nearest_form(forms: Mapping[type[BaseException], Form], error: BaseException) -> Form:
    """Find the form of an error by walking up its classes; `forms` has one for `BaseException`."""
    return next(forms[kind] for kind in type(error).__mro__ if kind in forms)


def log_fault(
    log: structlog.typing.FilteringBoundLogger, error: BaseException, record: RequestRecord
) -> None:
    """Log an error whose details the client does not get, with a traceback if it may be our fault.

    For a model that cannot be loaded, the reason was logged when the load was tried.
    """
    if isinstance(error, ModelUnavailable):
        told = str(error.__cause__ or error)
        log.warning(
            "a model cannot be had", request_id=record.request_id, model=record.model, error=told
        )
    else:
        log.error("fault", request_id=record.request_id, model=record.model, exc_info=error)


def retry_after(error: CapacityError) -> str:
    """Write when to try again as HTTP's ``Retry-After``: whole seconds, at least 1."""
    return str(max(1, math.ceil(error.retry_after_s)))


def coding_headers(error: BaseException) -> dict[str, str]:
    """Name the codings that are accepted, where an error is about them (RFC 9110, 15.5.16)."""
    if not isinstance(error, UnsupportedCoding):
        return {}
    return {"accept-encoding": ", ".join(error.accepted)}
