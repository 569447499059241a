"""A model that was found on the Hub is loaded on demand like any other."""

import asyncio
import threading

import pytest
from support import door
from support.fake_engine import FakeEngine
from support.fake_hub import FakeHub, found, on_the_hub, policy
from support.fake_loader import FakeLoader

from earmark.checkpoint.ref import BundledRef
from earmark.domain.preferences import NO_PREFERENCES, Preferences
from earmark.domain.texts import TextInput
from earmark.errors import (
    HubUnavailable,
    InvalidCheckpoint,
    ModelLoading,
    ModelOutOfReach,
    ModelUnavailable,
    UnknownModel,
    UnsupportedDevice,
    UnusableModel,
)
from earmark.models.aliases import Alias
from earmark.models.catalogue import Catalogue, KnownModel
from earmark.models.discovery import Discovery
from earmark.models.on_demand import OnDemand
from earmark.models.registry import Registry
from earmark.serving.service import Service
from earmark.tasks.text_classification import TextClassification

_PATIENCE_S = 10.0
_REQUEST = TextClassification((TextInput("I like you"),))
_WAIT = Preferences(wait=True)


def _hub() -> FakeHub:
    return FakeHub(frozenset({"org/name"}))


async def _ask(service: Service, model_id: str | None, wishes: Preferences = _WAIT) -> str:
    await service.open(model_id, wishes, here=True)
    answer = door.answer(service, model_id, _REQUEST, preferences=wishes)
    return (await asyncio.wait_for(answer, _PATIENCE_S)).info.model_id


def test_a_model_of_the_hub_is_fetched_once_and_answers() -> None:
    """A model of the Hub is fetched once; loaded and local models never ask the Hub."""

    async def scenario() -> None:
        hub, loader = _hub(), FakeLoader.open()
        service = Service(on_the_hub(hub, loader))
        assert [await _ask(service, name) for name in (None, "at/hand")] == ["at/hand"] * 2
        assert hub.asked == loader.fetched == []
        assert [await _ask(service, "org/name") for _ in range(2)] == ["org/name"] * 2
        assert hub.asked == loader.fetched == ["org/name"]
        service.close()

    asyncio.run(scenario())


def test_it_is_listed_only_while_it_is_in_memory() -> None:
    """A model of the Hub is listed only while it is in memory, so that lists reveal no requests."""

    async def scenario() -> None:
        service = Service(on_the_hub(_hub()))
        await service.open("org/name", here=True)
        assert door.status(service, "org/name").state == "loadable"
        assert [each.info.model_id for each in service.statuses()] == ["at/hand"]
        await _ask(service, "org/name")
        assert [each.info.model_id for each in service.statuses()] == ["at/hand", "org/name"]

    asyncio.run(scenario())


def test_the_estimate_counts_the_download() -> None:
    """The estimate is 400 MB at 100 Mbit/s and 20 s of loading; only loading is learned from."""

    async def scenario() -> None:
        loader = FakeLoader()
        loader.downloads = threading.Event()
        service = Service(on_the_hub(_hub(), loader))
        with pytest.raises(ModelLoading, match=r"^Model org/name is currently loading$") as caught:
            await _ask(service, "org/name", NO_PREFERENCES)
        assert caught.value.estimated_time_s == pytest.approx(52.0)
        loader.downloads.set()
        loader.gate.set()
        assert await _ask(service, "org/name") == "org/name"

    asyncio.run(scenario())


def test_an_unknown_model_gets_the_same_words_whyever_it_is_unknown() -> None:
    """A model that the rule denies and one that is not on the Hub have the same error."""

    async def scenario() -> None:
        said = []
        for models in (on_the_hub(FakeHub()), on_the_hub(_hub(), rule=policy("deny"))):
            with pytest.raises(UnknownModel) as caught:
                await _ask(Service(models), "org/name")
            said.append(str(caught.value))
        with pytest.raises(UnknownModel) as caught:
            Registry(
                (),
                named=("at/hand",),
                on_demand=OnDemand(Catalogue({"at/hand": BundledRef("at/hand")}), FakeLoader()),
            ).resolve("org/name")
        assert said == [str(caught.value)] * 2

    asyncio.run(scenario())


def test_an_alias_stands_for_a_model_of_the_hub() -> None:
    """An alias stands for a model of the Hub, in any precision; the Hub never gets the alias."""

    async def scenario() -> None:
        hub = _hub()
        aliases = {"@cf/x/plain": "org/name", "@cf/x/int8": "org/name:int8", "@cf/x/no": "no/name"}
        models = on_the_hub(hub, aliases=aliases)
        service = Service(models)
        assert await _ask(service, "@cf/x/plain") == "org/name"
        with pytest.raises(UnknownModel, match="@cf/x/no does not exist; it stands for no/name"):
            await _ask(service, "@cf/x/no")
        with pytest.raises(UnknownModel, match="@cf/x/other does not exist"):
            await _ask(service, "@cf/x/other")
        assert hub.asked == ["org/name", "no/name"]

    asyncio.run(scenario())


def test_a_model_of_the_hub_has_its_variants() -> None:
    """A variant shares the model's facts and files, under an id of its own."""
    hub = _hub()
    discovery = Discovery(hub, policy())
    asyncio.run(discovery.discover("org/name", here=True))
    variant = Alias("fast", "org/name", "int8")
    catalogue = Catalogue({}, variants=(variant,), discovered=discovery)
    known = catalogue.find("org/name:int8")
    assert known is not None
    assert known.facts is not None
    assert (known.model_id, known.facts.model_id) == ("org/name:int8", "org/name:int8")
    assert (known.precision, known.ref) == ("int8", found("org/name").ref)
    assert catalogue.ids() == ()
    assert Catalogue({}, variants=(variant,)).find("org/name:int8") is None


def test_a_folder_that_comes_later_wins_over_the_hub() -> None:
    """A folder that appears later is used in place of the Hub's model of the same id."""
    discovery = Discovery(_hub(), policy())
    asyncio.run(discovery.discover("org/name", here=True))
    catalogue = Catalogue({"org/name": BundledRef("mine")}, discovered=discovery)
    assert catalogue.find("org/name") == KnownModel("org/name", BundledRef("mine"))


@pytest.mark.parametrize(
    ("failure", "raised", "said"),
    [
        (HubUnavailable("hub.test broke off"), ModelOutOfReach, "cannot be fetched from the Hub"),
        (
            InvalidCheckpoint("/secret/model.safetensors is cut"),
            UnusableModel,
            "cannot run here: model.safetensors is cut",
        ),
    ],
)
def test_what_cannot_be_fetched_or_loaded_is_the_hubs_or_the_callers_affair(
    failure: Exception, raised: type[Exception], said: str
) -> None:
    """A failed fetch or load is an error for the caller that names no file of this machine."""

    async def scenario() -> None:
        loader = FakeLoader.open(failures={})
        loader.unfetchable = {"org/name": failure}
        service = Service(on_the_hub(_hub(), loader))
        with pytest.raises(raised, match=said) as caught:
            await _ask(service, "org/name")
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is failure
        assert loader.begun == []

    asyncio.run(scenario())


def test_what_this_machine_cannot_do_is_no_mistake_of_the_callers() -> None:
    """A precision that this machine cannot compute is the operator's error, not the caller's."""

    async def scenario() -> None:
        failure = UnsupportedDevice("no bfloat16 here")
        service = Service(on_the_hub(_hub(), FakeLoader.open(failures={"org/name": failure})))
        with pytest.raises(
            ModelUnavailable,
            match="cannot run as this server is set: no bfloat16 here",
        ):
            await _ask(service, "org/name")

    asyncio.run(scenario())


def test_a_server_that_goes_down_breaks_a_download_off() -> None:
    """A server that shuts down cancels a download in progress."""

    async def scenario() -> None:
        loader, ended = FakeLoader.open(), threading.Event()
        loader.downloads = threading.Event()
        discovery = Discovery(_hub(), policy())

        def start(work: object) -> None:
            def run() -> None:
                assert callable(work)
                work()
                ended.set()

            threading.Thread(target=run).start()

        on_demand = OnDemand(Catalogue({}, discovered=discovery), loader, start=start)
        engine = FakeEngine("first")
        service = Service(Registry((engine,), on_demand=on_demand, discovery=discovery))
        with pytest.raises(ModelLoading):
            await _ask(service, "org/name", NO_PREFERENCES)
        service.close()
        assert await asyncio.to_thread(ended.wait, _PATIENCE_S)
        assert (loader.begun, loader.fetched, engine.closed) == ([], [], 1)

    asyncio.run(scenario())
