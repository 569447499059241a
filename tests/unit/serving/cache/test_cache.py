"""No text is run twice, and every caller gets the answer that the engine alone would give."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from support import door as the_door
from support.fake_engine import FAKE_TIMINGS, FakeEngine, zero_shot_model
from support.held_engine import HeldEngine, ripple

from earmark.domain.preferences import NO_PREFERENCES, Preferences
from earmark.domain.results import Classification
from earmark.domain.texts import TextInput
from earmark.domain.timings import Timings
from earmark.errors import (
    CapacityError,
    DeadlineExceeded,
    EarmarkError,
    InvalidInput,
    NonFiniteScore,
    QueueFull,
    ShuttingDown,
)
from earmark.models.registry import Registry
from earmark.serving.admission import AdmissionLimits
from earmark.serving.cache.use import CacheUse
from earmark.serving.limits import ServiceOptions
from earmark.serving.service import Served, Service
from earmark.tasks.text_classification import TextClassification
from earmark.tasks.zero_shot import ZeroShot

_ANEW = Preferences(use_cache=False)
_ONE_AT_A_TIME = ServiceOptions(admission=AdmissionLimits(max_requests=1))


def _request(*texts: str) -> TextClassification:
    return TextClassification(tuple(map(TextInput, texts)))


async def _alone(*texts: str) -> tuple[Classification | EarmarkError, ...]:
    """Ask an engine without a cache."""
    return (await FakeEngine().answer(_request(*texts))).outcomes


class _Door:
    """A service in front of a held engine, and the requests that were sent."""

    def __init__(
        self, engine: HeldEngine | None = None, options: ServiceOptions | None = None
    ) -> None:
        self.engine = engine or HeldEngine()
        self.now_s = 1000.0
        self.service = Service(Registry([self.engine]), options, clock=lambda: self.now_s)

    async def ask(
        self, *texts: str, preferences: Preferences = NO_PREFERENCES
    ) -> "asyncio.Task[Served[Classification]]":
        """Send a request, and let it come as far as it can."""
        answer = the_door.answer(self.service, None, _request(*texts), preferences=preferences)
        task = asyncio.create_task(answer)
        await ripple()
        return task

    async def know(self, *texts: str) -> None:
        """Have texts run, so that they are known."""
        task = await self.ask(*texts)
        self.engine.calls.pop().finish()
        await task


def _scenario(body: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test on an event loop of its own."""

    def run() -> None:
        asyncio.run(body())

    run.__name__, run.__doc__ = body.__name__, body.__doc__
    return run


@_scenario
async def test_only_what_is_not_known_is_run() -> None:
    """Of ten texts of which seven are known, three are run; the answers keep their order."""
    door, texts = _Door(), [f"text {number}" for number in range(10)]
    await door.know(*texts[1:4], *texts[5:9])
    task = await door.ask(*texts)
    (call,) = door.engine.calls
    assert call.texts == [texts[0], texts[4], texts[9]]
    call.finish()
    served = await task
    assert served.reply.outcomes == await _alone(*texts)
    assert served.cached == CacheUse(hits=7)


@_scenario
async def test_a_text_that_stands_twice_is_run_once() -> None:
    """A text that a request repeats is run once; the other times count as joined."""
    door = _Door()
    task = await door.ask("a", "b", "a", "a")
    (call,) = door.engine.calls
    assert call.texts == ["a", "b"]
    call.finish()
    served = await task
    assert served.reply.outcomes == await _alone("a", "b", "a", "a")
    assert served.cached == CacheUse(joined=2)


@_scenario
async def test_what_is_known_is_answered_at_once_also_when_nothing_else_is() -> None:
    """A request whose texts are all known needs no permit, no tokens and no time."""
    door = _Door(options=_ONE_AT_A_TIME)
    await door.know("a")
    busy = await door.ask("b")
    served = await (await door.ask("a"))
    assert served.reply.timings == Timings(
        tokenize_ms=0.0, queue_wait_ms=0.0, run_ms=0.0, total_ms=0.0
    )
    assert served.cached == CacheUse(hits=1)
    door.engine.calls[0].finish()
    assert (await busy).reply.timings == FAKE_TIMINGS


@_scenario
async def test_a_text_in_flight_is_joined() -> None:
    """Two requests for the same text share one run; the second also runs a text of its own."""
    door = _Door()
    first = await door.ask("a", "b")
    second = await door.ask("b", "c")
    third = await door.ask("c", "a")
    assert [call.texts for call in door.engine.calls] == [["a", "b"], ["c"]]
    door.now_s += 2.0
    for call in door.engine.calls:
        call.finish()
    alone = await _alone("a", "b", "c")
    assert (await first).reply.outcomes == alone[:2]
    assert (await second).reply.outcomes == alone[1:]
    assert (await third).reply.outcomes == (alone[2], alone[0])
    assert (await second).reply.timings == replace(FAKE_TIMINGS, total_ms=2000.0)
    assert (await third).reply.timings.run_ms == 0.0
    assert [(await one).cached.joined for one in (first, second, third)] == [0, 1, 2]


@_scenario
async def test_a_run_outlives_the_request_that_started_it() -> None:
    """A run goes on while other requests wait, and keeps its permit until it ends."""
    door = _Door(options=ServiceOptions(admission=AdmissionLimits(max_requests=2)))
    starter = await door.ask("a", "b")
    joiner = await door.ask("b")
    starter.cancel()
    await ripple()
    assert starter.cancelled()
    refused = await door.ask("c")
    with pytest.raises(QueueFull):
        await refused
    (call,) = door.engine.calls
    assert not call.left
    call.finish()
    served = await joiner
    assert served.reply.outcomes == await _alone("b")
    await door.know("c")


@_scenario
async def test_a_run_ends_with_the_last_who_waits_for_it() -> None:
    """When the last request leaves, the queue drops the texts; a later request runs them again."""
    door = _Door(options=ServiceOptions(admission=AdmissionLimits(max_requests=2)))
    starter, joiner = await door.ask("a"), await door.ask("a")
    for task in (starter, joiner):
        assert not door.engine.calls[0].left
        task.cancel()
        await ripple()
    assert door.engine.calls.pop(0).left
    again = await door.ask("a")
    door.engine.calls[0].finish()
    assert (await again).cached == CacheUse()


@pytest.mark.parametrize(
    ("failure", "whole"),
    [
        (DeadlineExceeded("late"), False),
        (ShuttingDown("closing"), False),
        (QueueFull("full"), True),
        (InvalidInput("another text holds a lone surrogate"), True),
        (OSError(), True),
    ],
)
def test_what_befell_the_starter_alone_is_not_passed_on(failure: Exception, *, whole: bool) -> None:
    """A failed run, or its starter's deadline, is not passed on: the joined text runs once more."""

    async def scenario() -> None:
        door = _Door()
        starter = await door.ask("a", "b")
        joiners = [await door.ask("b") for _ in range(3)]
        if whole:
            door.engine.calls[0].fail(failure)
        elif isinstance(failure, CapacityError):
            door.engine.calls[0].finish({"a": failure, "b": failure})
        await ripple()
        told = starter.exception() or starter.result().reply.outcomes[0]
        assert told is failure
        assert [call.texts for call in door.engine.open_calls] == [["b"]]
        door.engine.calls[-1].finish()
        alone = await _alone("b")
        assert [(await one).reply.outcomes for one in joiners] == [alone] * 3

    asyncio.run(scenario())


@pytest.mark.parametrize("failure", [RuntimeError("a bug"), ShuttingDown("closing")])
def test_an_engine_that_goes_on_failing_fails_everyone_once(failure: Exception) -> None:
    """Each caller gets one error, after at most a run for each; from the third on, all at once."""

    async def scenario() -> None:
        door = _Door()
        tasks = [await door.ask("a") for _ in range(20)]
        most_at_once = 0
        while door.engine.open_calls:
            most_at_once = max(most_at_once, len(door.engine.open_calls))
            door.engine.open_calls[0].fail(failure)
            await ripple()
        assert [task.exception() for task in tasks] == [failure] * 20
        assert len(door.engine.calls) == 20
        assert most_at_once == 18

    asyncio.run(scenario())


@_scenario
async def test_a_request_whose_own_run_fails_waits_for_no_other() -> None:
    """A request whose own run fails gets its error at once, without waiting for joined runs."""
    door = _Door()
    other = await door.ask("a")
    task = await door.ask("a", "b")
    door.engine.calls[1].fail(RuntimeError("a bug"))
    await ripple()
    assert isinstance(task.exception(), RuntimeError)
    assert not door.engine.calls[0].left
    door.engine.calls[0].finish()
    await other


@pytest.mark.parametrize("failure", [InvalidInput("too long"), NonFiniteScore("NaN")])
def test_a_texts_own_failure_is_shared_but_not_kept(failure: EarmarkError) -> None:
    """A text's own error goes to all requests that joined, and a later request runs it again."""

    async def scenario() -> None:
        door = _Door()
        starter, joiner = await door.ask("a", "b"), await door.ask("b")
        door.engine.calls.pop().finish({"b": failure})
        assert (await starter).reply.outcomes[1] is failure
        assert (await joiner).reply.outcomes == (failure,)
        await door.know("b")

    asyncio.run(scenario())


@_scenario
async def test_who_joins_waits_no_longer_than_he_would_alone() -> None:
    """A request that joins a run has its own deadline; the run goes on for its starter."""
    door = _Door()
    starter = await door.ask("a")
    hasty = await door.ask("a", preferences=Preferences(timeout_s=0.0))
    (outcome,) = (await hasty).reply.outcomes
    assert isinstance(outcome, DeadlineExceeded)
    assert not door.engine.calls[0].left
    door.engine.calls[0].finish()
    await starter


@_scenario
async def test_who_waits_for_others_only_counts_as_a_request_all_the_same() -> None:
    """A request that only joins runs takes a permit for one request and no text."""
    limits = AdmissionLimits(max_requests=2, max_texts=1)
    door = _Door(options=ServiceOptions(max_inputs=1, max_texts=1, admission=limits))
    starter, joiner = await door.ask("a"), await door.ask("a")
    refused = await door.ask("a")
    with pytest.raises(QueueFull, match="2 requests"):
        await refused
    door.engine.calls[0].finish()
    await asyncio.gather(starter, joiner)


@_scenario
async def test_who_wants_no_cache_gets_a_run_of_his_own() -> None:
    """A request without the cache neither reads nor joins, but its results are kept."""
    door = _Door()
    first, anew = await door.ask("a"), await door.ask("a", preferences=_ANEW)
    assert [call.texts for call in door.engine.calls] == [["a"], ["a"]]
    door.engine.calls[1].finish()
    assert (await anew).cached == CacheUse()
    assert (await (await door.ask("a"))).cached == CacheUse(hits=1)
    door.engine.calls[0].finish()
    await first
    again = await door.ask("a", "a", preferences=_ANEW)
    assert door.engine.calls[2].texts == ["a", "a"]
    door.engine.calls[2].finish({"a": NonFiniteScore("NaN")})
    assert isinstance((await again).reply.outcomes[1], NonFiniteScore)
    assert (await (await door.ask("a"))).cached == CacheUse(hits=1)


@_scenario
async def test_without_memory_nothing_is_kept_and_nothing_joined() -> None:
    """With a store of 0 bytes every request runs all of its texts."""
    door = _Door(options=ServiceOptions(cache_bytes=0))
    tasks = [await door.ask("a", "a") for _ in range(2)]
    assert [call.texts for call in door.engine.calls] == [["a", "a"]] * 2
    for call in door.engine.calls:
        call.finish()
    assert [(await task).cached for task in tasks] == [CacheUse()] * 2
    assert the_door.status(door.service, None).cache is None


@_scenario
async def test_a_result_too_large_to_keep_is_answered_and_run_again() -> None:
    """A result larger than the store is answered, and the text is run again the next time."""
    door = _Door(options=ServiceOptions(cache_bytes=1))
    await door.know("a")
    await door.know("a")


@_scenario
async def test_a_model_loaded_anew_under_an_id_answers_for_itself() -> None:
    """After a new load under the same id, no old result and no old run is used."""
    door = _Door()
    await door.know("a")
    old = await door.ask("b")
    door.engine.identity = "as loaded again"
    new = await door.ask("a", "b")
    assert [call.texts for call in door.engine.calls] == [["b"], ["a", "b"]]
    for call in door.engine.calls:
        call.finish()
    await asyncio.gather(old, new)


@_scenario
async def test_what_the_cache_did_is_told_per_model() -> None:
    """Hits, joins and misses are counted per model; every answered input counts once."""
    door = _Door()
    await door.know("a", "a", "b")
    await (await door.ask("a", "b"))
    state = the_door.status(door.service, None).cache
    assert state is not None
    assert (state.hits, state.joined, state.misses) == (2, 1, 2)
    assert state.hit_rate == 0.6
    assert state.store.entries == 2
    assert 0 < state.store.bytes < state.store.limit_bytes == ServiceOptions().cache_bytes


@pytest.mark.parametrize("known", [(), ("a", "b")])
def test_a_refused_text_is_named_by_its_place_in_the_request(known: tuple[str, ...]) -> None:
    """The error names a text's place in the request, not its place among the texts that ran."""

    async def scenario() -> None:
        service = Service(Registry([FakeEngine()]))
        texts = ("a", "b", "x " * 99)
        request = replace(_request(*texts), truncate=False)
        if known:
            await the_door.answer(service, None, replace(_request(*known), truncate=False))
        served = await the_door.answer(service, None, request)
        assert served.cached.hits == len(known)
        with pytest.raises(InvalidInput, match="input 2: a text is 85 tokens too long"):
            served.reply.results()

    asyncio.run(scenario())


@_scenario
async def test_of_zero_shot_only_new_texts_are_run_beside_all_labels() -> None:
    """Only new texts are run; the permit counts new texts times all labels."""
    engine = zero_shot_model()
    service = Service(Registry([engine]))
    request = ZeroShot(("a", "b"), ("x", "y"))
    first = await the_door.answer(service, None, request.only([0]))
    both = await the_door.answer(service, None, request)
    assert [one.texts for one in engine.requests] == [2, 2]
    assert both.reply.outcomes[0] == first.reply.outcomes[0]
    assert both.cached == CacheUse(hits=1)
