"""Wraps every handler, so that each request gets exactly one answer, in the dialect's form."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from earmark.serving.service import STOPS
from earmark.web.body import HELD_BODY
from earmark.web.request_log import RequestRecord, record_of

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
Refusal: TypeAlias = Callable[[BaseException, RequestRecord], Response]
"""Answers an error in the form of a dialect, and logs one that the client did not cause."""

_CLIENT_CLOSED_REQUEST: Final = 499
"""nginx's status for a request whose client has left; only the log has it."""

_MOST_CAUSES: Final = 8
"""The most causes that are followed from an error."""


def endpoint(handler: Handler, refuse: Refusal) -> Handler:
    """Turn every error of a handler into an answer."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except ClientDisconnect:
            return Response(status_code=_CLIENT_CLOSED_REQUEST)
        except STOPS:
            raise
        except BaseException as error:  # noqa: BLE001 - `refuse` logs it where it is ours
            refusal = refuse(error, record_of(request.scope))
            _let_go(error)
            return refusal
        finally:
            held = request.scope.get(HELD_BODY)
            if held is not None:
                held.give_back()

    return answer


def _let_go(error: BaseException | None) -> None:
    """Drop the traceback of an error that has been answered.

    A frame in it may hold the error, such as the error of one text of many: only Python's garbage
    collector, which stops every thread, would free such a cycle.
    """
    for _ in range(_MOST_CAUSES):
        if error is None:
            return
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
