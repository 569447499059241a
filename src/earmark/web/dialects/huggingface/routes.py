"""The addresses of this dialect and what answers them."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from earmark.serving.service import Service
from earmark.web.body import read_body
from earmark.web.dialects.huggingface import describe
from earmark.web.dialects.huggingface.errors import refusal
from earmark.web.dialects.huggingface.render import render_text_classification
from earmark.web.dialects.huggingface.schema import decode_text_classification
from earmark.web.leaving import while_connected
from earmark.web.request_log import record_of

__all__ = ["HuggingFaceDialect"]

_Handler: TypeAlias = Callable[[Request], Awaitable[Response]]

_ACTIONS = frozenset({"health", "info"})

_CLIENT_CLOSED_REQUEST = 499
"""nginx's number for an answer that nobody waits for; only the log ever sees it."""


class HuggingFaceDialect:
    """The Hugging Face Inference API over a service."""

    def __init__(self, service: Service, *, max_body_bytes: int, version: str) -> None:
        """Speak for a service.

        Args:
            service: what answers.
            max_body_bytes: longer bodies are refused.
            version: of earmark, as `info` tells it.
        """
        self._service = service
        self._max_body_bytes = max_body_bytes
        self._version = version

    def routes(self) -> list[Route]:
        """List the addresses, as in `describe.ADDRESSES`.

        A model id has one segment or more and may come with its slash as ``%2F``: both look alike
        in ``scope["path"]``, which is what the router reads.
        """
        return [
            Route("/models/{path:path}", _answered(self._classify), methods=["POST"]),
            Route("/models/{path:path}", _answered(self._describe), methods=["GET"]),
            Route("/", _answered(self._classify), methods=["POST"]),
            Route("/", _answered(self._index), methods=["GET"]),
            Route("/health", _answered(self._health), methods=["GET"]),
            Route("/info", _answered(self._info), methods=["GET"]),
        ]

    async def _answer(self, request: Request) -> Response:
        path: str = request.path_params.get("path", "")
        # Some clients are given an address that ends in a slash.
        address = self._service.models.split_task(path.rstrip("/"))
        info = self._service.status(address.model_id).info
        record = record_of(request.scope)
        record.model = info.model_id
        body = await read_body(request, max_bytes=self._max_body_bytes)
        task = address.task or asked_task(body, info)
        client = request.headers.get("user-agent", "")
        exchange = EXCHANGES[task](body, client, self._options)
        record.texts = exchange.request.items
        answering = self._service.answer(info.model_id, exchange.request)
        served = await while_connected(request, answering)
        return render(exchange, served)

    async def _describe(self, request: Request) -> Response:
        path: str = request.path_params["path"]
        model_id, action = self._service.models.split(path.rstrip("/"), actions=_ACTIONS)
        status = self._service.status(model_id)
        record_of(request.scope).model = model_id
        match action:
            case "health":
                return describe.health([status])
            case "info":
                limit = self._service.options.max_inputs
                return describe.model_info(status, max_inputs=limit, version=self._version)
            case _:
                return describe.model_card(status)

    async def _index(self, _: Request) -> Response:
        return describe.index(self._service.statuses(), version=self._version)

    async def _health(self, _: Request) -> Response:
        return describe.health(self._service.statuses())

    async def _info(self, _: Request) -> Response:
        limit = self._service.options.max_inputs
        status = self._service.status(None)
        return describe.model_info(status, max_inputs=limit, version=self._version)


def _answered(handler: _Handler) -> _Handler:
    """Let every error of a handler become an answer of this dialect."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except ClientDisconnect:
            return Response(status_code=_CLIENT_CLOSED_REQUEST)
        except Exception as error:  # noqa: BLE001 - `refusal` logs what is not the client's doing
            return refusal(error, record_of(request.scope))

    return endpoint
