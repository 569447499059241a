"""Models are found by id, and an address is read as the longest id that is served."""

import pytest
from support.fake_engine import FakeEngine

from earmark.errors import UnknownModel
from earmark.models.registry import Registry

_ACTIONS = frozenset({"health", "info"})


def _models(*ids: str) -> Registry:
    return Registry(FakeEngine(model_id) for model_id in ids)


def test_the_only_model_needs_no_name() -> None:
    """A request that names no model means the only one that is served."""
    assert _models("acme/tc").resolve(None) == "acme/tc"


def test_one_of_several_models_has_to_be_named() -> None:
    """With two models a request has to name one, and the error names both."""
    with pytest.raises(UnknownModel, match=r"2 models .* served here: acme/tc, foo$"):
        _models("acme/tc", "foo").resolve(None)


def test_an_unknown_model_is_named_as_the_hub_names_it() -> None:
    """The error begins with the Hub's own sentence and then lists what is served."""
    with pytest.raises(UnknownModel, match=r"^Model org/x does not exist; served here: foo$"):
        _models("foo").resolve("org/x")


def test_an_error_names_only_the_first_ids_of_many() -> None:
    """Of twelve ids an error names ten and counts the other two."""
    with pytest.raises(UnknownModel, match=r"m0, .*m9 and 2 more$"):
        _models(*(f"m{index}" for index in range(12))).resolve("x")


def test_an_error_repeats_only_the_beginning_of_a_long_id() -> None:
    """An id of 5,000 characters is cut after 100."""
    with pytest.raises(UnknownModel, match=r"^Model x{100}\.\.\. does not exist;"):
        _models("foo").resolve("x" * 5000)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("foo", ("foo", "")),
        ("foo/health", ("foo", "health")),
        ("foo/info", ("foo/info", "")),
        ("foo/info/info", ("foo/info", "info")),
        ("org/name/info", ("org/name", "info")),
    ],
)
def test_the_longest_known_id_wins(path: str, expected: tuple[str, str]) -> None:
    """`foo/info` is a model where one is called so, and else the info of `foo`."""
    assert _models("foo", "foo/info", "org/name").split(path, actions=_ACTIONS) == expected


@pytest.mark.parametrize(
    ("path", "named"),
    [("bar/info", "bar"), ("foo/card", "foo/card"), ("info", "info"), ("", "")],
)
def test_an_unknown_address_names_the_model_without_the_action(path: str, named: str) -> None:
    """The error names the model, without the action that follows it in the address."""
    with pytest.raises(UnknownModel, match=f"^Model {named} does not exist"):
        _models("foo").split(path, actions=_ACTIONS)


def test_two_engines_of_one_id_are_refused() -> None:
    """Two engines under one id are refused by that id."""
    with pytest.raises(ValueError, match="foo"):
        _models("foo", "foo")


def test_serving_nothing_is_refused() -> None:
    """A server without any model cannot be made."""
    with pytest.raises(ValueError, match="at least one"):
        _models()
