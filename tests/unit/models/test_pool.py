"""A request for a model that is not in memory starts its load once, and waits or is refused."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from support import door
from support.fake_engine import FakeEngine
from support.fake_loader import FakeLoader

from earmark.checkpoint.files.models_folder import ModelsFolder
from earmark.checkpoint.ref import BundledRef
from earmark.domain.preferences import Preferences
from earmark.domain.texts import TextInput
from earmark.errors import (
    EngineError,
    InvalidCheckpoint,
    ModelLoading,
    ModelNotLoaded,
    ModelUnavailable,
    RequestTooLarge,
    ShuttingDown,
    UnknownModel,
    UnusableModel,
)
from earmark.models.catalogue import Catalogue, KnownModel
from earmark.models.estimates import LoadTimes
from earmark.models.on_demand import OnDemand, OnDemandOptions
from earmark.models.registry import Registry
from earmark.serving.limits import ServiceOptions
from earmark.serving.service import Service
from earmark.tasks.text_classification import TextClassification

_PATIENCE_S = 10.0
"""Far more than any of this takes: a hang has to fail, not to stay."""
_REQUEST = TextClassification((TextInput("I like you"),))
_WAIT = Preferences(wait=True)
_CATALOGUE = Catalogue({name: BundledRef(name) for name in "abc"})


def _on_demand(loader: FakeLoader, *, times: LoadTimes | None = None, **options: float) -> OnDemand:
    chosen = OnDemandOptions(
        max_loaded=int(options.get("max_loaded", 4)), hold_s=options.get("hold_s", _PATIENCE_S)
    )
    return OnDemand(_CATALOGUE, loader, chosen, times or LoadTimes())


def _registry(on_demand: OnDemand) -> Registry:
    return Registry((), named=("a",), on_demand=on_demand)


def _service(on_demand: OnDemand, options: ServiceOptions | None = None) -> Service:
    return Service(_registry(on_demand), options)


async def _ask(service: Service, model_id: str | None, wishes: Preferences = _WAIT) -> str:
    answer = door.answer(service, model_id, _REQUEST, preferences=wishes)
    return (await asyncio.wait_for(answer, _PATIENCE_S)).info.model_id


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - a thread, which knows no event loop, makes it true
            await asyncio.sleep(0)


def test_callers_who_wait_share_one_load() -> None:
    """Every caller is answered once the load is done, and the model stays in memory."""

    async def scenario() -> None:
        loader = FakeLoader()
        service = _service(_on_demand(loader))
        asking = [asyncio.create_task(_ask(service, name)) for name in (None, "a", "a")]
        await _until(loader.entered.is_set)
        assert door.status(service, "a").state == "loading"
        loader.gate.set()
        assert await asyncio.gather(*asking) == ["a"] * 3
        assert loader.begun == ["a"]
        assert door.status(service, "a").state == "ready"
        assert [each.info.model_id for each in service.loaded()] == ["a"]
        service.close()
        assert loader.engines[0].closed == 1

    asyncio.run(scenario())


def test_a_caller_that_does_not_wait_learns_how_long_it_takes() -> None:
    """A first load is estimated by the size of the weights: 400 MB at 20 MB/s."""

    async def scenario() -> None:
        loader = FakeLoader()
        service = _service(_on_demand(loader))
        with pytest.raises(ModelLoading, match=r"^Model b is currently loading$") as caught:
            await _ask(service, "b", Preferences())
        assert caught.value.estimated_time_s == pytest.approx(20.0)
        loader.gate.set()
        assert await _ask(service, "b") == "b"

    asyncio.run(scenario())


def test_the_estimate_is_learned_and_shrinks(tmp_path: Path) -> None:
    """After an earlier load of 9 s the estimate is 9 s, and 5 s once 4 have passed."""

    async def scenario() -> None:
        loader, now_s = FakeLoader(), [100.0]
        times = LoadTimes(tmp_path / "earmark.sqlite")
        times.add("b", 9.0)
        models = _registry(OnDemand(_CATALOGUE, loader, times=times, clock=lambda: now_s[0]))
        with pytest.raises(ModelLoading) as first:
            async with models.engine("b", Preferences(), until_s=200.0):
                pass
        now_s[0] = 104.0
        with pytest.raises(ModelLoading) as second:
            async with models.engine("b", Preferences(), until_s=200.0):
                pass
        assert (first.value.estimated_time_s, second.value.estimated_time_s) == (9.0, 5.0)
        now_s[0] = 111.0
        loader.gate.set()
        await _until(lambda: times.mean_s("b") == 10.0)

    asyncio.run(scenario())


@pytest.mark.parametrize(("hold_s", "timeout_s"), [(0.0, 60.0), (60.0, 0.0)])
def test_no_caller_is_held_beyond_the_bound_or_its_own_deadline(
    hold_s: float, timeout_s: float
) -> None:
    """A caller is held until the earlier of the two, and the load goes on."""

    async def scenario() -> None:
        loader = FakeLoader()
        service = _service(_on_demand(loader, hold_s=hold_s))
        with pytest.raises(ModelLoading):
            await _ask(service, "a", Preferences(wait=True, timeout_s=timeout_s))
        loader.gate.set()
        await _until(lambda: door.status(service, "a").state == "ready")

    asyncio.run(scenario())


def test_a_caller_that_is_held_too_long_is_refused() -> None:
    """The error after the wait says that the model is still loading."""

    async def scenario() -> None:
        loader = FakeLoader()
        with pytest.raises(ModelLoading):
            await _ask(_service(_on_demand(loader, hold_s=0.01)), "a")
        loader.gate.set()

    asyncio.run(scenario())


def test_a_caller_that_wants_no_load_starts_none() -> None:
    """It is refused, and is answered once another caller had the model loaded."""

    async def scenario() -> None:
        loader = FakeLoader.open()
        service = _service(_on_demand(loader))
        with pytest.raises(ModelNotLoaded):
            await _ask(service, "a", Preferences(load=False, wait=True))
        assert loader.begun == []
        await _ask(service, "a")
        assert await _ask(service, "a", Preferences(load=False)) == "a"

    asyncio.run(scenario())


def test_a_request_that_cannot_be_answered_loads_nothing() -> None:
    """A request that is too large, or names no model, is refused before any load."""

    async def scenario() -> None:
        loader = FakeLoader.open()
        service = _service(_on_demand(loader), ServiceOptions(max_inputs=2))
        with pytest.raises(RequestTooLarge):
            await door.answer(
                service, "a", TextClassification((TextInput("x"),) * 3), preferences=_WAIT
            )
        with pytest.raises(UnknownModel, match=r"served here: a, others on demand$"):
            await _ask(service, "x")
        assert loader.begun == []

    asyncio.run(scenario())


def test_a_caller_that_leaves_does_not_stop_the_load() -> None:
    """The next caller finds the model in memory, loaded once."""

    async def scenario() -> None:
        loader = FakeLoader()
        service = _service(_on_demand(loader))
        leaving = asyncio.create_task(_ask(service, "a"))
        await _until(loader.entered.is_set)
        leaving.cancel()
        with suppress(asyncio.CancelledError):
            await leaving
        loader.gate.set()
        assert await _ask(service, "a") == "a"
        assert len(loader.engines[0].requests) == 1
        assert loader.begun == ["a"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("failure", "raised", "said", "traced"),
    [
        (
            InvalidCheckpoint("/secret/of mine/x.json is cut: onnx/x.onnx, https://a.test/b/c"),
            UnusableModel,
            r"^Model a cannot run here: of mine/x.json is cut: onnx/x.onnx, https://a.test/b/c$",
            False,
        ),
        (EngineError("/secret: no"), ModelUnavailable, "^Model a cannot be loaded$", True),
    ],
)
def test_every_caller_that_waited_gets_the_error_of_a_load_that_fails(
    failure: Exception, raised: type[Exception], said: str, *, traced: bool
) -> None:
    """The error says what is wrong with files, not where they lie; no other load begins."""

    async def scenario() -> None:
        loader = FakeLoader(failures={"a": failure})
        service = _service(_on_demand(loader))
        asking = [asyncio.create_task(_ask(service, "a")) for _ in range(2)]
        await _until(loader.entered.is_set)
        loader.gate.set()
        for each in asking:
            with pytest.raises(raised, match=said) as caught:
                await each
            assert caught.value.__cause__ is failure
        assert door.status(service, "a").state == "failed"
        assert loader.begun == ["a"]

    with capture_logs() as logs:
        asyncio.run(scenario())
    failures = [line for line in logs if line["event"] == "a model cannot be loaded"]
    assert [("exc_info" in line) for line in failures] == [traced]


def test_a_model_that_cannot_be_read_is_not_listed_and_read_only_once() -> None:
    """A request that names it gets the error; the other models are listed."""

    async def scenario() -> None:
        loader = FakeLoader.open()
        loader.unreadable = {"b": InvalidCheckpoint("/secret/config.json is cut")}
        service = _service(_on_demand(loader))
        with capture_logs() as logs:
            assert [each.info.model_id for each in service.statuses()] == ["a", "c"]
            with pytest.raises(
                UnusableModel, match=r"^Model b cannot run here: config.json is cut$"
            ):
                await _ask(service, "b")
        assert len(logs) == 1

    asyncio.run(scenario())


def test_an_idle_model_is_closed_to_make_room_before_the_next_is_loaded() -> None:
    """With one place, the engine of a is closed when b is wanted."""

    async def scenario() -> None:
        loader = FakeLoader.open()
        service = _service(_on_demand(loader, max_loaded=1))
        await _ask(service, "a")
        await _ask(service, "b")
        first, second = loader.engines
        assert (first.closed, second.closed) == (1, 0)
        assert door.status(service, "a").state == "loadable"

    asyncio.run(scenario())


class _Watching(FakeLoader):
    """Counts the engines that are still open when a load begins."""

    def __init__(self) -> None:
        super().__init__()
        self.still_open: list[int] = []

    def load(self, known: KnownModel) -> FakeEngine:
        self.still_open.append(sum(not each.closed for each in self.engines))
        return super().load(known)


def test_a_model_is_closed_before_the_next_is_loaded() -> None:
    """With room for one model, never two are in memory at once."""

    async def scenario() -> None:
        loader = _Watching()
        loader.gate.set()
        service = _service(_on_demand(loader, max_loaded=1))
        for model_id in ("a", "b", "c"):
            await _ask(service, model_id)
        assert loader.still_open == [0, 0, 0]

    asyncio.run(scenario())


def test_a_model_in_use_is_not_closed_and_the_next_waits_for_it() -> None:
    """A caller that does not wait is refused, since there is no room."""

    async def scenario() -> None:
        loader = FakeLoader.open()
        models = _registry(_on_demand(loader, max_loaded=1))
        service = Service(models)
        async with models.engine("a", _WAIT, until_s=float("inf")) as engine:
            with pytest.raises(ModelLoading, match=r"waits for room: .* 1 at most"):
                await _ask(service, "b", Preferences())
            waiting = asyncio.create_task(_ask(service, "b"))
            await asyncio.sleep(0)
            assert isinstance(engine, FakeEngine)
            assert engine.closed == 0
        assert await waiting == "b"
        assert loader.engines[0].closed == 1

    asyncio.run(scenario())


def test_a_server_that_goes_down_waits_for_no_load_and_leaks_no_engine() -> None:
    """Callers that are held are refused; the thread of the load closes its engine."""

    async def scenario() -> None:
        loader = FakeLoader()
        service = _service(_on_demand(loader))
        held = asyncio.create_task(_ask(service, "a"))
        await _until(loader.entered.is_set)
        service.close()
        with pytest.raises(ShuttingDown):
            await held
        with pytest.raises(ShuttingDown):
            await _ask(service, "b")
        loader.gate.set()
        await _until(lambda: len(loader.engines) == 1 and loader.engines[0].closed == 1)

    asyncio.run(scenario())


def test_a_load_may_fail_while_the_server_goes_down() -> None:
    """The load ends without an error of its own, though its model has no place any more."""

    async def scenario() -> None:
        loader = FakeLoader(failures={"a": EngineError("no")})
        work: list[Callable[[], None]] = []
        service = _service(OnDemand(_CATALOGUE, loader, start=work.append))
        with pytest.raises(ModelLoading):
            await _ask(service, "a", Preferences())
        service.close()
        loader.gate.set()
        work[0]()
        assert loader.begun == ["a"]

    asyncio.run(scenario())


def test_a_system_without_threads_to_give_fails_the_load_and_not_the_server() -> None:
    """The engine that was put away for the load is closed all the same."""

    async def scenario() -> None:
        loader, threads = FakeLoader.open(), [True, False]

        def start(work: Callable[[], None]) -> None:
            if not threads.pop(0):
                raise RuntimeError("can't start new thread")
            work()

        service = _service(OnDemand(_CATALOGUE, loader, OnDemandOptions(max_loaded=1), start=start))
        await _ask(service, "a")
        with pytest.raises(ModelUnavailable):
            await _ask(service, "b")
        assert loader.engines[0].closed == 1

    asyncio.run(scenario())


class _Panic(BaseException):
    """As a panic of a library written in Rust arrives: no `Exception`."""


class _Panicking(FakeLoader):
    def load(self, known: object) -> FakeEngine:
        raise _Panic(str(known))


def test_a_load_that_panics_has_failed() -> None:
    """The callers that wait get an error, and the place is free for another model."""

    async def scenario() -> None:
        on_demand = _on_demand(_Panicking(), max_loaded=1)
        service = _service(on_demand)
        with pytest.raises(ModelUnavailable):
            await _ask(service, "a")
        assert door.status(service, "a").state == "failed"
        with pytest.raises(ModelUnavailable):
            await _ask(service, "b")

    asyncio.run(scenario())


def test_a_load_that_never_ends_has_failed_after_its_time() -> None:
    """Its place is free; the engine that it makes in the end is closed and never lent."""

    async def scenario() -> None:
        loader, now_s = FakeLoader(), [0.0]
        options = OnDemandOptions(max_loaded=1, load_s=5.0)
        on_demand = OnDemand(_CATALOGUE, loader, options, clock=lambda: now_s[0])
        service = _service(on_demand)
        with pytest.raises(ModelLoading):
            await _ask(service, "a", Preferences())
        await _until(loader.entered.is_set)
        await _until(lambda: loader.begun == ["a"])
        now_s[0] = 6.0
        with pytest.raises(ModelUnavailable):
            await _ask(service, "a", Preferences())
        loader.gate.set()
        await _until(lambda: len(loader.engines) == 1 and loader.engines[0].closed == 1)
        assert service.loaded() == ()

    asyncio.run(scenario())


class _Unclosable(FakeEngine):
    def close(self) -> None:
        raise OSError("still busy")


class _Stubborn(FakeLoader):
    def load(self, known: object) -> FakeEngine:
        del known
        return _Unclosable("a")


def test_an_engine_that_fails_to_close_does_not_keep_the_next_out() -> None:
    """The error of the engine is logged, and the next model is loaded."""

    async def scenario() -> None:
        service = _service(_on_demand(_Stubborn(), max_loaded=1))
        await _ask(service, "a")
        assert await _ask(service, "b") == "a"

    with capture_logs() as logs:
        asyncio.run(scenario())
    assert "an engine failed to close" in [entry["event"] for entry in logs]


def test_a_model_whose_folder_goes_away_is_served_while_it_is_in_memory(tmp_path: Path) -> None:
    """A model without files is served while it is in memory, and unknown otherwise."""

    async def scenario() -> None:
        folder = tmp_path / "models"
        (folder / "x").mkdir(parents=True)
        (folder / "x" / "config.json").touch()
        catalogue = Catalogue({}, ModelsFolder.open(folder))
        on_demand = OnDemand(catalogue, FakeLoader.open())
        service = Service(Registry([FakeEngine("named")], on_demand=on_demand))
        await _ask(service, "x")
        folder.rename(tmp_path / "gone")
        assert await _ask(service, "x") == "x"
        assert service.models.ids == ("named", "x")
        assert not service.models.knows("y")
        with pytest.raises(ModelUnavailable, match="no longer there"):
            async with service.models.engine("y", _WAIT, until_s=float("inf")):
                pass

    asyncio.run(scenario())


def test_without_models_on_demand_only_pinned_engines_are_known() -> None:
    """A pinned engine is lent at once, and any other id is unknown."""

    async def scenario() -> None:
        models = Registry([FakeEngine("a")])
        async with models.engine("a", until_s=0.0) as engine:
            assert engine.info.model_id == "a"
        with pytest.raises(UnknownModel):
            async with models.engine("b", until_s=0.0):
                pass
        with pytest.raises(UnknownModel):
            models.status("b")

    asyncio.run(scenario())


def test_event_loops_of_several_threads_wait_for_one_load() -> None:
    """Both are woken; without a cache, which is for one event loop."""
    loader = FakeLoader()
    service = _service(_on_demand(loader), ServiceOptions(cache_bytes=0))
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(asyncio.run(_ask(service, "a"))))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    assert loader.entered.wait(_PATIENCE_S)
    loader.gate.set()
    for thread in threads:
        thread.join(_PATIENCE_S)
    assert answers == ["a", "a"]


def test_a_fault_in_reading_a_model_leaves_the_others_in_the_list() -> None:
    """The log has the traceback of the fault; the caller reads that the model cannot be loaded."""

    async def scenario() -> None:
        loader = FakeLoader.open()
        loader.unreadable = {"b": RuntimeError("a bug")}
        service = _service(_on_demand(loader))
        with capture_logs() as logs:
            assert [each.info.model_id for each in service.statuses()] == ["a", "c"]
            with pytest.raises(ModelUnavailable, match=r"^Model b cannot be loaded$"):
                await _ask(service, "b")
        assert [line["log_level"] for line in logs] == ["error"]

    asyncio.run(scenario())
