"""A model that is not served is looked up once for all who ask, and the answer is remembered."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs
from support.fake_hub import FakeHub, found, policy

from earmark.errors import (
    EarmarkError,
    ModelOutOfReach,
    QueueFull,
    ShuttingDown,
    UnsupportedCheckpoint,
    UnusableModel,
)
from earmark.models.discovery import Discovery, DiscoveryOptions
from earmark.models.policy import HubPolicy
from earmark.serving.access.keys import new_key
from earmark.serving.access.store import KeysInMemory

_PATIENCE_S = 10.0
"""Far more than any of this takes: a hang has to fail, not to stay."""


def _discovery(
    hub: FakeHub,
    rule: HubPolicy | None = None,
    options: DiscoveryOptions | None = None,
    *,
    clock: Callable[[], float] = lambda: 0.0,
) -> Discovery:
    return Discovery(hub, rule or policy(), options, clock=clock)


async def _discover(discovery: Discovery, model_id: str = "org/name", *, here: bool = True) -> bool:
    return await asyncio.wait_for(discovery.discover(model_id, here=here), _PATIENCE_S)


async def _entered(hub: FakeHub) -> None:
    assert await asyncio.to_thread(hub.entered.wait, _PATIENCE_S)


def test_a_model_of_the_hub_is_found_and_known_from_then_on() -> None:
    """Once the Hub has said that it has a model, it is not asked again."""

    async def scenario() -> None:
        hub = FakeHub(frozenset({"org/name"}))
        discovery = _discovery(hub)
        assert discovery.find("org/name") is None
        assert await _discover(discovery)
        assert await _discover(discovery)
        assert discovery.find("org/name") == found("org/name")
        assert hub.asked == ["org/name"]

    asyncio.run(scenario())


def test_callers_that_ask_at_the_same_time_share_one_question() -> None:
    """A caller that leaves does not end the look-up for the others."""

    async def scenario() -> None:
        hub = FakeHub(frozenset({"org/name"}), gate=threading.Event())
        discovery = _discovery(hub)
        asking = [asyncio.create_task(_discover(discovery)) for _ in range(5)]
        await _entered(hub)
        asking[0].cancel()
        assert hub.gate is not None
        hub.gate.set()
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
        assert isinstance(outcomes[0], asyncio.CancelledError)
        assert outcomes[1:] == [True] * 4
        assert hub.asked == ["org/name"]

    asyncio.run(scenario())


def test_only_so_many_are_looked_up_at_once_and_only_so_many_wait() -> None:
    """One caller more is refused; the others are answered in the order in which they came."""

    async def scenario() -> None:
        hub = FakeHub(frozenset({"org/a", "org/b", "org/c"}), gate=threading.Event())
        discovery = _discovery(hub, options=DiscoveryOptions(at_once=1, waiting=2))
        first = asyncio.create_task(_discover(discovery, "org/a"))
        await _entered(hub)
        others = [asyncio.create_task(_discover(discovery, f"org/{name}")) for name in "bc"]
        for _ in range(3):  # until both have reached the queue
            await asyncio.sleep(0)
        with pytest.raises(QueueFull, match="2 models of the Hub wait"):
            await _discover(discovery, "org/d")
        assert hub.asked == ["org/a"]
        assert hub.gate is not None
        hub.gate.set()
        assert await asyncio.gather(first, *others) == [True] * 3
        assert hub.asked == ["org/a", "org/b", "org/c"]

    asyncio.run(scenario())


def test_a_model_that_there_is_not_is_asked_for_again_after_a_while() -> None:
    """It may have been created since; the log mentions it once."""

    async def scenario() -> None:
        hub, now_s = FakeHub(), [100.0]
        discovery = _discovery(hub, clock=lambda: now_s[0])
        with capture_logs() as logs:
            assert not await _discover(discovery)
            now_s[0] = 159.0
            assert not await _discover(discovery)
            assert len(hub.asked) == 1
            now_s[0] = 160.0
            assert not await _discover(discovery)
            assert len(hub.asked) == 2
            hub.models = frozenset({"org/name"})
            now_s[0] = 220.0
            assert await _discover(discovery)
        assert [(line["model"], line["refused"]) for line in logs] == [
            ("org/name", "hub.test has no model org/name")
        ]

    asyncio.run(scenario())


def test_a_model_that_cannot_run_says_why() -> None:
    """Every caller gets the reason, and the Hub is asked once."""

    async def scenario() -> None:
        hub = FakeHub(failures={"org/name": UnsupportedCheckpoint("it writes text")})
        discovery = _discovery(hub)
        for _ in range(2):
            with pytest.raises(UnusableModel, match=r"^Model org/name cannot run here: it writes"):
                await _discover(discovery)
        assert (len(hub.asked), discovery.find("org/name")) == (1, None)

    asyncio.run(scenario())


def test_a_hub_that_cannot_be_reached_is_asked_again_soon() -> None:
    """The error says when to ask again, and does not name the address of the Hub."""

    async def scenario() -> None:
        hub, now_s = FakeHub(frozenset({"org/name"}), reachable=False), [100.0]
        discovery = _discovery(hub, clock=lambda: now_s[0])
        with pytest.raises(ModelOutOfReach, match="cannot be asked for org/name") as first:
            await _discover(discovery)
        now_s[0] = 107.0
        with pytest.raises(ModelOutOfReach) as second:
            await _discover(discovery)
        assert (first.value.retry_after_s, second.value.retry_after_s) == (10.0, 3.0)
        assert "hub.test" not in str(first.value)
        hub.reachable, now_s[0] = True, 110.0
        assert await _discover(discovery)

    asyncio.run(scenario())


def test_a_caller_that_waits_is_held_until_the_hub_may_be_asked_again() -> None:
    """A caller is held no longer than it asked for and the options allow."""

    async def scenario() -> None:
        hub, now_s, slept = FakeHub(frozenset({"org/name"}), reachable=False), [0.0], list[float]()

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            now_s[0] += seconds
            hub.reachable = len(slept) == 2

        discovery = Discovery(
            hub, policy(), DiscoveryOptions(hold_s=25.0), clock=lambda: now_s[0], sleep=sleep
        )
        assert await discovery.discover("org/name", here=True, hold_s=60.0)
        assert (slept, len(hub.asked)) == ([10.0, 10.0], 3)
        hub.reachable = False
        with pytest.raises(ModelOutOfReach):
            await discovery.discover("org/other", here=True, hold_s=60.0)
        assert now_s[0] == 40.0

    asyncio.run(scenario())


def test_nobody_waits_for_ever_for_an_answer_of_the_hub() -> None:
    """The look-up goes on, and its answer is kept for later callers."""

    async def scenario() -> None:
        hub = FakeHub(frozenset({"org/name"}), gate=threading.Event())
        discovery = _discovery(hub, options=DiscoveryOptions(patience_s=0.01))
        with pytest.raises(ModelOutOfReach, match="has not said yet what org/name is"):
            await _discover(discovery)
        assert hub.gate is not None
        hub.gate.set()
        async with asyncio.timeout(_PATIENCE_S):
            while discovery.find("org/name") is None:  # noqa: ASYNC110 - a thread makes it true
                await asyncio.sleep(0)

    asyncio.run(scenario())


@pytest.mark.parametrize("model_id", ["@cf/org/name", "org/name@main", "org/name/info", "name", ""])
def test_what_can_be_no_id_of_the_hub_is_never_asked_for(model_id: str) -> None:
    """A name that cannot be an id is not looked up, and not logged."""

    async def scenario() -> None:
        hub = FakeHub()
        with capture_logs() as logs:
            assert not await _discover(_discovery(hub), model_id)
        assert (hub.asked, logs) == ([], [])

    asyncio.run(scenario())


def test_what_may_not_be_fetched_is_not_asked_for() -> None:
    """The log has the reason for the refusal, once for each id."""

    async def scenario() -> None:
        hub = FakeHub(frozenset({"org/name"}))
        discovery = _discovery(hub, policy("other/*"))
        with capture_logs() as logs:
            assert [await _discover(discovery) for _ in range(3)] == [False] * 3
        assert hub.asked == []
        assert [line["refused"] for line in logs] == ["hub_models is other/*"]

    asyncio.run(scenario())


def test_a_key_takes_away_what_was_found_without_one() -> None:
    """A model that was found is unknown once a key exists, unless a rule allows it."""

    async def scenario() -> None:
        keys = KeysInMemory()
        discovery = _discovery(FakeHub(frozenset({"org/name"})), policy(unset=True, keys=keys))
        assert not await _discover(discovery, here=False)
        assert await _discover(discovery)
        assert not await _discover(discovery, here=False)
        keys.add(new_key("first", now_s=1.0).kept)
        assert discovery.find("org/name") is None
        assert not await _discover(discovery)

    asyncio.run(scenario())


def test_a_fault_in_a_look_up_is_logged_and_taken_for_a_hub_out_of_reach() -> None:
    """The caller gets an error that lets it ask again, without the words of the fault."""

    async def scenario() -> None:
        hub = FakeHub(failures={"org/name": RuntimeError("secret")})
        with capture_logs() as logs, pytest.raises(ModelOutOfReach) as caught:
            await _discover(_discovery(hub))
        assert "secret" not in str(caught.value)
        assert [line["log_level"] for line in logs] == ["error"]

    asyncio.run(scenario())


def test_a_server_that_goes_down_refuses_the_callers_that_wait() -> None:
    """It asks the Hub nothing more, not even for ids that were waiting."""

    async def scenario() -> None:
        hub = FakeHub(gate=threading.Event())
        discovery = _discovery(hub, options=DiscoveryOptions(at_once=1))
        asking = [asyncio.create_task(_discover(discovery, f"org/{name}")) for name in "ab"]
        await _entered(hub)
        discovery.close()
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
        assert [type(each) for each in outcomes] == [ShuttingDown, ShuttingDown]
        with pytest.raises(ShuttingDown):
            await _discover(discovery, "org/c")
        assert hub.gate is not None
        hub.gate.set()
        assert hub.asked == ["org/a"]

    asyncio.run(scenario())


def test_a_system_without_threads_is_taken_for_a_hub_out_of_reach() -> None:
    """The caller may ask again, since there may be threads again."""

    async def scenario() -> None:
        def start(_: Callable[[], None]) -> None:
            raise RuntimeError("can't start new thread")

        discovery = Discovery(FakeHub(), policy(), start=start)
        with pytest.raises(EarmarkError) as caught:
            await _discover(discovery)
        assert isinstance(caught.value, ModelOutOfReach)

    asyncio.run(scenario())


def test_where_one_thread_more_cannot_be_had_the_others_go_on() -> None:
    """Ids that wait are looked up by the threads that there are."""

    async def scenario() -> None:
        hub = FakeHub(frozenset({"org/a", "org/b"}), gate=threading.Event())
        threads: list[threading.Thread] = []
        refused = asyncio.Event()

        def start(work: Callable[[], None]) -> None:
            if threads:
                refused.set()
                raise RuntimeError("can't start new thread")
            threads.append(threading.Thread(target=work))
            threads[0].start()

        discovery = Discovery(hub, policy(), start=start)
        first = asyncio.create_task(_discover(discovery, "org/a"))
        await _entered(hub)
        second = asyncio.create_task(_discover(discovery, "org/b"))
        await asyncio.wait_for(refused.wait(), _PATIENCE_S)
        assert hub.gate is not None
        hub.gate.set()
        assert all(await asyncio.gather(first, second))
        threads[0].join(_PATIENCE_S)

    asyncio.run(scenario())
