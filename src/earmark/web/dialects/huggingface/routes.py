"""The addresses of this dialect and what answers them."""

from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from earmark.serving.service import Call
from earmark.serving.status import ServedStatus
from earmark.web.body import ParsedBody, given_members, read_beside, read_body
from earmark.web.calls import open_call
from earmark.web.dialect import Dialect, DialectParts
from earmark.web.dialects.huggingface import lookups
from earmark.web.dialects.huggingface.clients import name_of_caller
from earmark.web.dialects.huggingface.exchanges import (
    OPENERS,
    AnyExchange,
    Reader,
    answered,
    asked_task,
    task_named,
)
from earmark.web.dialects.huggingface.operations import COMPONENTS, OPERATIONS
from earmark.web.dialects.huggingface.preferences import read_preferences
from earmark.web.dialects.huggingface.text_ranking import asks_ranking
from earmark.web.dialects.huggingface.unread import doubts_about
from earmark.web.disconnect import while_connected
from earmark.web.endpoints import endpoint
from earmark.web.plain_errors import refusal
from earmark.web.request_log import record_of
from earmark.web.unread import Doubt, refuse_doubts

_ASKING_ADDRESSES = (
    "/",
    "/models/{path:path}",
    "/pipeline/{task}/{path:path}",
    "/hf-inference/models/{path:path}",
    "/hf-inference/pipeline/{task}/{path:path}",
    "/api/inference-proxy/hf-inference/models/{path:path}",
)
"""Addresses that clients of all versions post to; one of a model may also end in
``/pipeline/{task}``."""

_TASK = "/pipeline/"
"""What a task follows in an address. One that begins so is of `InferenceApi` of `huggingface_hub`
before 1.0, which returns the whole answer."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that has been read, the call that carries it out, and the doubts about it."""

    exchange: AnyExchange
    call: Call
    doubts: tuple[Doubt, ...]


class HuggingFaceDialect(Dialect):
    """The Hugging Face Inference API over a service."""

    operations = OPERATIONS
    components = COMPONENTS

    def __init__(self, parts: DialectParts) -> None:
        """Speak for a service."""
        self._service, self._options = parts.service, parts.options

    def routes(self) -> list[Route]:
        """List the addresses.

        A model id has one segment or more and may come with its slash as ``%2F``: both look alike
        in ``scope["path"]``, which is what the router reads.
        """
        return [
            *(
                Route(address, endpoint(self._answer, refusal), methods=["POST"])
                for address in _ASKING_ADDRESSES
            ),
            Route("/status/{path:path}", endpoint(self._status, refusal), methods=["GET"]),
            Route("/framework/{name}", endpoint(self._framework, refusal), methods=["GET"]),
            Route("/api/tasks", endpoint(self._hub_tasks, refusal), methods=["GET"]),
            Route("/api/models/{path:path}", endpoint(self._hub_model, refusal), methods=["GET"]),
        ]

    async def _answer(self, request: Request) -> Response:
        path: str | None = request.path_params.get("path")
        named: str | None = request.path_params.get("task")
        most = self._options.max_body_bytes
        if path is None:
            raw = await read_body(request, max_bytes=most)
            body = await read_beside(raw, partial(ParsedBody.of, raw))
            call = await self._open(request, self._meant(ranks=asks_ranking(body.value)))
        else:
            if named is None and _TASK in path and not self._service.models.knows(path):
                path, _, named = path.rpartition(_TASK)
            # Before the body is read: a caller who names an unknown model need not send one.
            call = await self._open(request, path)
            raw = await read_body(request, max_bytes=most)
            body = await read_beside(raw, partial(ParsedBody.of, raw))
        asked = await read_beside(raw, partial(self._read, request, body, call, named))
        record_of(request.scope).texts = asked.exchange.request.items
        del raw, body  # only the texts are needed from here on
        answer = answered(asked.exchange, asked.call, asked.doubts)
        return await while_connected(request, answer)

    def _read(self, request: Request, body: ParsedBody, call: Call, named: str | None) -> _Asked:
        task = asked_task(body, call.model.info) if named is None else task_named(named)
        doubts = doubts_about(body, task, call.model.info)
        reader = Reader(
            name_of_caller(request.headers),
            self._options.zero_shot_form,
            reads_whole=request.scope["path"].startswith(_TASK),
        )
        exchange = OPENERS[task](body, reader)
        if self._options.strict:
            refuse_doubts(doubts)
        if "options" in given_members(body.value):
            call = call.wanting(read_preferences(request.headers, body))
        return _Asked(exchange, call, doubts)

    def _meant(self, *, ranks: bool) -> str | None:
        """Return the model that a body at the root is for: None for the only one named.

        Servers of text-embeddings-inference answer rankings at their root.
        """
        fits = self._service.fitting("text-ranking") if ranks else ()
        return fits[0] if len(fits) == 1 else None

    async def _open(self, request: Request, model_id: str | None) -> Call:
        preferences = read_preferences(request.headers)
        return await open_call(self._service, request, model_id, preferences)

    async def _status(self, request: Request) -> Response:
        return lookups.status(await self._named_status(request))

    async def _framework(self, request: Request) -> Response:
        return lookups.framework(request.path_params["name"], self._service.statuses())

    async def _hub_tasks(self, _: Request) -> Response:
        return lookups.tasks(self._service.statuses())

    async def _hub_model(self, request: Request) -> Response:
        return lookups.model(await self._named_status(request))

    async def _named_status(self, request: Request) -> ServedStatus:
        return (await self._open(request, request.path_params["path"])).status()
