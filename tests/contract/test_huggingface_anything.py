"""Any body to any task gets a JSON answer, and never a fault of the server."""

from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fake_engine import FakeEngine, token_labeller, zero_shot_model
from support.http_app import ask
from support.http_readers import Client, TaskSuffix, readable

_JSON: st.SearchStrategy[object] = st.recursive(
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

_LABELS = st.lists(st.text(min_size=1), min_size=1, max_size=4) | st.text()
_TEMPLATES = st.sampled_from(["{}", "About {0}.", "{{{}}}", "{", "{} {}", "{0.real}", "{:d}"])
_STRATEGIES = st.sampled_from(["none", "simple", "FIRST", "average", "Max", "best"])


def _parameters(**known: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    optional = {name: values | _JSON for name, values in known.items()}
    return st.fixed_dictionaries({}, optional=optional) | _JSON


def _bodies(parameters: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return (
        st.fixed_dictionaries(
            {"inputs": _INPUTS}, optional={"parameters": parameters, "options": _JSON}
        )
        | _JSON
    )


_TEXT_BODIES = _bodies(
    _parameters(
        top_k=st.integers(),
        function_to_apply=st.sampled_from(["sigmoid", "Softmax", "none", "default"]),
        truncation=st.booleans(),
    )
)
_ZERO_SHOT_BODIES = _bodies(
    _parameters(
        candidate_labels=_LABELS,
        candidateLabels=_LABELS,
        hypothesis_template=_TEMPLATES | st.text(),
        multi_label=st.booleans(),
        multi_class=st.booleans(),
    )
)
_TOKEN_BODIES = _bodies(
    _parameters(
        aggregation_strategy=_STRATEGIES,
        ignore_labels=st.lists(st.sampled_from(["O", "PER", "B-PER"])),
        stride=st.integers(min_value=-1, max_value=20),
        grouped_entities=st.booleans(),
        ignore_subwords=st.booleans(),
        is_split_into_words=st.booleans(),
    )
)

patient = settings(deadline=None)
"""Each example is a request or more: on a busy machine a slow one proves nothing."""

_NEWEST = Client("huggingface_hub", (2, 4, 0))


def _check(address: str, body: bytes, engine: FakeEngine, task: TaskSuffix) -> None:
    headers = {"user-agent": "unknown/None; hf_hub/2.4.0; python/3.11.7"}
    answer = ask("POST", address, body, engines=(engine,), headers=headers)
    assert answer.status_code in {200, 400, 413}
    assert answer.headers["content-type"] == "application/json"
    if answer.status_code != 200:
        assert isinstance(answer.json()["error"], str)
        return
    # The very type that clients expect, with no null in place of a score.
    inputs = msgspec.json.decode(body)["inputs"]
    if isinstance(inputs, dict) and task == "zs":
        inputs = inputs.get("text", inputs.get("sequences"))
    if isinstance(inputs, list) and task == "tk":
        for found in answer.json():
            readable(found, _NEWEST, task, listed=False)
    else:
        readable(answer.json(), _NEWEST, task, listed=isinstance(inputs, list))


@patient
@given(_TEXT_BODIES)
def test_any_json_gets_text_classified_or_a_reason(body: object) -> None:
    """Any JSON, also nearly valid, gets text classification or an error with a reason."""
    _check("/pipeline/text-classification/acme/tc", _json(body), FakeEngine(), "tc")


@patient
@given(_ZERO_SHOT_BODIES)
def test_any_json_gets_text_sorted_or_a_reason(body: object) -> None:
    """Any JSON, also nearly valid, gets zero-shot classification or an error with a reason."""
    address = "/pipeline/zero-shot-classification/acme/zs"
    _check(address, _json(body), zero_shot_model(), "zs")


@patient
@given(_TOKEN_BODIES)
def test_any_json_gets_tokens_labelled_or_a_reason(body: object) -> None:
    """Any JSON, also nearly valid, gets token classification or an error with a reason."""
    _check("/pipeline/ner/acme/tk", _json(body), token_labeller(), "tk")


@patient
@given(_TEXT_BODIES | _ZERO_SHOT_BODIES | _TOKEN_BODIES)
def test_any_json_finds_a_task_of_a_model_that_has_two(body: object) -> None:
    """Any JSON to a model of two tasks gets an answer of one of them, or a reason."""
    answer = ask("POST", "/", _json(body), engines=(zero_shot_model(),))
    assert answer.status_code in {200, 400, 413}
    assert isinstance(answer.json(), list) == (answer.status_code == 200)


@patient
@given(st.binary())
@pytest.mark.parametrize("make", [FakeEngine, zero_shot_model, token_labeller])
def test_any_bytes_get_a_reason(make: type[FakeEngine], body: bytes) -> None:
    """Any bytes, also those that are no text, get an error with a reason."""
    answer = ask("POST", "/", body, engines=(make(),))
    assert answer.status_code in {200, 400}
    assert isinstance(answer.json(), list) == (answer.status_code == 200)


@patient
@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_any_user_agent_is_answered(user_agent: str) -> None:
    """A request with any User-Agent is answered."""
    body = b'{"inputs": "a", "parameters": {"candidate_labels": "x,y"}}'
    headers = {"user-agent": user_agent}
    assert ask("POST", "/", body, engines=(zero_shot_model(),), headers=headers).status_code == 200


@settings(patient, max_examples=30)  # twelve requests each
@given(st.text(st.characters(codec="utf-8"), max_size=40).map(quote))
def test_any_address_is_answered_or_refused(tail: str) -> None:
    """Any model, task or framework in an address gets an answer or an error."""
    for prefix in ("/models/", "/pipeline/", "/hf-inference/", "/status/", "/framework/", "/api/"):
        for method in ("GET", "POST"):
            answer = ask(method, prefix + tail, b'{"inputs": "a"}', engines=(FakeEngine(),))
            assert answer.status_code in {200, 400, 404, 405}


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)
