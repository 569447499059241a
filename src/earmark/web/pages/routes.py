"""The server's own addresses and what answers them."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from earmark.serving.service import Service
from earmark.serving.status import ServedStatus
from earmark.tasks.task import TaskName
from earmark.web.access import AccessForm, read_bearer
from earmark.web.calls import open_call
from earmark.web.draining import is_draining
from earmark.web.endpoints import Handler, endpoint
from earmark.web.openapi.parts import Json
from earmark.web.pages import describe
from earmark.web.pages.documentation import (
    documentation_access_form,
    documentation_routes,
    wants_page,
    welcome,
)
from earmark.web.plain_errors import refusal
from earmark.web.request_log import record_of

_HEALTH: Final = ("/health", "/ping", "/readyz")
"""Addresses of health; load balancers of hosted containers use the second, Kubernetes the third."""
_ALIVE: Final = "/livez"

_MODELS: Final = "/models/"
_ACTIONS: Final = frozenset({"health", "info"})


class Pages:
    """The server's own pages, which belong to no dialect."""

    def __init__(
        self,
        service: Service,
        document: Mapping[str, Json],
        *,
        version: str,
        addresses: tuple[str, ...],
    ) -> None:
        """Describe a service.

        Args:
            service: what is described.
            document: from `openapi.document.build_document`.
            version: of earmark.
            addresses: everything that is served, in any dialect, as the index lists it.
        """
        self._service, self._document = service, document
        self._version, self._addresses = version, addresses

    def routes(self) -> list[Route]:
        """List the addresses.

        A model id has one segment or more and may come with its slash as ``%2F``: both look alike
        in ``scope["path"]``, which is what the router reads.
        """
        return [
            _get("/", self._index),
            _get("/models", self._models),
            _get("/models/{path:path}", self._model),
            *(_get(address, self._health) for address in _HEALTH),
            _get(_ALIVE, self._alive),
            _get("/info", self._info),
            *documentation_routes(self._document),
        ]

    def access_forms(self) -> tuple[AccessForm, ...]:
        """Return how callers present a key outside of dialects; the last covers all paths."""
        usual = AccessForm(
            prefix="",
            read=read_bearer,
            is_open=lambda scope: wants_page(scope) or self._is_health(scope),
            refuse=lambda error, scope: refusal(error, record_of(scope)),
        )
        return documentation_access_form(usual), usual

    def _is_health(self, scope: Scope) -> bool:
        """Return whether a request asks for health, and not for a model of that name."""
        path: str = scope["path"]
        if scope["method"] not in {"GET", "HEAD"} or not path.endswith((*_HEALTH, _ALIVE)):
            return False
        if not path.startswith(_MODELS):
            return path in (*_HEALTH, _ALIVE)
        model_id, action = self._wanted(path.removeprefix(_MODELS))
        # A caller without a key does not learn which models others fetched from the Hub.
        return action == "health" and self._service.models.at_hand(model_id)

    async def _index(self, request: Request) -> Response:
        if wants_page(request.scope):
            return await welcome(request)
        answer = describe.index(
            self._service.statuses(), version=self._version, addresses=self._addresses
        )
        answer.headers["vary"] = "Accept"
        return answer

    async def _models(self, _: Request) -> Response:
        return describe.models(self._service.statuses())

    async def _model(self, request: Request) -> Response:
        model_id, action = self._wanted(request.path_params["path"])
        status = (await open_call(self._service, request, model_id)).status()
        match action:
            case "health":
                return describe.health([status])
            case "info":
                return self._info_of(status)
            case _:
                return describe.model_card(status)

    def _wanted(self, path: str) -> tuple[str, str]:
        """Split what follows ``/models/`` into a model's id and an action.

        ``foo/info`` is the model of that name where it is known, and otherwise the model ``foo``
        with the action ``info``. So a model of the Hub whose name ends like an action can be
        described only after a request to it.
        """
        head, _, tail = path.rpartition("/")
        if head and tail in _ACTIONS and not self._service.models.knows(path):
            return head, tail
        return path, ""

    async def _health(self, request: Request) -> Response:
        # A model that is not in memory does not make the server unhealthy.
        loaded = self._service.loaded()
        return describe.draining(loaded) if is_draining(request.scope) else describe.health(loaded)

    async def _alive(self, _: Request) -> Response:
        # Neither a model that fails nor an end that is planned is mended by a restart.
        return describe.alive()

    async def _info(self, request: Request) -> Response:
        call = await open_call(self._service, request, self._described())
        return self._info_of(call.status())

    def _info_of(self, status: ServedStatus) -> Response:
        return describe.model_info(status, limits=self._service.options, version=self._version)

    def _described(self) -> str:
        """Choose the model whose facts `/info` answers: one that requests need not name.

        Clients of text-embeddings-inference expect one model, which reranks or classifies.
        """
        named = self._service.models.named
        tasks: tuple[TaskName, ...] = ("text-ranking", "text-classification")
        kinds = [self._service.fitting(task) for task in tasks if len(named) > 1]
        return next((fits[0] for fits in kinds if len(fits) == 1), named[0])


def _get(address: str, handler: Handler) -> Route:
    return Route(address, endpoint(handler, refusal), methods=["GET"])
