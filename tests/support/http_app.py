"""Ask an app without a socket."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from earmark.serving.access.gate import AccessGate
from earmark.serving.models import ServedEngine, ServedModels
from earmark.serving.service import Service, ServiceOptions
from earmark.web.app import WebOptions, create_app

__all__ = ["ask", "asking"]


@asynccontextmanager
async def asking(
    *engines: ServedEngine,
    service: ServiceOptions | None = None,
    web: WebOptions | None = None,
    gate: AccessGate | None = None,
) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client on an app that serves these engines."""
    app = create_app(Service(ServedModels(engines), service), web, gate=gate)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://earmark.test") as client:
        yield client


def ask(  # noqa: PLR0913 - every part of a request that some test sets
    method: str,
    path: str,
    body: bytes | str | None = None,
    *,
    engines: tuple[ServedEngine, ...],
    headers: Mapping[str, str] | None = None,
    service: ServiceOptions | None = None,
    web: WebOptions | None = None,
    gate: AccessGate | None = None,
) -> httpx.Response:
    """Send one request to an app of its own and return the answer."""

    async def scenario() -> httpx.Response:
        async with asking(*engines, service=service, web=web, gate=gate) as client:
            return await client.request(method, path, content=body, headers=headers)

    return asyncio.run(scenario())
