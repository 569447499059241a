"""The bodies of all requests share a bounded memory, and each gives its share back."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_engine import FakeEngine
from support.http_server import running_server

from earmark.errors import QueueFull
from earmark.models.registry import Registry
from earmark.serving.service import Service
from earmark.web.app import create_app
from earmark.web.body_budget import BODIES, SMALL_BYTES, BodyBudget, Held

MOST = 8 * SMALL_BYTES
LARGE = 3 * SMALL_BYTES


@given(st.lists(st.lists(st.integers(1, 5 * SMALL_BYTES), max_size=3), max_size=20))
def test_what_is_held_never_exceeds_the_budget(bodies: list[list[int]]) -> None:
    """However bodies grow, the budget is kept, except by one that is alone; all is given back."""
    budget = BodyBudget(MOST)
    held = [Held(budget) for _ in bodies]
    for one, sizes in zip(held, bodies, strict=True):
        for size in sizes:
            try:
                one.reserve(size)
            except QueueFull:
                assert budget.held_bytes
        assert budget.held_bytes == sum(each.reserved for each in held)
        assert budget.held_bytes <= MOST + MOST // 4
    for one in held:
        one.give_back()
        one.give_back()
    assert budget.held_bytes == 0


def test_large_bodies_leave_room_for_small_ones() -> None:
    """While large bodies fill their budget, small bodies are let in."""
    budget = BodyBudget(MOST)
    for _ in range(2):
        Held(budget).reserve(LARGE)
    with pytest.raises(QueueFull, match="try again later"):
        Held(budget).reserve(LARGE)
    Held(budget).reserve(SMALL_BYTES)


def test_a_body_of_any_size_is_let_in_alone() -> None:
    """A body larger than the budget is let in where it is alone."""
    Held(BodyBudget(MOST)).reserve(100 * MOST)


def test_a_server_refuses_before_it_reads_and_gives_back_in_the_end() -> None:
    """A body without room gets 429 at its first byte; at the end all memory is given back."""
    engine = FakeEngine()
    app = create_app(Service(Registry([engine])))
    size = 1_900_000
    head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n{" % size
    others = Held(BODIES)
    others.reserve(128 * 1024 * 1024 - 1)
    try:
        with running_server(app) as server, server.connect() as client:
            client.sendall(head)
            assert client.recv(12) == b"HTTP/1.1 429"
        others.give_back()
        with running_server(app) as server, server.connect() as client:
            client.sendall(head)
            told = threading.Event()
            until = asyncio.run_coroutine_threadsafe(_until_held(size, told), server.loop)
            until.result(20)
        assert told.is_set()
    finally:
        others.give_back()
    assert BODIES.held_bytes == 0


async def _until_held(size: int, told: threading.Event) -> None:
    while BODIES.held_bytes != size:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    told.set()
