"""What nothing reads causes a warning in headers and in objects, or a refusal where strict."""

import json
from collections.abc import Mapping

import httpx
import pytest
from support.fake_engine import FakeEngine, token_labeller, zero_shot_model
from support.http_app import ask

from earmark.web.options import WebOptions

_TEXT = {"inputs": "I like you"}
_LABELS = {"candidate_labels": ["refund", "legal"]}


def _post(
    body: Mapping[str, object], engine: FakeEngine | None = None, *, web: WebOptions | None = None
) -> httpx.Response:
    engines = (engine or FakeEngine(),)
    return ask("POST", "/", json.dumps(body), engines=engines, web=web)


def _told(answer: httpx.Response) -> list[str]:
    """Read the header as `huggingface_hub` does (utils/_http.py, `_warn_on_warning_headers`)."""
    return [line.split(";", 1)[1].strip() for line in answer.headers.get_list("x-hf-warning")]


_PARAMETERS = {
    "a slip": ({"topk": 1}, "`parameters.topk` is not read; did you mean `top_k`?"),
    "another spelling": ({"topK": 1}, "`parameters.topK` is not read; did you mean `top_k`?"),
    "another task's": (
        {"stride": 8},
        (
            "`parameters.stride` is not read; it is for token-classification, and this is"
            " text-classification"
        ),
    ),
    "nobody's": (
        {"threshold": 0.5},
        (
            "`parameters.threshold` is not read; text-classification reads function_to_apply,"
            " top_k, truncation"
        ),
    ),
    "hostile": (
        {"a\r\nx-evil: 1;\u00e4" + "b" * 99: 1},
        "`parameters.a\\r\\nx-evil: 1,\\xe4" + "b" * 26 + "` is not read; text-classification reads"
        " function_to_apply, top_k, truncation",
    ),
}


@pytest.mark.parametrize(("given", "told"), _PARAMETERS.values(), ids=_PARAMETERS)
def test_a_parameter_that_nothing_reads_is_told_of(given: Mapping[str, object], told: str) -> None:
    """An unread parameter causes a warning, and the answer is the same as without it."""
    answer = _post({**_TEXT, "parameters": given})
    assert answer.status_code == 200
    assert answer.json() == _post(_TEXT).json()
    assert _told(answer) == [told]


@pytest.mark.parametrize(("given", "told"), _PARAMETERS.values(), ids=_PARAMETERS)
def test_a_strict_server_refuses_it_in_the_same_words(
    given: Mapping[str, object], told: str
) -> None:
    """A strict server answers 400 with the text of the warning."""
    answer = _post({**_TEXT, "parameters": given}, web=WebOptions(strict=True))
    assert (answer.status_code, answer.json()) == (400, {"error": told})


@pytest.mark.parametrize(
    ("beside", "told"),
    [
        ("top_k", "write it into `parameters`, as `top_k`"),
        ("candidate_labels", "write it into `parameters`, as `candidate_labels`"),
        ("parameter", "did you mean `parameters`?"),
        ("threshold", "a body holds inputs, parameters, options, stream"),
    ],
)
def test_a_parameter_beside_the_inputs_is_told_its_place(beside: str, told: str) -> None:
    """A parameter beside the inputs, where nothing reads it, causes a warning with its place."""
    answer = _post({**_TEXT, beside: 1})
    assert _told(answer) == [f"`{beside}` is not read beside `inputs`; {told}"]


@pytest.mark.parametrize(
    "extra",
    [
        {"parameters": {"top_k": 1, "function_to_apply": "none", "truncation": True}},
        {"parameters": {"threshold": None}},
        {"parameters": {"padding": True}},
        {"options": {"use_cache": False}, "stream": False, "model": "x", "provider": "y"},
    ],
)
def test_what_is_read_or_changes_nothing_is_no_reason_to_warn(extra: Mapping[str, object]) -> None:
    """Read members, null, and what clients send to every task cause no warning."""
    answer = _post({**_TEXT, **extra}, web=WebOptions(strict=True))
    assert answer.status_code == 200
    assert "x-hf-warning" not in answer.headers


def test_several_are_told_each_in_a_line_of_its_own() -> None:
    """Each warning has its own line and topic, and there are at most eight."""
    answer = _post({**_TEXT, "parameters": {f"wrong{number}": 1 for number in range(99)}})
    topics = [line.split(";")[0] for line in answer.headers.get_list("x-hf-warning")]
    assert topics == [f"parameters wrong{number}" for number in range(8)]


@pytest.mark.parametrize("form", ["object", "objects"])
def test_an_answer_that_is_an_object_holds_them_too(form: str) -> None:
    """A zero-shot answer in the form of `transformers` has `warnings` too."""
    body = {**_TEXT, "parameters": {**_LABELS, "top_k": 1}}
    web = WebOptions(zero_shot_form=form)  # type: ignore[arg-type]  # one of the literal's
    answer = _post(body, zero_shot_model(), web=web)
    found = answer.json() if form == "object" else answer.json()[0]
    told = (
        "`parameters.top_k` is not read; it is for text-classification, and this is"
        " zero-shot-classification"
    )
    assert found["warnings"] == [told] == _told(answer)
    plain = _post({**_TEXT, "parameters": _LABELS}, zero_shot_model(), web=web).json()
    assert "warnings" not in (plain if form == "object" else plain[0])


def test_labels_for_a_model_that_is_not_made_for_them_are_told_in_the_object() -> None:
    """The object also has the warning about a model that is not made for zero-shot."""
    body = {**_TEXT, "parameters": _LABELS}
    answer = _post(body, web=WebOptions(zero_shot_form="object"))
    assert answer.json()["warnings"] == _told(answer)
    assert 'no label of this model begins with "entail"' in _told(answer)[0]
    assert _post(body, web=WebOptions(strict=True)).status_code == 400


@pytest.mark.parametrize("stream", [False, True])
def test_entities_are_told_of_it_in_events_as_well(stream: bool) -> None:  # noqa: FBT001
    """A stream's headers, which come before the first event, have the warning."""
    body = {**_TEXT, "stream": stream, "parameters": {"top_k": 1}}
    answer = _post(body, token_labeller())
    assert answer.status_code == 200
    assert _told(answer) == [
        (
            "`parameters.top_k` is not read; it is for text-classification, and this is"
            " token-classification"
        )
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            {**_TEXT, "options": {"wait_for_modell": True}},
            "`options.wait_for_modell` is not read; did you mean `wait_for_model`?",
        ),
        (
            {**_TEXT, "options": {"timeout": 3, "use_gpu": True, "dont_load_model": False}},
            "`options.timeout` is not read; `options` holds use_cache, wait_for_model",
        ),
        (
            {**_TEXT, "wait_for_model": True},
            (
                "`wait_for_model` is not read beside `inputs`; write it into `options`, as"
                " `wait_for_model`"
            ),
        ),
        (
            {"inputs": {"text": "a", "textpair": "b"}},
            "`inputs.textpair` is not read; did you mean `text_pair`?",
        ),
        (
            {"inputs": [{"text": "a"}, {"text": "a", "label": 1}]},
            "`inputs[1].label` is not read; an input as an object holds text, text_pair",
        ),
    ],
)
def test_options_and_pairs_are_looked_into_as_well(body: Mapping[str, object], told: str) -> None:
    """Unread members of `options` and of pairs cause a warning."""
    answer = _post(body)
    assert (answer.status_code, _told(answer)) == (200, [told])
    assert _post(body, web=WebOptions(strict=True)).json() == {"error": told}
