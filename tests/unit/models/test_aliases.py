"""An alias is read as written, and means the model that it names and no other."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_engine import FakeEngine
from support.fake_loader import FakeLoader

from earmark.checkpoint.ref import BundledRef, FolderRef
from earmark.errors import SettingsError, UnknownModel
from earmark.models.aliases import DEFAULT_ALIASES, Alias
from earmark.models.catalogue import Catalogue, KnownModel
from earmark.models.on_demand import OnDemand
from earmark.models.registry import Registry

NAME = "@cf/huggingface/distilbert-sst-2-int8"


@pytest.mark.parametrize(
    ("written", "alias"),
    [
        (f"{NAME}=earmark/sentiment", Alias(NAME, "earmark/sentiment")),
        ("rerank-v3.5=BAAI/bge-reranker-base", Alias("rerank-v3.5", "BAAI/bge-reranker-base")),
        ("a=b/c:int8", Alias("a", "b/c", "int8")),
        ("a=b:float32", Alias("a", "b", "float32")),
    ],
)
def test_an_alias_is_read_as_it_is_written(written: str, alias: Alias) -> None:
    """An alias has a name, a model and perhaps a precision."""
    assert Alias.read(written) == alias


@given(st.text(alphabet="@/=:ab. ", max_size=12) | st.sampled_from(["a=b:int4", "a=b:", "@=b"]))
def test_what_is_no_alias_is_refused(written: str) -> None:
    """Any text is refused, or read as an alias whose parts make up the text."""
    try:
        alias = Alias.read(written)
    except SettingsError as error:
        assert "expected name=model-id or name=model-id:precision" in str(error)  # noqa: PT017 - either way
    else:
        assert f"{alias.name}={alias.runs}" == written


def test_the_names_of_workers_ai_stand_for_the_models_whose_weights_they_are() -> None:
    """The default aliases mean models of the Hub, one of them in int8 as its name says."""
    assert {one.name: one.runs for one in DEFAULT_ALIASES} == {
        NAME: "distilbert/distilbert-base-uncased-finetuned-sst-2-english:int8",
        "@cf/baai/bge-reranker-base": "BAAI/bge-reranker-base",
    }


def test_an_alias_finds_the_model_and_the_model_knows_it() -> None:
    """An alias is resolved alone and in an address, and the status of the model lists it."""
    models = Registry([FakeEngine("me/mine")], aliases={NAME: "me/mine", "other": "nobody"})
    assert models.knows(NAME)
    assert models.resolve(NAME) == "me/mine"
    assert models.split(f"{NAME}/info", actions=frozenset({"info"})) == ("me/mine", "info")
    assert models.split(NAME, actions=frozenset({"info"})) == ("me/mine", "")
    status = models.status(NAME)
    assert (status.info.model_id, status.aliases) == ("me/mine", (NAME,))
    assert models.ids == ("me/mine",)


def test_a_model_of_the_same_name_comes_first() -> None:
    """A name that is both an id and an alias means the model of that id."""
    models = Registry([FakeEngine("a"), FakeEngine("b")], aliases={"a": "b"})
    assert models.resolve("a") == "a"


def test_a_name_whose_model_is_not_served_says_so() -> None:
    """The error for an alias whose model is not served names that model."""
    models = Registry([FakeEngine("mine")], aliases={NAME: "org/other:int8"})
    assert not models.knows(NAME)
    expected = f"Model {NAME} does not exist; it stands for org/other:int8, which is not served"
    for ask in (models.resolve, models.status):
        with pytest.raises(UnknownModel, match=expected):
            ask(NAME)


def test_a_precision_of_its_own_makes_a_model_of_its_own(tmp_path: Path) -> None:
    """It is listed beside the model in its usual precision, where that one is known."""
    variants = (Alias("x", "z", "int8"), Alias("y", "nobody", "int8"), Alias("w", "z"))
    catalogue = Catalogue({"z": FolderRef(tmp_path)}, variants=variants)
    assert catalogue.ids() == ("z", "z:int8")
    assert catalogue.find("z") == KnownModel("z", FolderRef(tmp_path))
    assert catalogue.find("z:int8") == KnownModel("z:int8", FolderRef(tmp_path), precision="int8")
    assert catalogue.find("nobody:int8") is None
    assert catalogue.find("z:float32") is None


def test_a_variant_is_loaded_on_demand_under_its_own_id() -> None:
    """A model in a precision of its own has an id of its own, which its answers name."""
    catalogue = Catalogue({"z": BundledRef("bundled/z")}, variants=(Alias(NAME, "z", "int8"),))
    models = Registry(
        [], named=["z"], on_demand=OnDemand(catalogue, FakeLoader.open()), aliases={NAME: "z:int8"}
    )
    status = models.status(NAME)
    assert (status.info.model_id, status.state) == ("z:int8", "loadable")
    assert status.aliases == (NAME,)
