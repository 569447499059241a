"""A key stands for exactly one question to one model."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_engine import FakeEngine

from earmark.domain.texts import TextInput
from earmark.serving.cache.keys import canonical, item_keys
from earmark.tasks.reranking import Reranking
from earmark.tasks.task import Part, TaskRequest
from earmark.tasks.text_classification import TextClassification
from earmark.tasks.token_classification import TokenClassification
from earmark.tasks.zero_shot import ZeroShot

_INFO = FakeEngine().info

_TEXTS = st.text(st.characters())  # lone surrogates too
_PARTS: st.SearchStrategy[Part] = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXTS,
    lambda inner: st.lists(inner, max_size=4).map(tuple),
)


def _typed(part: Part) -> object:
    """Keep `True` apart from `1`, which Python holds equal."""
    if isinstance(part, tuple):
        return tuple(map(_typed, part))
    return (type(part), part)


@given(_PARTS, _PARTS)
def test_different_values_are_written_differently(one: Part, other: Part) -> None:
    """Equal values have the same canonical bytes, and different values have different ones."""
    assert (canonical(one) == canonical(other)) == (_typed(one) == _typed(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("a", ("b", "c")), (("a", "b"), "c")),
        ((("a",), ()), (("a", ()),)),
        (True, 1),
        (None, ""),
        ("1", 1),
        ("\ud83d\ude00", "\U0001f600"),
        ("s1:a", ("a",)),
    ],
)
def test_values_that_look_alike_are_told_apart(one: Part, other: Part) -> None:
    """Values that look alike, such as ("ab", "c") and ("a", "bc"), have different bytes."""
    assert canonical(one) != canonical(other)


def _first_key(request: TaskRequest[object], identity: str = _INFO.identity) -> bytes:
    return item_keys(replace(_INFO, identity=identity), request)[0]


_TEXT = TextClassification((TextInput("a"),))
_ZERO_SHOT = ZeroShot(("a",), ("x", "y"))
_TOKENS = TokenClassification(("a",))
_RANKING = Reranking("q", ("a",))


@pytest.mark.parametrize(
    ("request_", "other"),
    [
        (_TEXT, replace(_TEXT, inputs=(TextInput("a", ""),))),
        (_TEXT, replace(_TEXT, inputs=(TextInput("a", "b"),))),
        (_TEXT, replace(_TEXT, function="none")),
        (_TEXT, replace(_TEXT, top_k=1)),
        (_TEXT, replace(_TEXT, truncate=False)),
        (_ZERO_SHOT, replace(_ZERO_SHOT, inputs=("b",))),
        (_ZERO_SHOT, replace(_ZERO_SHOT, labels=("y", "x"))),
        (_ZERO_SHOT, replace(_ZERO_SHOT, labels=("x,y",))),
        (_ZERO_SHOT, replace(_ZERO_SHOT, template="{}")),
        (_ZERO_SHOT, replace(_ZERO_SHOT, multi_label=True)),
        (_TOKENS, replace(_TOKENS, inputs=("b",))),
        (_TOKENS, replace(_TOKENS, strategy="first")),
        (_TOKENS, replace(_TOKENS, ignore_labels=frozenset())),
        (_TOKENS, replace(_TOKENS, ignore_labels=frozenset({"O,B-PER"}))),
        (_TOKENS, replace(_TOKENS, stride=0)),
        (_TOKENS, _ZERO_SHOT),
        (_TEXT, replace(_TEXT, sort=False)),
        (_RANKING, replace(_RANKING, query="r")),
        (_RANKING, replace(_RANKING, documents=("b",))),
        (_RANKING, replace(_RANKING, function="none")),
        (_RANKING, replace(_RANKING, truncate=False)),
    ],
    ids=repr,
)
def test_everything_a_result_depends_on_is_in_its_key(
    request_: TaskRequest[object], other: TaskRequest[object]
) -> None:
    """Another text, task or parameter gives another key."""
    assert _first_key(request_) != _first_key(other)


@pytest.mark.parametrize("request_", [_TEXT, _ZERO_SHOT, _TOKENS], ids=lambda one: one.task)
def test_another_model_under_the_same_id_has_other_keys(request_: TaskRequest[object]) -> None:
    """Another load of a model under the same id has other keys."""
    assert _first_key(request_) != _first_key(request_, identity="as loaded again")


def test_what_a_result_does_not_depend_on_is_not_in_its_key() -> None:
    """The order of left-out labels, other texts and a text's place do not change a key."""
    one = TokenClassification(("a", "b"), ignore_labels=frozenset({"O", "B-PER", "I-PER"}))
    other = TokenClassification(("b", "a"), ignore_labels=frozenset({"I-PER", "B-PER", "O"}))
    assert item_keys(_INFO, one) == item_keys(_INFO, other)[::-1]


@pytest.mark.parametrize(
    "request_",
    [
        TextClassification((TextInput("a"), TextInput("b", "c"), TextInput("d")), top_k=1),
        ZeroShot(("a", "b", "d"), ("x", "y"), multi_label=True),
        TokenClassification(("a", "b", "d"), strategy="none"),
        Reranking("q", ("a", "b", "d"), function="none"),
    ],
    ids=lambda one: one.task,
)
def test_a_part_of_a_request_asks_the_same_of_fewer_inputs(request_: TaskRequest[object]) -> None:
    """A part of a request has the chosen inputs in order, with the same parameters and keys."""
    part = request_.only([2, 1])
    keys = item_keys(_INFO, request_)
    assert item_keys(_INFO, part) == [keys[2], keys[1]]
    assert part.parameters() == request_.parameters()
