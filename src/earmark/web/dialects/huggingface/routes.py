"""The addresses of this dialect and what answers them."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from earmark.engine.info import ModelFacts
from earmark.errors import UnknownModel
from earmark.serving.service import Service
from earmark.serving.status import ServedStatus
from earmark.tasks.task import TaskName
from earmark.web.access import AccessForm, read_bearer
from earmark.web.body import read_body
from earmark.web.dialects.huggingface import describe, lookups
from earmark.web.dialects.huggingface.clients import ZeroShotForm, name_of_caller
from earmark.web.dialects.huggingface.errors import refusal
from earmark.web.dialects.huggingface.exchanges import (
    Caller,
    answered,
    asked_task,
    open_exchange,
    task_named,
)
from earmark.web.dialects.huggingface.preferences import read_preferences
from earmark.web.dialects.huggingface.text_ranking import asks_ranking
from earmark.web.dialects.huggingface.unread import doubts_about
from earmark.web.documentation import wants_page, welcome
from earmark.web.endpoints import endpoint
from earmark.web.leaving import while_connected
from earmark.web.origin import asked_here
from earmark.web.request_log import record_of
from earmark.web.unread import refuse_doubts

__all__ = ["HuggingFaceDialect"]

_ASKING_ADDRESSES = (
    "/",
    "/models/{path:path}",
    "/pipeline/{task}/{path:path}",
    "/hf-inference/models/{path:path}",
    "/hf-inference/pipeline/{task}/{path:path}",
    "/api/inference-proxy/hf-inference/models/{path:path}",
)
"""What clients of all ages post to; a model's address may also end in ``/pipeline/{task}``."""

_OLD_CLASS = "/pipeline/"
"""Where `InferenceApi` of `huggingface_hub` before 1.0 asks; it returns the whole answer."""

_HEALTH = ("/health", "/ping")
"""The second is where load balancers of hosted containers look."""

_MODELS = "/models/"
_ACTIONS = frozenset({"health", "info"})


class HuggingFaceDialect:
    """The Hugging Face Inference API over a service."""

    def __init__(
        self,
        service: Service,
        *,
        max_body_bytes: int,
        version: str,
        unknown_form: ZeroShotForm,
        strict: bool,
        addresses: tuple[str, ...],
    ) -> None:
        """Speak for a service.

        Args:
            service: what answers.
            max_body_bytes: longer bodies are refused.
            version: of earmark, as `info` tells it.
            unknown_form: form of zero-shot answers for whoever is no official client.
            strict: refuse what would be answered with a warning.
            addresses: everything that is served, in any dialect, as the index lists it.
        """
        self._service = service
        self._max_body_bytes = max_body_bytes
        self._version = version
        self._unknown_form = unknown_form
        self._strict = strict
        self._addresses = addresses

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
            Route("/models", endpoint(self._models, refusal), methods=["GET"]),
            Route("/models/{path:path}", endpoint(self._describe, refusal), methods=["GET"]),
            Route("/status/{path:path}", endpoint(self._status, refusal), methods=["GET"]),
            Route("/framework/{name}", endpoint(self._framework, refusal), methods=["GET"]),
            Route("/api/tasks", endpoint(self._hub_tasks, refusal), methods=["GET"]),
            Route("/api/models/{path:path}", endpoint(self._hub_model, refusal), methods=["GET"]),
            Route("/", endpoint(self._index, refusal), methods=["GET"]),
            *(
                Route(address, endpoint(self._health, refusal), methods=["GET"])
                for address in _HEALTH
            ),
            Route("/info", endpoint(self._info, refusal), methods=["GET"]),
        ]

    def access_form(self) -> AccessForm:
        """Tell how this dialect's callers, who may be anywhere, present a key and are refused."""
        return AccessForm(
            prefix="",
            read=read_bearer,
            is_open=lambda scope: wants_page(scope) or self._is_health(scope),
            refuse=lambda error, scope: refusal(error, record_of(scope)),
        )

    def _is_health(self, scope: Scope) -> bool:
        """Say whether health is asked for, and not a model that has the name of it."""
        path: str = scope["path"]
        if scope["method"] not in {"GET", "HEAD"} or not path.endswith(_HEALTH):
            return False
        if not path.startswith(_MODELS):
            return path in _HEALTH
        try:
            model_id, action = self._wanted(path.removeprefix(_MODELS))
            # Whoever has no key does not learn what others asked the Hub for.
            return action == "health" and self._service.models.at_hand(model_id)
        except UnknownModel:
            return False

    async def _answer(self, request: Request) -> Response:
        if request.path_params:
            model_id, named = await self._asked_model(request)
            info = self._noted(request, model_id)
            body = await read_body(request, max_bytes=self._max_body_bytes)
        else:
            body, named = await read_body(request, max_bytes=self._max_body_bytes), None
            info = self._noted(request, self._meant(body))
        task = asked_task(body, info) if named is None else task_named(named)
        doubts = doubts_about(body, task, info)
        caller = Caller(
            name_of_caller(request.headers),
            self._unknown_form,
            reads_whole=request.scope["path"].startswith(_OLD_CLASS),
        )
        exchange = open_exchange(task, body, caller)
        if self._strict:
            refuse_doubts(doubts)
        preferences = read_preferences(request.headers, body)
        record_of(request.scope).texts = exchange.request.items
        answer = answered(exchange, self._service, info.model_id, preferences, doubts)
        return await while_connected(request, answer)

    def _noted(self, request: Request, model_id: str | None) -> ModelFacts:
        """Find a model, and write it into the log's record."""
        info = self._service.status(model_id).info
        record_of(request.scope).model = info.model_id
        return info

    def _meant(self, body: bytes) -> str | None:
        """Return the model that a body at the root is for: None for the only one named.

        Servers of text-embeddings-inference answer rankings at their root.
        """
        fits = self._service.fitting("text-ranking") if asks_ranking(body) else ()
        return fits[0] if len(fits) == 1 else None

    async def _asked_model(self, request: Request) -> tuple[str, str | None]:
        """Read the model's id, and the task's name where one is named.

        Raises:
            UnknownModel: no such model is served.
            UnusableModel: its files cannot run here.
            CapacityError: what it is cannot be told for now.
        """
        path: str = request.path_params["path"]
        named: str | None = request.path_params.get("task")
        models = self._service.models
        if named is None and "/pipeline/" in path and not models.knows(path):
            path, _, named = path.rpartition("/pipeline/")
        await self._discover(request, path)
        return models.resolve(path), named

    async def _describe(self, request: Request) -> Response:
        model_id, action = await self._discovered(request)
        status = self._service.status(model_id)
        record_of(request.scope).model = model_id
        match action:
            case "health":
                return describe.health([status])
            case "info":
                return self._info_of(status)
            case _:
                return describe.model_card(status)

    async def _discovered(self, request: Request) -> tuple[str, str]:
        """Read the same, and look for a model that is not served.

        A model that nobody has asked for yet, and is called like an action, as `org/info`, can be
        described only once it was asked: until then that is the info of `org`.
        """
        path: str = request.path_params["path"]
        if not self._service.models.knows(path):
            head, _, tail = path.rpartition("/")
            await self._discover(request, head if head and tail in _ACTIONS else path)
        return self._wanted(path)

    async def _discover(self, request: Request, model_id: str) -> None:
        # Only the headers: whoever names no model of ours need not send his body.
        preferences = read_preferences(request.headers, b"")
        here = asked_here(request.headers)
        await self._service.discover(model_id, here=here, preferences=preferences)

    def _wanted(self, path: str) -> tuple[str, str]:
        """Read what follows ``/models/`` as a model's id, and what is wanted of it."""
        return self._service.models.split(path, actions=_ACTIONS)

    async def _models(self, _: Request) -> Response:
        return describe.models(self._service.statuses())

    async def _status(self, request: Request) -> Response:
        return lookups.status(await self._named_status(request))

    async def _framework(self, request: Request) -> Response:
        return lookups.framework(request.path_params["name"], self._service.statuses())

    async def _hub_tasks(self, _: Request) -> Response:
        return lookups.tasks(self._service.statuses())

    async def _hub_model(self, request: Request) -> Response:
        return lookups.model(await self._named_status(request))

    async def _named_status(self, request: Request) -> ServedStatus:
        path: str = request.path_params["path"]
        await self._discover(request, path)
        status = self._service.status(path)
        record_of(request.scope).model = status.info.model_id
        return status

    async def _index(self, request: Request) -> Response:
        if wants_page(request.scope):
            return await welcome(request)
        answer = describe.index(
            self._service.statuses(), version=self._version, addresses=self._addresses
        )
        answer.headers["vary"] = "Accept"
        return answer

    async def _health(self, _: Request) -> Response:
        # A model that is not in memory is nothing that ails the server.
        return describe.health(self._service.loaded())

    async def _info(self, _: Request) -> Response:
        return self._info_of(self._service.status(self._described()))

    def _described(self) -> str:
        """Choose the model whose facts `/info` answers: one that needs no name in a request.

        Clients of text-embeddings-inference know of one model, which reranks or classifies.
        """
        named = self._service.models.named
        tasks: tuple[TaskName, ...] = ("text-ranking", "text-classification")
        kinds = [self._service.fitting(task) for task in tasks if len(named) > 1]
        return next((fits[0] for fits in kinds if len(fits) == 1), named[0])

    def _info_of(self, status: ServedStatus) -> Response:
        return describe.model_info(status, limits=self._service.options, version=self._version)
