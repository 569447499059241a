"""Ask an app without a socket."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import httpx

from earmark.models.engines import ServedEngine
from earmark.models.on_demand import OnDemand
from earmark.models.registry import Registry
from earmark.serving.access.gate import AccessGate
from earmark.serving.limits import ServiceOptions
from earmark.serving.service import Service
from earmark.web.app import create_app
from earmark.web.options import WebOptions


@asynccontextmanager
async def asking(
    *engines: ServedEngine,
    service: ServiceOptions | None = None,
    web: WebOptions | None = None,
    gate: AccessGate | None = None,
    on_demand: OnDemand | None = None,
    models: Registry | None = None,
    alive: bool = False,
) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client on an app that serves these engines.

    Args:
        engines: what it serves.
        service: the service's options.
        web: the app's options.
        gate: who is let in.
        on_demand: what it loads when it is asked for it.
        models: what it serves, instead of the two.
        alive: start what runs beside requests, and close the engines in the end.
    """
    named = None if engines or on_demand is None else on_demand.catalogue.ids()
    models = models or Registry(engines, named=named, on_demand=on_demand)
    app = create_app(Service(models, service), web, gate=gate)
    transport = httpx.ASGITransport(app)
    async with AsyncExitStack() as stack:
        if alive:
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://earmark.test")
        )


def ask(  # noqa: PLR0913 - every part of a request that some test sets
    method: str,
    path: str,
    body: bytes | str | None = None,
    *,
    engines: tuple[ServedEngine, ...] = (),
    headers: Mapping[str, str] | None = None,
    service: ServiceOptions | None = None,
    web: WebOptions | None = None,
    gate: AccessGate | None = None,
    models: Registry | None = None,
) -> httpx.Response:
    """Send one request to an app of its own and return the answer."""

    async def scenario() -> httpx.Response:
        async with asking(*engines, service=service, web=web, gate=gate, models=models) as client:
            return await client.request(method, path, content=body, headers=headers)

    return asyncio.run(scenario())
