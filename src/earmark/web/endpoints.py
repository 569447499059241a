"""The frame around every handler: exactly one answer, in the dialect's own form."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from earmark.serving.service import STOPS
from earmark.web.body import HELD_BODY
from earmark.web.request_log import RequestRecord, record_of

__all__ = ["Handler", "Refusal", "endpoint"]

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
Refusal: TypeAlias = Callable[[BaseException, RequestRecord], Response]
"""Answers an error in the form of a dialect, and logs what is not the client's doing."""

_CLIENT_CLOSED_REQUEST: Final = 499
"""nginx's number for an answer that nobody waits for; only the log ever sees it."""

_MOST_CAUSES: Final = 8
"""Errors that an error is looked through for: what it came of, and what that came of."""


def endpoint(handler: Handler, refuse: Refusal) -> Handler:
    """Let every error of a handler become an answer."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except ClientDisconnect:
            return Response(status_code=_CLIENT_CLOSED_REQUEST)
        except STOPS:
            raise
        except BaseException as error:  # noqa: BLE001 - `refuse` logs it where it is ours
            told = refuse(error, record_of(request.scope))
            _let_go(error)
            return told
        finally:
            held = request.scope.get(HELD_BODY)
            if held is not None:
                held.give_back()

    return answer


def _let_go(error: BaseException | None) -> None:
    """Forget where an error was raised, now that it has been told.

    A frame there may hold the error, as that of a text among others: only Python's collector, which
    stops everything, would free such a ring.
    """
    for _ in range(_MOST_CAUSES):
        if error is None:
            return
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
