"""The addresses of this dialect and what answers them."""

import secrets
from dataclasses import dataclass
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from earmark.errors import InvalidInput
from earmark.serving.preferences import Preferences
from earmark.serving.service import Service
from earmark.web.body import decode_json, read_body
from earmark.web.dialects.cloudflare.envelope import ai_request_id, succeeded
from earmark.web.dialects.cloudflare.errors import binding_refusal, rest_refusal
from earmark.web.dialects.cloudflare.inputs import as_upstream_says, open_exchange
from earmark.web.endpoints import Handler, Refusal, endpoint
from earmark.web.exchange import Carried
from earmark.web.leaving import while_connected
from earmark.web.request_log import record_of
from earmark.web.responses import json_response

__all__ = ["CloudflareDialect"]

_CLIENT_PATIENCE_S: Final = 55.0
"""The SDKs give up after 60 s and try again; they had better be told before."""

_ACCOUNT: Final = "/client/v4/accounts/{account}/ai"
_PREFIX: Final = ":"
"""A binding may put a name before the model's, as in ``p:@cf/org/name``."""


class _Universal(msgspec.Struct, frozen=True):
    """Body of a run whose address names no model."""

    model: str
    input: msgspec.Raw


class _Bound(msgspec.Struct, frozen=True):
    """Body of a binding's run."""

    inputs: msgspec.Raw


_universal = msgspec.json.Decoder(_Universal)
_bound = msgspec.json.Decoder(_Bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudflareOptions:
    """How the dialect is spoken.

    Attributes:
        max_body_bytes: longer bodies are refused.
        accounts: ids that addresses may name; empty lets any.
    """

    max_body_bytes: int
    accounts: frozenset[str] = frozenset()


class CloudflareDialect:
    """Cloudflare Workers AI over a service."""

    def __init__(self, service: Service, options: CloudflareOptions) -> None:
        """Speak for a service."""
        self._service = service
        self._options = options

    def routes(self) -> list[Route]:
        """List the addresses.

        A model's name may come with its slashes as ``%2F`` and its ``@`` as ``%40``: all look
        alike in ``scope["path"]``, which is what the router reads.
        """
        return [
            # Before the model's: `proxy` would be taken for one.
            Route(
                f"{_ACCOUNT}/run/proxy",
                _marked(self._run_bound, binding_refusal),
                methods=["POST"],
            ),
            Route(
                f"{_ACCOUNT}/run/{{model:path}}",
                _marked(self._run, rest_refusal),
                methods=["POST"],
            ),
            Route(f"{_ACCOUNT}/run", _marked(self._run_named, rest_refusal), methods=["POST"]),
            *(
                Route(
                    f"/v1/{{account}}/{{gateway}}/workers-ai{run}/{{model:path}}",
                    _marked(self._run, rest_refusal),
                    methods=["POST"],
                )
                for run in ("/run", "")
            ),
        ]

    async def _run(self, request: Request) -> Response:
        body = await self._body(request)
        carried = await self._ask(request, request.path_params["model"], body)
        return _enveloped(request, carried)

    async def _run_named(self, request: Request) -> Response:
        body = decode_json(await self._body(request), _universal, misfit=as_upstream_says)
        return _enveloped(request, await self._ask(request, body.model, bytes(body.input)))

    async def _run_bound(self, request: Request) -> Response:
        """Answer a Worker's binding: without an envelope."""
        name = request.headers.get("cf-consn-model-id", "")
        if not name:
            raise InvalidInput("the header cf-consn-model-id is missing; it names the model")
        body = decode_json(await self._body(request), _bound, misfit=as_upstream_says)
        model = name.partition(_PREFIX)[2] or name
        carried = await self._ask(request, model, bytes(body.inputs))
        return json_response(carried.body, headers=_ai_headers(request, carried))

    async def _ask(self, request: Request, model: str, body: bytes) -> Carried:
        info = self._service.status(model.rstrip("/")).info
        record = record_of(request.scope)
        record.model = info.model_id
        exchange = open_exchange(body, info)
        record.texts = exchange.request.items
        preferences = Preferences(wait=True, timeout_s=_CLIENT_PATIENCE_S)
        return await while_connected(
            request, exchange.carry_out(self._service, info.model_id, preferences)
        )

    async def _body(self, request: Request) -> bytes:
        return await read_body(request, max_bytes=self._options.max_body_bytes)


def _enveloped(request: Request, carried: Carried) -> Response:
    return succeeded(carried.body, headers=_ai_headers(request, carried))


def _ai_headers(request: Request, carried: Carried) -> dict[str, str]:
    return {"cf-ai-req-id": ai_request_id(record_of(request.scope).request_id), **carried.headers}


def _marked(handler: Handler, refuse: Refusal) -> Handler:
    """Let every error become an answer, and mark every answer as Cloudflare's edge would."""
    inner = endpoint(handler, refuse)

    async def marked(request: Request) -> Response:
        answer = await inner(request)
        answer.headers["cf-ray"] = f"{secrets.token_hex(8)}-LCL"
        answer.headers["cache-control"] = "no-store"
        return answer

    return marked
