"""Gives every request an id, a log line, and an answer even where our own code fails."""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from earmark.serving.service import STOPS
from earmark.web.responses import error_response

_SCOPE_KEY = "earmark.record"

_LONGEST_ID = 128
"""The longest request id of a caller that is kept."""

_LONGEST_PATH = 200
"""The most characters of a path in the log: a path may hold kilobytes."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.web")


@dataclass(slots=True)
class RequestRecord:
    """What the log says about a request; the code that first knows a value sets it.

    Attributes:
        request_id: the caller's ``x-request-id`` where it is sane, else made here.
        model: the model asked, once it is known to be served.
        texts: how many texts were sent, once they are decoded. The texts are never logged.
        key: public id of the access key that let the caller in; None where none was needed. The
            key itself is never logged.
    """

    request_id: str
    model: str | None = None
    texts: int = 0
    key: str | None = None


def record_of(scope: Scope) -> RequestRecord:
    """Return the record that `RequestLog` put into the scope."""
    record: RequestRecord = scope[_SCOPE_KEY]
    return record


class RequestLog:
    """ASGI middleware that logs every request; the outermost one."""

    def __init__(self, app: ASGIApp, *, clock: Callable[[], float] = time.perf_counter) -> None:
        """Wrap an app; `clock` counts seconds."""
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record = scope[_SCOPE_KEY] = RequestRecord(_request_id(scope["headers"]))
        id_header = (b"x-request-id", record.request_id.encode("ascii"))
        started_s = self._clock()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], id_header]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except asyncio.CancelledError:
            # The server shuts down; an answer that has not begun can still be sent.
            if not status:
                answer = error_response(503, "the server is shutting down")
                await answer(scope, receive, send_with_id)
            raise
        except STOPS:
            raise
        except BaseException as fault:
            _log.error("fault", request_id=record.request_id, exc_info=fault)
            if status:
                raise  # the answer has begun: only the server can cut it short
            text = f"unknown error (request {record.request_id})"
            await error_response(500, text)(scope, receive, send_with_id)
        finally:
            _log.info(
                "request",
                method=scope["method"],
                path=scope["path"][:_LONGEST_PATH],
                status=status,
                ms=round((self._clock() - started_s) * 1000, 1),
                model=record.model,
                texts=record.texts,
                request_id=record.request_id,
                **({"key": record.key} if record.key else {}),
            )


def _request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    given = next((value for name, value in headers if name == b"x-request-id"), b"")
    if 0 < len(given) <= _LONGEST_ID and all(0x21 <= byte <= 0x7E for byte in given):  # noqa: PLR2004 - "!" to "~": visible ASCII
        return given.decode("ascii")
    return uuid.uuid4().hex
