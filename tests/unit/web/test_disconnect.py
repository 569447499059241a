"""The work for a request ends when its connection does."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from earmark.web.disconnect import while_connected


class _Connection:
    """A connection that sends what the test sets."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[str] = asyncio.Queue()
        self.request = Request({"type": "http"}, self._receive)

    async def _receive(self) -> Message:
        return {"type": await self.messages.get()}


class _Work:
    """Work to wait for, which knows when it was cancelled."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.cancelled = False

    async def forever(self) -> None:
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


def test_an_answer_passes_through() -> None:
    """When the work is done first, its answer is returned and no task is left."""

    async def scenario() -> None:
        async def work() -> str:
            return "done"

        assert await while_connected(_Connection().request, work()) == "done"
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())


def test_a_client_that_leaves_cancels_the_work() -> None:
    """A disconnect cancels the work; the awaiting task goes on with `ClientDisconnect`."""

    async def scenario() -> None:
        connection, work = _Connection(), _Work()
        # Whatever else the server reports is not a departure.
        for message in ("http.request", "http.disconnect"):
            connection.messages.put_nowait(message)
        with pytest.raises(ClientDisconnect):
            await while_connected(connection.request, work.forever())
        assert work.cancelled
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    asyncio.run(scenario())


def test_a_cancellation_from_elsewhere_stays_one() -> None:
    """A cancellation of the task itself is passed on, and is no `ClientDisconnect`."""

    async def scenario() -> None:
        connection, work = _Connection(), _Work()
        task = asyncio.create_task(while_connected(connection.request, work.forever()))
        await work.started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert work.cancelled

    asyncio.run(scenario())


def test_an_error_of_the_work_passes_through() -> None:
    """An error of the work is raised unchanged."""

    async def scenario() -> None:
        async def work() -> None:
            raise ValueError("a bug")

        with pytest.raises(ValueError, match="a bug"):
            await while_connected(_Connection().request, work())

    asyncio.run(scenario())
