"""What every answer is wrapped in, and the headers that every answer carries."""

import secrets
import uuid
from collections.abc import Mapping
from typing import Generic, TypeVar

import msgspec
from starlette.responses import Response

from earmark.web.responses import json_response

Result = TypeVar("Result")


class ApiError(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of ``errors``.

    Attributes:
        code: Cloudflare's number; clients demand an integer.
        message: for people.
        error_chain: what it came of.
    """

    code: int
    message: str
    error_chain: tuple["ApiError", ...] = ()


class Message(msgspec.Struct, frozen=True):
    """One entry of ``messages``."""

    code: int
    message: str
    type: None = None


class Paging(msgspec.Struct, frozen=True):
    """``result_info`` of a list.

    Attributes:
        count: entries on this page.
        page: from 1.
        per_page: the most on a page.
        total_count: entries on all pages.
    """

    count: int
    page: int
    per_page: int
    total_count: int


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The result where a model was reached and gave none."""


class Envelope(msgspec.Struct, Generic[Result], frozen=True, omit_defaults=True):
    """What every answer is wrapped in.

    Attributes:
        result: of a list its rows, of a model its answer, of an error nothing.
        success: whether it is an answer.
        errors: what is wrong where it is none.
        messages: what is to be said beside it.
        result_info: of a list that has pages.
    """

    # Without defaults: clients expect all four in every answer.
    result: Result
    success: bool
    errors: tuple[ApiError, ...]
    messages: tuple[Message, ...]
    result_info: Paging | None = None


def bare(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer a value without an envelope, marked as Cloudflare's edge marks every answer."""
    marks = {"cf-ray": f"{secrets.token_hex(8)}-LCL", "cache-control": "no-store"}
    return json_response(value, status=status, headers={**(headers or {}), **marks})


def succeeded(
    result: object,
    headers: Mapping[str, str] | None = None,
    *,
    messages: tuple[Message, ...] = (),
    paging: Paging | None = None,
) -> Response:
    """Answer a result."""
    return bare(Envelope(result, True, (), messages, paging), headers=headers)  # noqa: FBT003


def failed(
    error: ApiError,
    *,
    status: int,
    reached_model: bool = False,
    headers: Mapping[str, str] | None = None,
    messages: tuple[Message, ...] = (),
) -> Response:
    """Answer an error; the result is an empty object where a model was reached, else null."""
    result = Nothing() if reached_model else None
    envelope = Envelope(result, False, (error,), messages)  # noqa: FBT003
    return bare(envelope, status=status, headers=headers)


def ai_request_id(request_id: str) -> str:
    """Write a request's id as the UUID that ``cf-ai-req-id`` always is.

    The server's own ids are UUIDs; an id that a caller gave is hashed to a UUID.
    """
    try:
        return str(uuid.UUID(request_id))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, request_id))
