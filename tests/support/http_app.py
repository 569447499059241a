"""Ask an app without a socket."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from earmark.serving.access.gate import AccessGate
from earmark.serving.engines import ServedEngine
from earmark.serving.models import ServedModels
from earmark.serving.on_demand import OnDemand
from earmark.serving.service import Service, ServiceOptions
from earmark.web.app import WebOptions, create_app

__all__ = ["ask", "asking"]


@asynccontextmanager
async def asking(
    *engines: ServedEngine,
    service: ServiceOptions | None = None,
    web: WebOptions | None = None,
    gate: AccessGate | None = None,
    on_demand: OnDemand | None = None,
) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client on an app that serves these engines, and what it loads on demand."""
    named = None if engines or on_demand is None else on_demand.ids()
    models = ServedModels(engines, named=named, on_demand=on_demand)
    app = create_app(Service(models, service), web, gate=gate)
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
