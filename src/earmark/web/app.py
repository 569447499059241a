"""The ASGI app: every dialect's routes behind the same few layers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from earmark import __version__
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.store import KeysInMemory
from earmark.serving.jobs.runner import JobRunner
from earmark.serving.jobs.store import MemoryJobs
from earmark.serving.service import Service
from earmark.web.access import AccessControl, AccessForm
from earmark.web.answer_headers import EXPOSED_HEADERS
from earmark.web.dialect import Dialect, DialectParts
from earmark.web.dialects import DESCRIPTION, DIALECTS, LOOKUP_ERRORS
from earmark.web.nearest_address import nearest_addresses
from earmark.web.openapi.document import build_document
from earmark.web.openapi.parts import Json, Operation
from earmark.web.openapi.shared_answers import COMPONENTS
from earmark.web.options import WebOptions
from earmark.web.pages.documentation import documentation_operations
from earmark.web.pages.routes import Pages
from earmark.web.plain_errors import no_such_address, no_such_method
from earmark.web.request_log import RequestLog

_SHOWN_HEADERS: Final = (
    "x-request-id",
    "retry-after",
    *(header for dialect in DIALECTS for header in dialect.shown_headers),
    *EXPOSED_HEADERS,
)
"""What a browser may show to the page that asked."""

_OPERATIONS: Final[tuple[Operation, ...]] = (
    *(each for dialect in DIALECTS for each in dialect.operations),
    *documentation_operations(LOOKUP_ERRORS),
)
_COMPONENTS: Final = (*(dialect.components for dialect in DIALECTS), COMPONENTS)
_ADDRESSES: Final = tuple(each.address for each in _OPERATIONS)
"""Every address of every dialect, as the index lists them."""


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
    parts = DialectParts(service=service, jobs=jobs or JobRunner(MemoryJobs()), options=options)
    dialects = [dialect(parts) for dialect in DIALECTS]
    owned = [(each, tuple(each.routes())) for each in dialects]
    pages = Pages(service, _document(), version=__version__, addresses=_ADDRESSES)
    app = Starlette(
        routes=[*(route for _, routes in owned for route in routes), *pages.routes()],
        middleware=[
            Middleware(RequestLog),
            Middleware(TrailingSlashes),
            _pages_of(options.cors_origins),
            Middleware(
                AccessControl,
                gate=gate or AccessGate(KeysInMemory()),
                hosts=options.hosts,
                forms=_access_forms(dialects, pages),
            ),
        ],
        exception_handlers={
            404: _no_such_address(service, dialects),
            405: _no_such_method(owned),
        },
        lifespan=_living(service, dialects),
    )
    # A redirect would send the client to the host that its own Host header names.
    app.router.redirect_slashes = False
    return app


class TrailingSlashes:
    """ASGI middleware: serves an address that ends in slashes as the one without them.

    A redirect would not do: it would send the client to the host that its own header names, and
    many clients do not send a body a second time.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        await self._app(scope, receive, send)


def _access_forms(dialects: Sequence[Dialect], pages: Pages) -> list[AccessForm]:
    """Return how callers present a key; forms of longer prefixes come first."""
    forms = [form for each in dialects for form in each.access_forms()]
    return sorted((*forms, *pages.access_forms()), key=lambda form: len(form.prefix), reverse=True)


def _pages_of(origins: tuple[str, ...]) -> Middleware:
    """Return the middleware that lets pages of these origins send requests."""
    return Middleware(
        CORSMiddleware,
        allow_origins=origins,
        # The browser demands named origins where a page sends credentials along.
        allow_credentials="*" not in origins,
        allow_methods=("GET", "POST"),
        # Every header: SDKs, tracing and frameworks add headers of their own, and a page that may
        # send requests at all gains nothing by them.
        allow_headers=("*",),
        # A page of the web that sends requests to the reader's machine or network (WICG, Private
        # Network Access); `allow_origins` decides which pages may.
        allow_private_network=True,
        expose_headers=_SHOWN_HEADERS,
    )


@cache
def _document() -> dict[str, Json]:
    """Describe what all dialects serve: the same for every app."""
    return build_document(
        _OPERATIONS, components=_COMPONENTS, description=DESCRIPTION, version=__version__
    )


def _living(
    service: Service, dialects: Sequence[Dialect]
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            async with AsyncExitStack() as stack:
                for each in dialects:
                    await stack.enter_async_context(each.running())
                yield
        finally:
            service.close()

    return lifespan


def _dialect_of(path: str, dialects: Sequence[Dialect]) -> Dialect | None:
    """Return the dialect whose prefix a path has; None where no prefix covers it."""
    return next((each for each in dialects if path.startswith(each.prefixes)), None)


def _no_such_address(
    service: Service, dialects: Sequence[Dialect]
) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, _: Exception) -> Response:
        path: str = request.scope["path"]
        near = nearest_addresses(path, _ADDRESSES)
        model_id = path.strip("/")
        if service.models.at_hand(model_id):
            near = (f"POST /models/{model_id}", *near)
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        hint = f"{meant}GET /docs shows every address, GET /openapi.json lists them for programs"
        asked = f"{request.method} {path[:200]}"
        dialect = _dialect_of(path, dialects)
        if dialect is not None:
            return dialect.no_such_address(asked, hint)
        return no_such_address(asked, hint)

    return answer


def _no_such_method(
    owned: Sequence[tuple[Dialect, Sequence[Route]]],
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Answer in the words of the dialect that has the address.

    Every method of the address is named; Starlette itself names those of its first route only.
    """

    async def answer(request: Request, _: Exception) -> Response:
        scope = request.scope
        allowed = sorted(
            {
                method
                for route in request.app.routes
                if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE
                for method in route.methods or ()
            }
        )
        for dialect, routes in owned:
            if any(route.matches(scope)[0] is not Match.NONE for route in routes):
                return dialect.no_such_method(request.method, allowed)
        return no_such_method(request.method, allowed)

    return answer
