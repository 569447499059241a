"""The addresses of this dialect and what answers them."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from earmark.errors import InvalidInput, UnknownModel
from earmark.serving.jobs.runner import JobRunner
from earmark.serving.preferences import Preferences
from earmark.serving.service import Service
from earmark.web.access import AccessForm
from earmark.web.body import decode_json, decoder, read_beside, read_body
from earmark.web.dialects.cloudflare import binding, catalogue
from earmark.web.dialects.cloudflare.access import WRONG_KEY, Verified, access_form
from earmark.web.dialects.cloudflare.batches import Batches, polled_id
from earmark.web.dialects.cloudflare.envelope import Message, ai_request_id, failed, succeeded
from earmark.web.dialects.cloudflare.errors import (
    api_error,
    binding_refusal,
    edge_refusal,
    rest_refusal,
)
from earmark.web.dialects.cloudflare.inputs import as_upstream_says, open_exchange
from earmark.web.dialects.cloudflare.wrappers import Universal
from earmark.web.endpoints import Handler, Refusal, endpoint
from earmark.web.exchange import Carried
from earmark.web.leaving import while_connected
from earmark.web.origin import asked_here
from earmark.web.request_log import record_of

__all__ = ["PREFIX", "CloudflareDialect", "CloudflareOptions"]

PREFIX: Final = "/client/v4"
"""What every address of the REST API begins with."""

_GATEWAY: Final = "/v1"
"""What a gateway's addresses begin with."""

_CLIENT_PATIENCE_S: Final = 55.0
"""The SDKs give up after 60 s and try again; they had better be told before."""

_BATCH_BYTES: Final = 10_000_000
"""What Cloudflare lets a batch hold."""

_AI: Final = f"{PREFIX}/accounts/{{account}}/ai"

_NO_KEY_NEEDED: Final = "0" * 32
"""Stands for the key's id where none is demanded."""

_TRUE: Final = frozenset({"true", "1"})


_universal = decoder(Universal[msgspec.Raw])


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudflareOptions:
    """How the dialect is spoken.

    Attributes:
        max_body_bytes: longer bodies are refused; a batch may hold 10 MB.
        accounts: those that an address may name; none stands for any.
    """

    max_body_bytes: int
    accounts: frozenset[str] = frozenset()


class CloudflareDialect:
    """Cloudflare Workers AI over a service."""

    def __init__(self, service: Service, jobs: JobRunner, options: CloudflareOptions) -> None:
        """Speak for a service.

        Args:
            service: what answers.
            jobs: keeps asynchronous batches.
            options: how the dialect is spoken.
        """
        self._service = service
        self._options = options
        self._jobs = jobs
        self._batches = Batches(jobs, self._ask_for_batch, api_error)

    def routes(self) -> list[Route]:
        """List the addresses.

        A model's name may come with its slashes as ``%2F`` and its ``@`` as ``%40``: all look
        alike in ``scope["path"]``, which is what the router reads.
        """
        return [
            # Before the model's: `proxy` would be taken for one.
            self._route(f"{_AI}/run/proxy", self._run_bound, binding_refusal, "POST"),
            self._route(f"{_AI}/run/proxy", self._bound_models, binding_refusal, "GET"),
            self._route(f"{_AI}/run/{{model:path}}", self._run, rest_refusal, "POST"),
            self._route(f"{_AI}/run", self._run_named, rest_refusal, "POST"),
            *(
                self._route(
                    f"{_GATEWAY}/{{account}}/{{gateway}}/{run}/{{model:path}}",
                    self._run,
                    rest_refusal,
                    "POST",
                )
                for run in ("workers-ai/run", "workers-ai")
            ),
            self._route(f"{_AI}/models/search", self._models, edge_refusal, "GET"),
            self._route(f"{_AI}/models/schema", self._schema, edge_refusal, "GET"),
            self._route(f"{_AI}/tasks/search", self._tasks, edge_refusal, "GET"),
            self._route(f"{_AI}/authors/search", self._authors, edge_refusal, "GET"),
            self._route(f"{_AI}/finetunes", self._finetunes, edge_refusal, "GET"),
            self._route(f"{_AI}/finetunes/public", self._finetunes, edge_refusal, "GET"),
            self._route(f"{PREFIX}/user/tokens/verify", self._verify, edge_refusal, "GET"),
            self._route(
                f"{PREFIX}/accounts/{{account}}/tokens/verify", self._verify, edge_refusal, "GET"
            ),
        ]

    def _route(self, address: str, handler: Handler, refuse: Refusal, method: str) -> Route:
        return Route(address, self._of_account(endpoint(handler, refuse)), methods=[method])

    def _of_account(self, inner: Handler) -> Handler:
        """Refuse an account that is none, in the words that a wrong key gets."""

        async def checked(request: Request) -> Response:
            account = request.path_params.get("account")
            if account is None or not self._options.accounts or account in self._options.accounts:
                return await inner(request)
            return failed(WRONG_KEY, status=401)

        return checked

    def access_forms(self) -> list[AccessForm]:
        """Tell how this dialect's callers present a key and are refused."""
        return [access_form(PREFIX), access_form(_GATEWAY)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer batches until the block ends."""
        async with self._jobs.running(self._batches.carry_out):
            yield

    async def _run(self, request: Request) -> Response:
        model = request.path_params["model"]
        queue = request.query_params.get("queueRequest", "").lower() in _TRUE
        body = await self._body(request, batch=queue)
        return succeeded(*await self._result(request, model, body, queue=queue))

    async def _run_named(self, request: Request) -> Response:
        queue = request.query_params.get("queueRequest", "").lower() in _TRUE
        body = await self._body(request, batch=queue)
        asked = await read_beside(
            body, lambda: decode_json(body, _universal, misfit=as_upstream_says)
        )
        return succeeded(*await self._result(request, asked.model, bytes(asked.input), queue=queue))

    async def _run_bound(self, request: Request) -> Response:
        """Answer a Worker's binding: without an envelope."""
        name = request.headers.get("cf-consn-model-id", "")
        if not name:
            raise InvalidInput("the header cf-consn-model-id is missing; it names the model")
        form = binding.generation(request.headers.get("cf-consn-sdk-version", ""))
        sent = await self._body(request, batch=True)
        body, queue = await read_beside(sent, lambda: binding.opened(sent, form))
        # A binding may put a name of its own first, as in `p:@cf/org/name`.
        model = name.partition(":")[2] or name
        result, headers = await self._result(request, model, body, queue=queue)
        return binding.answered(result, form, headers=headers)

    async def _result(
        self, request: Request, model: str, body: bytes, *, queue: bool
    ) -> tuple[object, dict[str, str]]:
        """Answer one input, or take or tell of a batch."""
        ai_id = {"cf-ai-req-id": ai_request_id(record_of(request.scope).request_id)}
        asked_s = time.monotonic()
        await self._discover(request, model)
        record_of(request.scope).model = self._service.status(model).info.model_id
        job_id = await read_beside(body, lambda: polled_id(body))
        if job_id is not None:
            return await self._batches.poll(model, job_id), ai_id
        if queue:
            return await self._batches.submit(model, body), ai_id
        left_s = _CLIENT_PATIENCE_S - (time.monotonic() - asked_s)
        asking = self._ask(request, model, body, timeout_s=left_s)
        carried = await while_connected(request, asking)
        return carried.body, carried.headers | ai_id

    async def _discover(self, request: Request, model: str) -> None:
        """Look for a model that is not served; clients that are told to wait ask again."""
        await self._service.discover(model, here=asked_here(request.headers))

    async def _ask(self, request: Request, model: str, body: bytes, *, timeout_s: float) -> Carried:
        info = self._service.status(model).info
        exchange = await read_beside(body, lambda: open_exchange(body, info))
        record_of(request.scope).texts = exchange.request.items
        preferences = Preferences(wait=True, timeout_s=timeout_s)
        return await exchange.carry_out(self._service, info.model_id, preferences)

    async def _ask_for_batch(self, model: str, body: bytes) -> Carried:
        # Where it came from counted when it was taken; what may be fetched counts now.
        await self._service.discover(model, here=True)
        info = self._service.status(model).info
        exchange = await read_beside(body, lambda: open_exchange(body, info))
        return await exchange.carry_out(self._service, info.model_id, Preferences(wait=True))

    async def _body(self, request: Request, *, batch: bool) -> bytes:
        most = self._options.max_body_bytes
        return await read_body(request, max_bytes=max(most, _BATCH_BYTES) if batch else most)

    async def _models(self, request: Request) -> Response:
        found = catalogue.models(self._named(), request.query_params)
        rows, paging = catalogue.page_of(found, request.query_params)
        return succeeded(rows, paging=paging)

    async def _bound_models(self, request: Request) -> Response:
        """Answer a binding's `models()`, whose query stands in the address that it meant."""
        meant = urlsplit(request.headers.get("x-forwarded", ""))
        query = dict(parse_qsl(meant.query))
        rows, paging = catalogue.page_of(catalogue.models(self._named(), query), query)
        return succeeded(rows, paging=paging)

    async def _schema(self, request: Request) -> Response:
        name = request.query_params.get("model", "")
        served = self._named()
        with suppress(UnknownModel):  # told below, in this address's words
            await self._discover(request, name)
            # The list has no models of the Hub but those in memory.
            served.append(catalogue.Named(name, self._service.status(name)))
        return succeeded(catalogue.schema(served, name))

    async def _tasks(self, _: Request) -> Response:
        return succeeded(catalogue.tasks())

    async def _authors(self, _: Request) -> Response:
        return succeeded(catalogue.authors(self._named()))

    async def _finetunes(self, _: Request) -> Response:
        """Answer that there are none: they are for models that write text."""
        return succeeded([])

    async def _verify(self, request: Request) -> Response:
        """Answer that the key holds: without one that does, nobody gets here."""
        verified = Verified(record_of(request.scope).key or _NO_KEY_NEEDED, "active")
        told = Message(10000, "This API Token is valid and active")
        return succeeded(verified, messages=(told,))

    def _named(self) -> list[catalogue.Named]:
        """List every model under its aliases and its own id."""
        return [
            catalogue.Named(name, each)
            for each in self._service.statuses()
            for name in (*each.aliases, each.info.model_id)
        ]
