"""The ASGI app: every dialect's routes behind the same few layers."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from earmark import __version__
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.store import KeysInMemory
from earmark.serving.service import Service
from earmark.web.access import AccessControl
from earmark.web.dialects.huggingface.clients import ZeroShotForm
from earmark.web.dialects.huggingface.describe import ADDRESSES
from earmark.web.dialects.huggingface.headers import EXPOSED_HEADERS
from earmark.web.dialects.huggingface.routes import HuggingFaceDialect
from earmark.web.request_log import RequestLog
from earmark.web.responses import error_response

__all__ = ["WebOptions", "create_app"]

_CLIENT_HEADERS = (
    "authorization",
    "content-type",
    "user-agent",
    "x-use-cache",
    "x-wait-for-model",
    "x-load-model",
    "x-hf-bill-to",
    "x-request-id",
)
"""What official clients send from a browser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebOptions:
    """The HTTP edge.

    Attributes:
        max_body_bytes: longer bodies are refused. 2 MiB hold 1,024 texts of 300 words.
        cors_origins: pages of these origins may ask; ``*`` lets every page.
        zero_shot_form: how zero-shot answers look to whoever is no official client; those get
            what their version reads.
    """

    max_body_bytes: int = 2 * 1024 * 1024
    cors_origins: tuple[str, ...] = ("*",)
    zero_shot_form: ZeroShotForm = "labels"


def create_app(
    service: Service, options: WebOptions | None = None, *, gate: AccessGate | None = None
) -> Starlette:
    """Compose the app.

    Args:
        service: closed when the server has answered its last request.
        options: the defaults when None.
        gate: decides who is let in; None lets everyone in.
    """
    options = options or WebOptions()
    dialect = HuggingFaceDialect(
        service,
        max_body_bytes=options.max_body_bytes,
        version=__version__,
        unknown_form=options.zero_shot_form,
    )
    app = Starlette(
        routes=dialect.routes(),
        middleware=[
            Middleware(RequestLog),
            Middleware(
                CORSMiddleware,
                allow_origins=options.cors_origins,
                # The browser demands named origins where a page sends credentials along.
                allow_credentials="*" not in options.cors_origins,
                allow_methods=("GET", "POST"),
                allow_headers=_CLIENT_HEADERS,
                expose_headers=("x-request-id", "retry-after", *EXPOSED_HEADERS),
            ),
            Middleware(
                AccessControl,
                gate=gate or AccessGate(KeysInMemory()),
                # In this order: a dialect below a prefix of its own stands before the one for all.
                forms=(dialect.access_form(),),
            ),
        ],
        exception_handlers={404: _no_such_address, 405: _no_such_method},
        lifespan=_closing(service),
    )
    # A redirect would send the client to whatever its own Host header says.
    app.router.redirect_slashes = False
    return app


def _closing(service: Service) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            service.close()

    return lifespan


async def _no_such_address(request: Request, _: Exception) -> Response:
    asked = f"{request.method} {request.scope['path'][:200]}"
    return error_response(404, f"nothing is served at {asked}; served: {', '.join(ADDRESSES)}")


async def _no_such_method(request: Request, _: Exception) -> Response:
    """Name every method of the address; Starlette itself names those of its first route only."""
    allowed = sorted(
        method
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    )
    listed = ", ".join(allowed)
    text = f"{request.method} is not allowed here; expected {listed}"
    return error_response(405, text, headers={"allow": listed})
