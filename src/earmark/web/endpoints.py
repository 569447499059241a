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
            return refuse(error, record_of(request.scope))
        finally:
            held = request.scope.get(HELD_BODY)
            if held is not None:
                held.give_back()

    return answer
