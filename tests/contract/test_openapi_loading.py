"""What the document shows of a model that is not in memory is what the server does."""

import asyncio
from collections.abc import Mapping

import pytest
from support.fake_engine import FakeEngine
from support.fake_loader import FakeLoader
from support.http_app import ask, asking
from support.openapi_reading import answer_examples, mapping, names_of

from earmark.checkpoint.ref import BundledRef, ModelRef
from earmark.errors import EngineError
from earmark.models.catalogue import Catalogue
from earmark.models.on_demand import OnDemand, OnDemandOptions
from earmark.web.openapi.parts import Json

_MODEL = "org/name"
_ADDRESS = f"/models/{_MODEL}"
_BODY = b'{"inputs": "a"}'


@pytest.fixture(scope="module")
def shown() -> Mapping[str, Json]:
    """Fetch the answers of the document, by where they stand."""
    document = ask("GET", "/openapi.json", engines=(FakeEngine(),)).json()
    return {each.place: each.value for each in answer_examples(document)}


def _loaded_by(loader: FakeLoader) -> OnDemand:
    return OnDemand(Catalogue({_MODEL: BundledRef(_MODEL)}), loader, OnDemandOptions(max_loaded=4))


def _loading_for_ever(*others: str) -> OnDemand:
    """Begin loads that nothing carries out."""
    refs: dict[str, ModelRef] = {name: BundledRef(name) for name in (_MODEL, *others)}
    options = OnDemandOptions(max_loaded=4)
    return OnDemand(Catalogue(refs), FakeLoader(), options, start=lambda _: None)


def test_its_facts_are_shown_as_they_are(shown: Mapping[str, Json]) -> None:
    """The same names in the same order, and the same state."""

    async def scenario() -> None:
        async with asking(on_demand=_loaded_by(FakeLoader())) as client:
            card = (await client.get(_ADDRESS)).json()
            assert card == shown["GET /models/{id} 200 notInMemory"]
            info = (await client.get(f"{_ADDRESS}/info")).json()
            told = mapping(shown["GET /models/{id}/info 200 notInMemory"])
            assert names_of(info) == names_of(dict(told))
            assert info["state"] == told["state"] == "loadable"

    asyncio.run(scenario())


def test_what_a_request_for_it_is_told_is_shown_word_for_word(shown: Mapping[str, Json]) -> None:
    """With no load wanted, and while it loads; so is its health."""

    async def scenario() -> None:
        async with asking(on_demand=_loading_for_ever()) as client:
            unwanted = await client.post(_ADDRESS, content=_BODY, headers={"x-load-model": "0"})
            assert (unwanted.status_code, unwanted.json()) == (
                200,
                shown["POST /models/{id} 200 notLoaded"],
            )
            told = await client.post(_ADDRESS, content=_BODY)
            assert (told.status_code, told.json()) == (
                503,
                shown["POST /models/{id} 503 loading"],
            )
            health = await client.get(f"{_ADDRESS}/health")
            assert health.status_code == 503
            assert health.json() == shown["GET /models/{id}/health 503 loading"]

    asyncio.run(scenario())


def test_that_it_waits_for_room_is_shown_word_for_word(shown: Mapping[str, Json]) -> None:
    """Where every place is taken by a model that is being loaded."""

    async def scenario() -> None:
        others = ("a", "b", "c", "d")
        async with asking(on_demand=_loading_for_ever(*others)) as client:
            for name in others:
                assert (await client.post(f"/models/{name}", content=_BODY)).status_code == 503
            told = await client.post(_ADDRESS, content=_BODY)
            assert (told.status_code, told.json()) == (
                503,
                shown["POST /models/{id} 503 noRoom"],
            )

    asyncio.run(scenario())


def test_that_it_cannot_be_loaded_is_shown_word_for_word(shown: Mapping[str, Json]) -> None:
    """The caller that waits for it gets it."""

    async def scenario() -> None:
        loader = FakeLoader.open(failures={_MODEL: EngineError("/secret: no")})
        headers = {
            "x-wait-for-model": "1",
            "x-request-id": "bf64e82976a648e0a0fb2be1739e5698",
        }
        async with asking(on_demand=_loaded_by(loader)) as client:
            answer = await client.post(_ADDRESS, content=_BODY, headers=headers)
            assert (answer.status_code, answer.json()) == (
                500,
                shown["POST /models/{id} 500 unloadable"],
            )

    asyncio.run(scenario())
