"""The addresses of this dialect and what answers them."""

from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from earmark.domain.results import Classification, Relevance
from earmark.errors import UnknownModel
from earmark.serving.preferences import Preferences
from earmark.serving.service import Service
from earmark.tasks.task import TaskName
from earmark.web.access import AccessForm, read_bearer
from earmark.web.body import decode_json, read_body
from earmark.web.dialects.rerank import cohere, text_embeddings_inference
from earmark.web.dialects.rerank.errors import refusal
from earmark.web.endpoints import endpoint
from earmark.web.exchange import Exchange
from earmark.web.leaving import while_connected
from earmark.web.origin import asked_here
from earmark.web.request_log import record_of
from earmark.web.responses import json_response

__all__ = ["RerankDialect"]

_RERANK: Final = ("/rerank", "/v1/rerank", "/v2/rerank")
"""The last two are where Cohere's and Jina's own clients look below their base address."""

_PREDICT: Final = "/predict"

_AnyExchange: TypeAlias = Exchange[Relevance] | Exchange[Classification]
_Opener: TypeAlias = Callable[[bytes], tuple[_AnyExchange, str | None]]


class _Peeked(msgspec.Struct, frozen=True):
    documents: msgspec.Raw = msgspec.Raw()


_peeked = msgspec.json.Decoder(_Peeked)


class RerankDialect:
    """Reranking and classification, as other servers have them, over a service."""

    def __init__(self, service: Service, *, max_body_bytes: int) -> None:
        """Speak for a service; longer bodies are refused."""
        self._service = service
        self._max_body_bytes = max_body_bytes

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            *(
                Route(address, endpoint(self._rerank, refusal), methods=["POST"])
                for address in _RERANK
            ),
            Route(_PREDICT, endpoint(self._predict, refusal), methods=["POST"]),
        ]

    def access_forms(self) -> list[AccessForm]:
        """Tell how this dialect's callers present a key and are refused."""
        return [
            AccessForm(
                prefix=address,
                read=read_bearer,
                is_open=lambda _: False,
                refuse=lambda error, scope: refusal(error, record_of(scope)),
            )
            for address in (*_RERANK, _PREDICT)
        ]

    async def _rerank(self, request: Request) -> Response:
        return await self._answer(request, _open_rerank, "text-ranking")

    async def _predict(self, request: Request) -> Response:
        opener = text_embeddings_inference.open_predict
        return await self._answer(request, opener, "text-classification")

    async def _answer(self, request: Request, read: _Opener, task: TaskName) -> Response:
        exchange, named = read(await read_body(request, max_bytes=self._max_body_bytes))
        model_id = named or self._only_model(task)
        await self._service.discover(
            model_id, here=asked_here(request.headers), preferences=Preferences(wait=True)
        )
        record = record_of(request.scope)
        record.model = self._service.status(model_id).info.model_id
        record.texts = exchange.request.items
        answer = exchange.carry_out(self._service, model_id, Preferences(wait=True))
        carried = await while_connected(request, answer)
        return json_response(carried.body, headers=carried.headers)

    def _only_model(self, task: TaskName) -> str:
        """Find the model that is meant where none is named.

        Raises:
            UnknownModel: no model, or more than one, does the task.
        """
        served = [each.info for each in self._service.statuses()]
        made_for = [info.model_id for info in served if info.task == task]
        able = made_for or [info.model_id for info in served if task in info.tasks]
        if len(able) == 1:
            return able[0]
        if not able:
            raise UnknownModel(f"no model served here does {task}")
        raise UnknownModel(
            f"{len(able)} models served here do {task}; name one of them in `model`:"
            f" {', '.join(able[:10])}"
        )


def _open_rerank(body: bytes) -> tuple[Exchange[Relevance], str | None]:
    """Read either form: `documents` are Cohere's and Jina's, `texts` those of the other."""
    if bytes(decode_json(body, _peeked).documents):
        return cohere.open_rerank(body)
    return text_embeddings_inference.open_rerank(body)
