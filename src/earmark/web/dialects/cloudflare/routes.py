"""The addresses of this dialect and what answers them."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import msgspec
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from earmark.domain.preferences import Preferences
from earmark.errors import InvalidInput, UnknownModel
from earmark.serving.service import Call
from earmark.web.access import AccessForm
from earmark.web.body import decode_json, decoder, read_beside, read_body
from earmark.web.calls import open_call
from earmark.web.dialect import Dialect, DialectParts
from earmark.web.dialects.cloudflare import binding, catalogue
from earmark.web.dialects.cloudflare.access import WRONG_KEY, Verified, access_form
from earmark.web.dialects.cloudflare.batches import KIND, Batches, polled_id
from earmark.web.dialects.cloudflare.envelope import Message, ai_request_id, failed, succeeded
from earmark.web.dialects.cloudflare.errors import (
    FORMS,
    api_error,
    binding_refusal,
    edge_refusal,
    no_such_method,
    no_such_route,
    rest_refusal,
)
from earmark.web.dialects.cloudflare.inputs import (
    as_upstream_says,
    doubts_about,
    open_exchange,
)
from earmark.web.dialects.cloudflare.operations import COMPONENTS, OPERATIONS
from earmark.web.dialects.cloudflare.wrappers import OF_BOUND, OF_UNIVERSAL, Universal
from earmark.web.disconnect import while_connected
from earmark.web.endpoints import Handler, Refusal, endpoint
from earmark.web.exchange import Carried
from earmark.web.request_log import record_of
from earmark.web.unread import (
    MOST_DOUBTS,
    Doubt,
    Reading,
    first_doubts,
    members_of,
    refuse_doubts,
    tell_doubts,
)

PREFIX: Final = "/client/v4"
"""What every address of the REST API begins with."""

_GATEWAY: Final = "/v1"
"""What a gateway's addresses begin with."""

_CLIENT_PATIENCE_S: Final = 55.0
"""The SDKs give up after 60 s and try again, so that the answer has to come before that."""

_BATCH_BYTES: Final = 10_000_000
"""Cloudflare's own bound of a batch's body."""

_AI: Final = f"{PREFIX}/accounts/{{account}}/ai"

_NO_KEY_NEEDED: Final = "0" * 32
"""Stands for the key's id where none is demanded."""

_UNREAD_CODE: Final = FORMS[InvalidInput].code
"""Code of a message that something is not read: a strict server answers it as an error."""

_TRUE: Final = frozenset({"true", "1"})


class _NameConvertor(PathConvertor):
    """Takes the rest of an address, as `path` does, and line ends too: they are no model's name."""

    regex = r"[\s\S]*"


register_url_convertor("name", _NameConvertor())

_universal = decoder(Universal[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class _Ran:
    """The answer to a run.

    Attributes:
        result: of the model, or how far a batch is.
        headers: what it cost.
        doubts: what the caller should know.
    """

    result: object
    headers: dict[str, str]
    doubts: tuple[Doubt, ...] = ()

    def beside(self, reading: Reading, body: bytes) -> "_Ran":
        """Add doubts about members beside the input that nothing reads."""
        found = chain(reading.doubts(members_of(body)), self.doubts)
        return replace(self, doubts=first_doubts(found))

    def enveloped(self) -> Response:
        """Answer it over REST."""
        warnings = tuple(Message(_UNREAD_CODE, each.text) for each in self.doubts)
        return tell_doubts(succeeded(self.result, self.headers, messages=warnings), self.doubts)


class CloudflareDialect(Dialect):
    """Cloudflare Workers AI over a service."""

    prefixes = (PREFIX,)
    operations = OPERATIONS
    components = COMPONENTS
    shown_headers = ("x-should-retry", "cf-ai-req-id", "cf-ray")

    def __init__(self, parts: DialectParts) -> None:
        """Speak for a service."""
        self._service, self._options, self._jobs = parts.service, parts.options, parts.jobs
        self._batches = Batches(parts.jobs, self._open_for_batch, api_error)

    def routes(self) -> list[Route]:
        """List the addresses.

        A model's name may come with its slashes as ``%2F`` and its ``@`` as ``%40``: all look
        alike in ``scope["path"]``, which is what the router reads.
        """
        return [
            # Before the model's: `proxy` would be taken for one.
            self._route(f"{_AI}/run/proxy", self._run_bound, binding_refusal, "POST"),
            self._route(f"{_AI}/run/proxy", self._bound_models, binding_refusal, "GET"),
            self._route(f"{_AI}/run/{{model:name}}", self._run, rest_refusal, "POST"),
            self._route(f"{_AI}/run", self._run_named, rest_refusal, "POST"),
            *(
                self._route(
                    f"{_GATEWAY}/{{account}}/{{gateway}}/{run}/{{model:name}}",
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
        """Refuse an unknown account, in the same words as a wrong key."""

        async def checked(request: Request) -> Response:
            account = request.path_params.get("account")
            if account is None or not self._options.accounts or account in self._options.accounts:
                return await inner(request)
            return failed(WRONG_KEY, status=401)

        return checked

    def access_forms(self) -> list[AccessForm]:
        """Return how this dialect's callers present a key and are refused."""
        return [access_form(PREFIX), access_form(_GATEWAY)]

    def no_such_address(self, asked: str, hint: str) -> Response:  # noqa: ARG002 - the protocol's
        """Answer an unknown address, in Cloudflare's words."""
        return no_such_route(hint)

    def no_such_method(self, method: str, allowed: Sequence[str]) -> Response:
        """Answer a method that an address does not have, in Cloudflare's words."""
        return no_such_method(method, allowed)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer batches until the block ends."""
        async with self._jobs.running({KIND: self._batches.carry_out}):
            yield

    async def _run(self, request: Request) -> Response:
        model = request.path_params["model"]
        queue = request.query_params.get("queueRequest", "").lower() in _TRUE
        body = await self._body(request, batch=queue)
        return (await self._result(request, model, body, queue=queue)).enveloped()

    async def _run_named(self, request: Request) -> Response:
        queue = request.query_params.get("queueRequest", "").lower() in _TRUE
        body = await self._body(request, batch=queue)
        asked = await read_beside(
            body, lambda: decode_json(body, _universal, misfit=as_upstream_says)
        )
        self._refuse_beside(OF_UNIVERSAL, body)
        ran = await self._result(request, asked.model, bytes(asked.input), queue=queue)
        return ran.beside(OF_UNIVERSAL, body).enveloped()

    async def _run_bound(self, request: Request) -> Response:
        """Answer a Worker's binding: without an envelope."""
        name = request.headers.get("cf-consn-model-id", "")
        if not name:
            raise InvalidInput("the header cf-consn-model-id is missing; it names the model")
        form = binding.generation(request.headers.get("cf-consn-sdk-version", ""))
        whole = await self._body(request, batch=True)
        body, queue = await read_beside(whole, lambda: binding.opened(whole, form))
        if form != "tensors":
            self._refuse_beside(OF_BOUND, whole)
        # A binding may put a name of its own first, as in `p:@cf/org/name`.
        model = name.partition(":")[2] or name
        ran = await self._result(request, model, body, queue=queue)
        if form != "tensors":
            ran = ran.beside(OF_BOUND, whole)
        return tell_doubts(binding.answered(ran.result, form, headers=ran.headers), ran.doubts)

    async def _result(self, request: Request, model: str, body: bytes, *, queue: bool) -> _Ran:
        """Answer one input, take a batch, or answer how far a batch is."""
        ai_id = {"cf-ai-req-id": ai_request_id(record_of(request.scope).request_id)}
        asked_s = time.monotonic()
        call = await open_call(self._service, request, model)
        job_id = await read_beside(body, lambda: polled_id(body))
        if job_id is not None:
            return _Ran(await self._batches.poll(model, job_id), ai_id)
        if queue:
            return await self._submit(call, model, body, ai_id)
        left_s = _CLIENT_PATIENCE_S - (time.monotonic() - asked_s)
        waiting = call.wanting(Preferences(wait=True, timeout_s=left_s))
        asking = self._ask(request, waiting, body)
        carried, doubts = await while_connected(request, asking)
        return _Ran(carried.body, carried.headers | ai_id, doubts)

    def _refuse_beside(self, reading: Reading, body: bytes) -> None:
        if self._options.strict:
            refuse_doubts(first_doubts(reading.doubts(members_of(body))))

    async def _submit(self, call: Call, model: str, body: bytes, headers: dict[str, str]) -> _Ran:
        found: list[Doubt] = []

        def check(one: bytes, place: str) -> None:
            if len(found) < MOST_DOUBTS:
                found.extend(doubts_about(one, call.model.info, place=place))
            if self._options.strict:
                refuse_doubts(found)

        queued = await self._batches.submit(model, body, check)
        return _Ran(queued, headers, first_doubts(found))

    async def _ask(
        self, request: Request, call: Call, body: bytes
    ) -> tuple[Carried, tuple[Doubt, ...]]:
        exchange, doubts = await read_beside(body, lambda: open_exchange(body, call.model.info))
        if self._options.strict:
            refuse_doubts(doubts)
        record_of(request.scope).texts = exchange.request.items
        return await exchange.carry_out(call), doubts

    async def _open_for_batch(self, model: str) -> Call:
        # Its origin was checked when it was taken; whether a model may be fetched is decided now.
        return await self._service.open(model, Preferences(wait=True), here=True)

    async def _body(self, request: Request, *, batch: bool) -> bytes:
        most = self._options.max_body_bytes
        return await read_body(request, max_bytes=max(most, _BATCH_BYTES) if batch else most)

    async def _models(self, request: Request) -> Response:
        found = catalogue.models(self._named(), request.query_params)
        rows, paging = catalogue.page_of(found, request.query_params)
        return succeeded(rows, paging=paging)

    async def _bound_models(self, request: Request) -> Response:
        """Answer a binding's `models()`, whose query is a part of the address in its header."""
        query = _query_of(request.headers.get("x-forwarded", ""))
        rows, paging = catalogue.page_of(catalogue.models(self._named(), query), query)
        return succeeded(rows, paging=paging)

    async def _schema(self, request: Request) -> Response:
        name = request.query_params.get("model", "")
        served = self._named()
        with suppress(UnknownModel):  # answered below, in the words of this address
            call = await open_call(self._service, request, name)
            # Of the Hub's models, the list has only those in memory.
            served.append(catalogue.Named(name, call.status()))
        return succeeded(catalogue.schema(served, name))

    async def _tasks(self, _: Request) -> Response:
        return succeeded(catalogue.tasks())

    async def _authors(self, _: Request) -> Response:
        return succeeded(catalogue.authors(self._named()))

    async def _finetunes(self, _: Request) -> Response:
        """Answer an empty list of finetunes: only models that write text have them."""
        return succeeded([])

    async def _verify(self, request: Request) -> Response:
        """Answer that the key is valid: a request without a valid one does not get here."""
        verified = Verified(record_of(request.scope).key or _NO_KEY_NEEDED, "active")
        valid = Message(10000, "This API Token is valid and active")
        return succeeded(verified, messages=(valid,))

    def _named(self) -> list[catalogue.Named]:
        """List every model under its aliases and its own id."""
        return [
            catalogue.Named(name, each)
            for each in self._service.statuses()
            for name in (*each.aliases, each.info.model_id)
        ]


def _query_of(address: str) -> dict[str, str]:
    """Return the parameters in an address.

    Raises:
        InvalidInput: it is no address.
    """
    try:
        return dict(parse_qsl(urlsplit(address).query))
    except ValueError:  # such as a host in half of its brackets
        raise InvalidInput(
            "the header x-forwarded holds no address; expected one such as"
            " https://workers-binding.ai/ai-api/models/search?page=1"
        ) from None
