"""Whatever is sent, the answer is JSON and never our fault."""

from typing import TypeAlias

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from support.fake_engine import FakeEngine
from support.http_app import ask

_Json: TypeAlias = bool | int | float | str | list["_Json"] | dict[str, "_Json"] | None

_JSON: st.SearchStrategy[_Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_TEXT_OR_PAIR = st.text() | st.fixed_dictionaries(
    {"text": st.text()}, optional={"text_pair": st.text() | st.none()}
)
_INPUTS = _JSON | _TEXT_OR_PAIR | st.lists(_TEXT_OR_PAIR | _JSON, max_size=4)
_PARAMETERS = _JSON | st.fixed_dictionaries(
    {},
    optional={
        "top_k": _JSON | st.integers(),
        "function_to_apply": _JSON | st.sampled_from(["sigmoid", "Softmax", "none", "default"]),
        "truncation": _JSON | st.booleans(),
    },
)
_BODIES = _JSON | st.fixed_dictionaries(
    {"inputs": _INPUTS}, optional={"parameters": _PARAMETERS, "options": _JSON}
)


def _check(body: bytes) -> None:
    answer = ask("POST", "/", body, engines=(FakeEngine(),))
    assert answer.status_code in {200, 400, 413}
    assert answer.headers["content-type"] == "application/json"
    if answer.status_code == 200:
        # The very type that clients expect, with no null in place of a score.
        msgspec.json.decode(answer.content, type=list[list[_Scored]], strict=True)
    else:
        assert isinstance(answer.json()["error"], str)


class _Scored(msgspec.Struct, forbid_unknown_fields=True):
    label: str
    score: float


@given(_BODIES)
def test_any_json_gets_an_answer_or_a_reason(body: _Json) -> None:
    """Also JSON that is nearly a request."""
    _check(msgspec.json.encode(body))


@given(st.binary())
def test_any_bytes_get_a_reason(body: bytes) -> None:
    """Also bytes that are no text."""
    _check(body)
