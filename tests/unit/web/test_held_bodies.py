"""Many clients that each hold back the end of a large body."""

import asyncio
import tracemalloc
from collections import Counter

from starlette.types import Message
from support.fake_engine import FakeEngine

from earmark.models.registry import Registry
from earmark.serving.service import Service
from earmark.web.app import create_app
from earmark.web.body_budget import BODIES

CLIENTS = 500
BODY_BYTES = 2_000_000
CHUNK_BYTES, CHUNKS = 65_536, 29
"""1.9 MB, in pieces as a server reads them."""
BUDGET_BYTES = 128 * 1024 * 1024
BESIDE_BYTES = 32 * 1024 * 1024
"""For 500 requests themselves."""


def test_clients_that_hold_bodies_cost_no_more_than_the_budget() -> None:
    """67 bodies of 2 MB fit in 128 MiB; the other requests get 429 before they are read."""
    statuses: Counter[int] = Counter()
    app = create_app(Service(Registry([FakeEngine()])))

    async def client() -> None:
        never, sent = asyncio.Event(), 0

        async def receive() -> Message:
            nonlocal sent
            if sent == CHUNKS:
                await never.wait()
            sent += 1
            return {"type": "http.request", "body": bytes(CHUNK_BYTES), "more_body": True}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses[message["status"]] += 1

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/models/acme/tc",
            "query_string": b"",
            "headers": [(b"host", b"x"), (b"content-length", str(BODY_BYTES).encode())],
            "client": ("127.0.0.1", 4000),
        }
        await app(scope, receive, send)

    async def scenario() -> int:
        before, _ = tracemalloc.get_traced_memory()
        tasks = [asyncio.create_task(client()) for _ in range(CLIENTS)]
        for _ in range(100):
            await asyncio.sleep(0)
        taken = tracemalloc.get_traced_memory()[0] - before
        assert statuses == {429: CLIENTS - BUDGET_BYTES // BODY_BYTES}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return taken

    tracemalloc.start()
    try:
        taken = asyncio.run(scenario())
    finally:
        tracemalloc.stop()
    assert taken < BUDGET_BYTES + BESIDE_BYTES
    assert BODIES.held_bytes == 0
