"""Every request goes through `Service`, and what it holds is given back however it ends."""

import asyncio

import pytest
from support import door
from support.fake_engine import FakeEngine, zero_shot_model

from earmark.domain.preferences import Preferences
from earmark.domain.texts import TextInput
from earmark.errors import (
    DeadlineExceeded,
    InvalidInput,
    QueueFull,
    RequestTooLarge,
    UnsupportedTask,
)
from earmark.models.registry import Registry
from earmark.serving.admission import AdmissionLimits
from earmark.serving.limits import ServiceOptions
from earmark.serving.service import Service
from earmark.tasks.text_classification import TextClassification
from earmark.tasks.zero_shot import ZeroShot

_ONE_AT_A_TIME = ServiceOptions(admission=AdmissionLimits(max_requests=1))
_PATIENCE_S = 10.0
"""Far more than any of this takes: a hang has to fail, not to stay."""
_REQUEST = TextClassification((TextInput("I like you"),))


def _service(*engines: FakeEngine, options: ServiceOptions | None = None) -> Service:
    return Service(Registry(engines), options, clock=lambda: 1000.0)


def test_a_request_is_answered_by_the_model_it_names() -> None:
    """The reply comes with the facts of the model that gave it."""
    first, second = FakeEngine("first"), FakeEngine("second")
    served = asyncio.run(door.answer(_service(first, second), "second", _REQUEST))
    assert served.info.model_id == "second"
    assert len(served.reply.results()) == 1
    assert (len(first.requests), second.requests) == (0, [_REQUEST])


@pytest.mark.parametrize(
    ("timeout_s", "expected_s"), [(None, 1060.0), (5.0, 1005.0), (99.0, 1060.0)]
)
def test_the_engine_gets_a_deadline(timeout_s: float | None, expected_s: float) -> None:
    """The deadline is now plus the caller's timeout, or the service's own where that is shorter."""
    engine = FakeEngine()
    preferences = Preferences(timeout_s=timeout_s)
    asyncio.run(door.answer(_service(engine), None, _REQUEST, preferences=preferences))
    assert engine.deadlines_s == [expected_s]


def test_too_many_texts_in_one_request_never_reach_the_engine() -> None:
    """A request with too many texts is refused; the error names the limit and a way out."""
    engine = FakeEngine()
    service = _service(engine, options=ServiceOptions(max_inputs=2))
    request = TextClassification((TextInput("x"),) * 3)
    with pytest.raises(RequestTooLarge, match="3 texts, at most 2"):
        asyncio.run(door.answer(service, None, request))
    assert engine.requests == []


@pytest.mark.parametrize(("labels", "taken"), [(4, True), (5, False)])
def test_texts_times_labels_are_bounded(labels: int, *, taken: bool) -> None:
    """Two texts beside four labels make eight pairs, and one label more is too many."""
    engine = zero_shot_model()
    service = _service(engine, options=ServiceOptions(max_inputs=8, max_texts=8))
    request = ZeroShot(("a", "b"), tuple(map(str, range(labels))))
    if taken:
        assert len(asyncio.run(door.answer(service, None, request)).reply.results()) == 2
        return
    with pytest.raises(InvalidInput, match="2 texts and 5 labels make 10 pairs, at most 8"):
        asyncio.run(door.answer(service, None, request))
    assert engine.requests == []


@pytest.mark.parametrize(
    "request_of_a_million",
    [
        ZeroShot(("x" * 10_000,), tuple(map(str, range(100)))),
        ZeroShot(("x",), ("y" * 1000,), template="{0}" * 1000),
        ZeroShot(("x",) * 100, tuple(map(str, range(100))), template="{}" + "y" * 100),
    ],
    ids=["a long text", "a template that repeats its label", "a long template"],
)
def test_characters_are_bounded_as_they_multiply(request_of_a_million: ZeroShot) -> None:
    """Characters count once for each question, so that a small body cannot ask for much work."""
    engine = zero_shot_model()
    service = _service(engine, options=ServiceOptions(max_texts=10_000, max_characters=999_999))
    with pytest.raises(InvalidInput, match="every text beside every label; at most 999,999"):
        asyncio.run(door.answer(service, None, request_of_a_million))
    assert engine.requests == []


def test_pairs_count_as_texts_in_flight() -> None:
    """Admission counts the questions that the model reads, not the inputs of the request."""
    options = ServiceOptions(max_inputs=1, max_texts=4, admission=AdmissionLimits(max_texts=5))

    async def scenario() -> None:
        engine = FakeEngine(gate=asyncio.Event())
        service = _service(engine, options=options)
        request = ZeroShot(("a",), ("w", "x", "y"))
        other = ZeroShot(("b",), ("w", "x", "y"))
        first = asyncio.create_task(door.answer(service, None, request))
        await engine.entered.wait()
        with pytest.raises(QueueFull, match="3 texts are in flight and this request brings 3"):
            await asyncio.wait_for(door.answer(service, None, other), _PATIENCE_S)
        assert engine.gate is not None
        engine.gate.set()
        await first

    asyncio.run(scenario())


def test_a_model_for_another_task_is_refused() -> None:
    """A request to a model for another task is refused; the error names the model's task."""
    engine = FakeEngine(tasks=("token-classification",))
    with pytest.raises(UnsupportedTask, match="is for token-classification"):
        asyncio.run(door.answer(_service(engine), None, _REQUEST))


def test_a_caller_beyond_the_limit_is_refused_at_once() -> None:
    """With one request in flight at most, the second is refused without waiting."""

    async def scenario() -> None:
        engine = FakeEngine(gate=asyncio.Event())
        service = _service(engine, options=_ONE_AT_A_TIME)
        first = asyncio.create_task(door.answer(service, None, _REQUEST))
        await engine.entered.wait()
        with pytest.raises(QueueFull):
            await asyncio.wait_for(door.answer(service, None, _REQUEST), _PATIENCE_S)
        assert engine.gate is not None
        engine.gate.set()
        await first

    asyncio.run(scenario())


@pytest.mark.parametrize("failure", [DeadlineExceeded("late"), RuntimeError("a bug")])
def test_a_failed_request_gives_its_permit_back(failure: Exception) -> None:
    """After a request that failed, the next one is admitted."""

    async def scenario() -> None:
        engine = FakeEngine(failure=failure)
        service = _service(engine, options=_ONE_AT_A_TIME)
        for _ in range(2):
            with pytest.raises(type(failure)):
                await door.answer(service, None, _REQUEST)

    asyncio.run(scenario())


def test_a_caller_who_leaves_gives_the_permit_back() -> None:
    """A caller's cancellation reaches the engine, and the next request is admitted."""

    async def scenario() -> None:
        gate = asyncio.Event()
        engine = FakeEngine(gate=gate)
        service = _service(engine, options=_ONE_AT_A_TIME)
        leaving = asyncio.create_task(door.answer(service, None, _REQUEST))
        await engine.entered.wait()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        gate.set()
        await door.answer(service, None, _REQUEST)
        assert engine.cancelled == 1

    asyncio.run(scenario())


def test_statuses_list_every_model_in_order() -> None:
    """Every model is listed, in order, with its present state."""
    service = _service(FakeEngine("first"), FakeEngine("second", state="stalled"))
    found = [(each.info.model_id, each.state) for each in service.statuses()]
    assert found == [("first", "ready"), ("second", "stalled")]
    assert door.status(service, "second").state == "stalled"


class _Unclosable(FakeEngine):
    def close(self) -> None:
        raise OSError("still busy")


def test_one_engine_that_fails_to_close_keeps_no_other_open() -> None:
    """All engines are closed also when one fails to; then that failure is raised."""
    last = FakeEngine("last")
    with pytest.raises(ExceptionGroup, match="failed to close"):
        _service(_Unclosable("first"), last).close()
    assert last.closed == 1


def test_a_request_limit_that_admission_would_never_grant_is_refused() -> None:
    """Options that allow a request which admission can never grant are refused."""
    with pytest.raises(ValueError, match="max_inputs is 1024 and max_texts 4096: expected 1 or"):
        ServiceOptions(admission=AdmissionLimits(max_texts=10))
