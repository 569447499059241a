"""The addresses of this dialect and what answers them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from earmark.domain.preferences import Preferences
from earmark.domain.results import Classification, Relevance
from earmark.errors import InvalidInput, ModelOutOfReach, UnknownModel
from earmark.serving.service import Call
from earmark.tasks.task import TaskName
from earmark.web.access import AccessForm, read_bearer
from earmark.web.body import read_beside, read_body
from earmark.web.calls import open_call
from earmark.web.dialect import Dialect, DialectParts
from earmark.web.dialects.rerank import cohere, text_embeddings_inference
from earmark.web.dialects.rerank.errors import no_such_method, refusal
from earmark.web.dialects.rerank.operations import COMPONENTS, OPERATIONS
from earmark.web.disconnect import while_connected
from earmark.web.endpoints import endpoint
from earmark.web.exchange import Exchange
from earmark.web.ranked_texts import OF_TEXTS, open_texts
from earmark.web.request_log import record_of
from earmark.web.responses import json_response
from earmark.web.unread import Doubt, first_doubts, members_of, refuse_doubts, tell_doubts

_RERANK: Final = ("/rerank", "/v1/rerank", "/v2/rerank")
"""Addresses to rank at; Cohere's and Jina's own clients append the last two to a base address."""

_PREDICT: Final = "/predict"

_OLD_FORM: Final = "/v1/"
"""Below this prefix an answer has version 1 of Cohere's form; elsewhere it has version 2."""

_NOT_THE_ONE_NAMED: Final = (
    "model; the one that the request names is not served here, so the only one that fits answered"
)

_AnyExchange: TypeAlias = Exchange[Relevance] | Exchange[Classification]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that has been read.

    Attributes:
        exchange: the request itself.
        model: the name in the request.
        doubts: what the caller should know.
        strict: whether a model that is named is the only one that may answer. Servers of
            text-embeddings-inference have one model, and their clients send any name or none.
    """

    exchange: _AnyExchange
    model: str | None
    doubts: tuple[Doubt, ...] = ()
    strict: bool = False


_Opener: TypeAlias = Callable[[bytes, Request], _Asked]


_WAITING: Final = Preferences(wait=True)

_MOST_NAMED: Final = 10
"""The most models that an error names, since people read it."""

_UNNAMED: Final = frozenset({"", "default/not-specified"})
"""Names that stand for no model; Infinity's clients send the second where none was chosen."""


class RerankDialect(Dialect):
    """Reranking and classification, as other servers have them, over a service."""

    operations = OPERATIONS
    components = COMPONENTS

    def __init__(self, parts: DialectParts) -> None:
        """Speak for a service."""
        self._service, self._options = parts.service, parts.options

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
        """Return how this dialect's callers present a key and are refused."""
        return [
            AccessForm(
                prefix=address,
                read=read_bearer,
                is_open=lambda _: False,
                refuse=lambda error, scope: refusal(error, record_of(scope)),
            )
            for address in (*_RERANK, _PREDICT)
        ]

    def no_such_method(self, method: str, allowed: Sequence[str]) -> Response:
        """Answer a method that an address does not have, in the form of its other errors."""
        return no_such_method(method, allowed)

    async def _rerank(self, request: Request) -> Response:
        return await self._answer(request, _open_rerank, "text-ranking")

    async def _predict(self, request: Request) -> Response:
        return await self._answer(request, _open_predict, "text-classification")

    async def _answer(self, request: Request, read: _Opener, task: TaskName) -> Response:
        body = await read_body(request, max_bytes=self._options.max_body_bytes)
        asked = await read_beside(body, lambda: read(body, request))
        if self._options.strict:
            refuse_doubts(asked.doubts)
        call, headers = await self._open(request, asked, task)
        record_of(request.scope).texts = asked.exchange.request.items
        carrying = asked.exchange.carry_out(call.wanting(_WAITING))
        carried = await while_connected(request, carrying)
        answer = await carried.written(
            lambda: json_response(carried.body, headers={**carried.headers, **headers})
        )
        return tell_doubts(answer, asked.doubts)

    async def _open(
        self, request: Request, asked: _Asked, task: TaskName
    ) -> tuple[Call, Mapping[str, str]]:
        """Find the model that is meant, and the doubts about it for a header.

        Raises:
            UnknownModel: no such model is served; or none is named, and not exactly one fits.
            UnusableModel: the Hub has it, but it cannot run here.
            CapacityError: what it is cannot be found out for now.
        """
        if asked.model is None or asked.model in _UNNAMED:
            return await open_call(self._service, request, self._only_model(task)), {}
        fits = () if asked.strict else self._service.fitting(task)
        try:
            # No caller is held until the Hub can be reached: these clients read an error at once.
            return await open_call(self._service, request, asked.model), {}
        except (UnknownModel, ModelOutOfReach):
            if len(fits) != 1:
                raise
        return (
            await open_call(self._service, request, fits[0]),
            {"x-hf-warning": _NOT_THE_ONE_NAMED},
        )

    def _only_model(self, task: TaskName) -> str:
        """Find the model that is meant where none is named.

        Raises:
            UnknownModel: no model, or more than one, does the task.
        """
        fits = self._service.fitting(task)
        if len(fits) == 1:
            return fits[0]
        named = ", ".join(self._service.models.named[:_MOST_NAMED])
        if not fits:
            raise UnknownModel(
                f"no model named at the start does {task}; it named {named}; name the one that is"
                " meant in `model`"
            )
        raise UnknownModel(
            f"{len(fits)} models served here do {task}; name one of them in `model`:"
            f" {', '.join(fits[:_MOST_NAMED])}"
        )


def _open_rerank(body: bytes, request: Request) -> _Asked:
    """Read either form: `documents` are Cohere's and Jina's, `texts` those of the other."""
    members = members_of(body)
    if "documents" in members:
        version = "1" if request.scope["path"].startswith(_OLD_FORM) else "2"
        doubts = first_doubts(cohere.OF_DOCUMENTS.doubts(members))
        record = record_of(request.scope)
        opened = cohere.open_rerank(body, record, version=version, doubts=doubts)
        return _Asked(*opened, doubts, strict=True)
    if "query" in members and "texts" not in members:
        raise InvalidInput(
            "the body: object missing required field `texts`, or `documents`; expected a list of"
            " texts by one of these names"
        )
    return _Asked(*open_texts(body), first_doubts(OF_TEXTS.doubts(members)))


def _open_predict(body: bytes, _: Request) -> _Asked:
    doubts = first_doubts(text_embeddings_inference.OF_PREDICT.doubts(members_of(body)))
    return _Asked(*text_embeddings_inference.open_predict(body), doubts)
