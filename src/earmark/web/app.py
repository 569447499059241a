"""The ASGI app: every dialect's routes behind the same few layers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from earmark import __version__
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.store import KeysInMemory
from earmark.serving.jobs.runner import JobRunner
from earmark.serving.jobs.store import MemoryJobs
from earmark.serving.service import Service
from earmark.web.access import AccessControl, AccessForm
from earmark.web.answer_headers import EXPOSED_HEADERS
from earmark.web.dialects.cloudflare import operations as cloudflare_operations
from earmark.web.dialects.cloudflare.errors import no_such_method, no_such_route
from earmark.web.dialects.cloudflare.routes import PREFIX as CLOUDFLARE
from earmark.web.dialects.cloudflare.routes import CloudflareDialect, CloudflareOptions
from earmark.web.dialects.huggingface import operations as huggingface_operations
from earmark.web.dialects.huggingface.clients import ZeroShotForm
from earmark.web.dialects.huggingface.routes import HuggingFaceDialect
from earmark.web.dialects.rerank import operations as rerank_operations
from earmark.web.dialects.rerank.routes import RerankDialect
from earmark.web.documentation import (
    documentation_access_form,
    documentation_operations,
    documentation_routes,
)
from earmark.web.nearest_address import nearest_addresses
from earmark.web.openapi.document import build_document
from earmark.web.openapi.parts import Json, Operation
from earmark.web.openapi.shared_answers import COMPONENTS as SHARED_COMPONENTS
from earmark.web.paths import TrailingSlashes
from earmark.web.request_log import RequestLog
from earmark.web.responses import error_response

__all__ = ["WebOptions", "create_app"]

_SHOWN_HEADERS = (
    "x-request-id",
    "retry-after",
    "x-should-retry",
    "cf-ai-req-id",
    "cf-ray",
    *EXPOSED_HEADERS,
)
"""What a browser may show to the page that asked."""

_DESCRIPTION = (
    "Labels text: whole texts, pairs, any labels you name, named entities; and reranks. Speaks the"
    " Hugging Face Inference API and Cloudflare Workers AI: a program written for either changes"
    " its address and nothing else. `POST /rerank` and `POST /predict` are those of"
    " text-embeddings-inference, Cohere and Jina."
)

_DIALECTS: Final = (huggingface_operations, cloudflare_operations, rerank_operations)
_OPERATIONS: Final[tuple[Operation, ...]] = (
    *(each for dialect in _DIALECTS for each in dialect.OPERATIONS),
    *documentation_operations(huggingface_operations.LOOKUP_ERRORS),
)
_COMPONENTS: Final = (*(dialect.COMPONENTS for dialect in _DIALECTS), SHARED_COMPONENTS)
_ADDRESSES: Final = tuple(each.address for each in _OPERATIONS)
"""Every address of every dialect, as the index lists them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebOptions:
    """The HTTP edge.

    Attributes:
        max_body_bytes: longer bodies are refused. 2 MiB hold 1,024 texts of 300 words.
        cors_origins: pages of these origins may ask; ``*`` lets every page.
        zero_shot_form: how zero-shot answers look to whoever is no official client; those get
            what their version reads.
        strict: refuse a request with a member that nothing reads, rather than answer it with a
            warning.
        accounts: those that an address of Workers AI may name; none stands for any.
        hosts: names beside those of loopback that an open server on loopback is called by; None
            allows any.
    """

    max_body_bytes: int = 2 * 1024 * 1024
    cors_origins: tuple[str, ...] = ("*",)
    zero_shot_form: ZeroShotForm = "labels"
    strict: bool = False
    accounts: tuple[str, ...] = ()
    hosts: tuple[str, ...] | None = None


def create_app(
    service: Service,
    options: WebOptions | None = None,
    *,
    gate: AccessGate | None = None,
    jobs: JobRunner | None = None,
) -> Starlette:
    """Compose the app.

    Args:
        service: closed when the server has answered its last request.
        options: the defaults when None.
        gate: decides who is let in; None lets everyone in.
        jobs: keeps asynchronous batches; in memory when None.
    """
    options = options or WebOptions()
    huggingface = HuggingFaceDialect(
        service,
        max_body_bytes=options.max_body_bytes,
        version=__version__,
        unknown_form=options.zero_shot_form,
        strict=options.strict,
        addresses=_ADDRESSES,
    )
    cloudflare = CloudflareDialect(
        service,
        jobs or JobRunner(MemoryJobs()),
        CloudflareOptions(
            max_body_bytes=options.max_body_bytes,
            strict=options.strict,
            accounts=frozenset(options.accounts),
        ),
    )
    rerank = RerankDialect(service, max_body_bytes=options.max_body_bytes, strict=options.strict)
    app = Starlette(
        routes=[
            *huggingface.routes(),
            *cloudflare.routes(),
            *rerank.routes(),
            *documentation_routes(_document()),
        ],
        middleware=[
            Middleware(RequestLog),
            Middleware(TrailingSlashes),
            _pages_of(options.cors_origins),
            Middleware(
                AccessControl,
                gate=gate or AccessGate(KeysInMemory()),
                hosts=options.hosts,
                forms=_access_forms(huggingface, cloudflare, rerank),
            ),
        ],
        exception_handlers={404: _no_such_address(service), 405: _no_such_method},
        lifespan=_living(service, cloudflare),
    )
    # A redirect would send the client to whatever its own Host header says.
    app.router.redirect_slashes = False
    return app


def _access_forms(
    huggingface: HuggingFaceDialect, cloudflare: CloudflareDialect, rerank: RerankDialect
) -> tuple[AccessForm, ...]:
    """Say how each dialect lets callers in; one below a prefix stands before the one for all."""
    return (
        *rerank.access_forms(),
        *cloudflare.access_forms(),
        documentation_access_form(huggingface.access_form()),
        huggingface.access_form(),
    )


def _pages_of(origins: tuple[str, ...]) -> Middleware:
    """Let pages of these origins ask."""
    return Middleware(
        CORSMiddleware,
        allow_origins=origins,
        # The browser demands named origins where a page sends credentials along.
        allow_credentials="*" not in origins,
        allow_methods=("GET", "POST"),
        # Whatever is asked for: SDKs, tracing and frameworks add headers of their own, and a page
        # that may ask at all gains nothing by them.
        allow_headers=("*",),
        # A page of the web that asks a server on the reader's machine or network (WICG, Private
        # Network Access); which pages may is what `allow_origins` says.
        allow_private_network=True,
        expose_headers=_SHOWN_HEADERS,
    )


@cache
def _document() -> dict[str, Json]:
    """Describe what all dialects serve: the same for every app."""
    return build_document(
        _OPERATIONS, components=_COMPONENTS, description=_DESCRIPTION, version=__version__
    )


def _living(
    service: Service, cloudflare: CloudflareDialect
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            async with cloudflare.running():
                yield
        finally:
            service.close()

    return lifespan


def _no_such_address(service: Service) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, _: Exception) -> Response:
        path: str = request.scope["path"]
        near = nearest_addresses(path, _ADDRESSES)
        model_id = path.strip("/")
        if service.models.at_hand(model_id):
            near = (f"POST /models/{model_id}", *near)
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        hint = f"{meant}GET /docs shows every address, GET /openapi.json lists them for programs"
        if path.startswith(CLOUDFLARE):
            return no_such_route(hint)
        asked = f"{request.method} {path[:200]}"
        return error_response(404, f"nothing is served at {asked}; {hint}")

    return answer


async def _no_such_method(request: Request, _: Exception) -> Response:
    """Name every method of the address; Starlette itself names those of its first route only."""
    allowed = sorted(
        method
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    )
    if request.scope["path"].startswith(CLOUDFLARE):
        return no_such_method(request.method, allowed)
    listed = ", ".join(allowed)
    text = f"{request.method} is not allowed here; expected {listed}"
    return error_response(405, text, headers={"allow": listed})
