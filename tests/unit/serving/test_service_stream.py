"""A stream goes through `Service` as well, and holds its permit to the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from support import door
from support.fake_engine import FakeEngine, token_labeller

from earmark.domain.preferences import Preferences
from earmark.engine.streaming import Found
from earmark.errors import (
    CapacityError,
    DeadlineExceeded,
    QueueFull,
    RequestTooLarge,
    UnknownModel,
    UnsupportedTask,
)
from earmark.models.registry import Registry
from earmark.serving.admission import AdmissionLimits
from earmark.serving.limits import ServiceOptions
from earmark.serving.service import Service
from earmark.tasks.token_classification import TokenClassification

_ONE_AT_A_TIME = ServiceOptions(admission=AdmissionLimits(max_requests=1))
_PATIENCE_S = 10.0
"""Far more than any of this takes: a hang has to fail, not to stay."""
_NOW_S = 1000.0
_REQUEST = TokenClassification(("Ann",), ignore_labels=frozenset())


def _service(*engines: FakeEngine, options: ServiceOptions | None = None) -> Service:
    return Service(Registry(engines), options, clock=lambda: _NOW_S)


@asynccontextmanager
async def _admitted(service: Service) -> AsyncIterator[None]:
    """Ask for a stream of which nothing is read."""
    async with door.stream(service, None, _REQUEST):
        yield


def test_a_stream_comes_from_the_model_it_names() -> None:
    """A stream has the facts of the model that it names, and everything that was found."""
    first, second = token_labeller("first"), token_labeller("second")

    async def scenario() -> None:
        # The engine reads deadlines on its own clock, on which 1,060 s may long have passed.
        asked = Preferences(timeout_s=float("inf"))
        service = _service(first, second)
        async with door.stream(service, "second", _REQUEST, preferences=asked) as served:
            assert served.info.model_id == "second"
            [found] = [one async for one in served.stream]
        assert isinstance(found, Found)
        assert [entity.word for entity in found.entities] == ["Ann"]

    asyncio.run(scenario())
    assert (len(first.requests), second.requests) == (0, [_REQUEST])


@pytest.mark.parametrize(("timeout_s", "expected_s"), [(None, 1060.0), (5.0, 1005.0)])
def test_the_engine_gets_a_deadline(timeout_s: float | None, expected_s: float) -> None:
    """A stream's deadline is now plus the caller's timeout, or plus the service's own."""
    engine = token_labeller()

    async def scenario() -> None:
        asked = Preferences(timeout_s=timeout_s)
        async with door.stream(_service(engine), None, _REQUEST, preferences=asked):
            pass

    asyncio.run(scenario())
    assert engine.deadlines_s == [expected_s]


@pytest.mark.parametrize(
    ("engine", "model_id", "request_", "error"),
    [
        (token_labeller(), "nobody", _REQUEST, UnknownModel),
        (FakeEngine(), None, _REQUEST, UnsupportedTask),
        (token_labeller(), None, TokenClassification(("x",) * 1025), RequestTooLarge),
    ],
    ids=["an unknown model", "a model for another task", "too many texts"],
)
def test_what_a_plain_request_may_not_ask_a_stream_may_not_either(
    engine: FakeEngine, model_id: str | None, request_: TokenClassification, error: type[Exception]
) -> None:
    """A stream over the limits is refused before it reaches the engine."""

    async def scenario() -> None:
        with pytest.raises(error):
            async with door.stream(_service(engine), model_id, request_):
                pass

    asyncio.run(scenario())
    assert engine.requests == []


def test_the_permit_is_held_until_the_stream_is_left() -> None:
    """A stream that was read to its end keeps its permit until it is closed."""
    engine = token_labeller()
    service = _service(engine, options=_ONE_AT_A_TIME)

    async def scenario() -> None:
        async with door.stream(service, None, _REQUEST) as served:
            assert [one async for one in served.stream]
            with pytest.raises(QueueFull):
                await asyncio.wait_for(door.answer(service, None, _REQUEST), _PATIENCE_S)
            assert not engine.left.is_set()
        assert engine.left.is_set()
        await door.answer(service, None, _REQUEST)

    asyncio.run(scenario())


@pytest.mark.parametrize("failure", [DeadlineExceeded("late"), RuntimeError("a bug")])
def test_a_stream_that_does_not_begin_gives_its_permit_back(failure: Exception) -> None:
    """After a stream that fails to begin, the next request is admitted."""
    engine = token_labeller()
    engine.failure = failure
    service = _service(engine, options=_ONE_AT_A_TIME)

    async def scenario() -> None:
        for _ in range(2):
            with pytest.raises(type(failure)):
                async with door.stream(service, None, _REQUEST):
                    pass

    asyncio.run(scenario())


@pytest.mark.parametrize("held_back", [0, 1], ids=["before it begins", "while it waits"])
def test_a_caller_who_leaves_gives_the_permit_back_and_drops_his_windows(held_back: int) -> None:
    """A caller's cancellation reaches the engine, and the next request is admitted."""

    async def scenario() -> None:
        gate = asyncio.Event()
        engine = token_labeller()
        engine.held_back = held_back
        engine.gate = None if held_back else gate
        service = _service(engine, options=_ONE_AT_A_TIME)

        async def listen() -> None:
            asked = Preferences(timeout_s=float("inf"))
            async with door.stream(service, None, _REQUEST, preferences=asked) as served:
                gate.set()
                async for _ in served.stream:
                    pass

        leaving = asyncio.create_task(listen())
        await (gate.wait() if held_back else engine.entered.wait())
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert engine.left.is_set()
        gate.set()
        engine.held_back = 0
        async with door.stream(service, None, _REQUEST):
            with pytest.raises(CapacityError):
                await door.answer(service, None, _REQUEST)

    asyncio.run(scenario())
