"""Edge cases of zero-shot classification, one row each."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
import pytest
from support.fake_engine import FakeEngine, zero_shot_model
from support.http_app import ask

from earmark.domain.texts import TextInput
from earmark.serving.limits import ServiceOptions
from earmark.web.options import WebOptions

_TEXT = "I want my money back"
_AT_LEAST_ONE = "You must include at least one label and at least one sequence."

# Contradiction, neutral, entailment.
_LOGITS = {
    TextInput(_TEXT, "This example is refund."): (-1.0, 0.0, 3.0),
    TextInput(_TEXT, "This example is legal."): (0.5, 0.0, 1.0),
    TextInput(_TEXT, "This example is faq."): (2.0, 0.0, -2.0),
    TextInput(_TEXT, "This example is even."): (0.0, 0.0, 1.0),
    TextInput(_TEXT, "About refund."): (0.0, 0.0, 0.0),
    TextInput(_TEXT, "About legal."): (0.0, 0.0, 2.0),
    TextInput("Where is it?", "This example is refund."): (0.0, 0.0, 0.0),
    TextInput("Where is it?", "This example is legal."): (0.0, 0.0, 1.0),
}


def _post(
    body: object,
    *,
    user_agent: str = "curl/8.5.0",
    headers: Mapping[str, str] | None = None,
    engine: FakeEngine | None = None,
    service: ServiceOptions | None = None,
    web: WebOptions | None = None,
) -> httpx.Response:
    return ask(
        "POST",
        "/",
        json.dumps(body),
        engines=(engine or zero_shot_model(logits=_LOGITS),),
        headers={"user-agent": user_agent, **(headers or {})},
        service=service,
        web=web,
    )


def _softmax(*logits: float) -> list[float]:
    total = sum(math.exp(each) for each in logits)
    return [math.exp(each) / total for each in logits]


def _ranked(*pairs: tuple[str, float]) -> list[dict[str, object]]:
    return [{"label": label, "score": pytest.approx(score, rel=1e-5)} for label, score in pairs]


def _object(text: str, *pairs: tuple[str, float]) -> dict[str, object]:
    labels, scores = zip(*pairs, strict=True)
    return {
        "sequence": text,
        "labels": [*labels],
        "scores": [pytest.approx(score, rel=1e-5) for score in scores],
    }


_THREE = _softmax(3.0, 1.0, -2.0)
_THREE_RANKED = _ranked(("refund", _THREE[0]), ("legal", _THREE[1]), ("faq", _THREE[2]))
_ALONE = _softmax(-1.0, 3.0)[1]
_TEMPLATED = _softmax(0.0, 2.0)
_WHERE = _softmax(0.0, 1.0)
_TWO = _softmax(3.0, 1.0)


@dataclass(frozen=True)
class _Case:
    answer: object
    labels: object = ("refund", "legal", "faq")
    inputs: object = _TEXT
    parameters: Mapping[str, object] = field(default_factory=dict)


_ANSWERED = {
    "labels as a list": _Case(_THREE_RANKED),
    "labels with commas": _Case(_THREE_RANKED, labels="refund, legal,faq,"),
    "labels in another order": _Case(_THREE_RANKED, labels=["faq", "refund", "legal"]),
    "a label twice": _Case(_ranked(("refund", 0.5), ("refund", 0.5)), labels=["refund", "refund"]),
    "equal scores, the later label first": _Case(
        _ranked(("even", 0.5), ("legal", 0.5)), labels=["legal", "even"]
    ),
    "several may hold": _Case(
        _ranked(
            ("refund", _ALONE), ("legal", _softmax(0.5, 1.0)[1]), ("faq", _softmax(2.0, -2.0)[1])
        ),
        parameters={"multi_label": True},
    ),
    "several may hold, by the older name": _Case(
        _ranked(("refund", _ALONE), ("faq", _softmax(2.0, -2.0)[1])),
        labels=["faq", "refund"],
        parameters={"multi_class": True},
    ),
    "one label, in a list": _Case(_ranked(("refund", _ALONE)), labels=["refund"]),
    "one label, as a text": _Case(_ranked(("refund", _ALONE)), labels="refund"),
    "a template": _Case(
        _ranked(("legal", _TEMPLATED[1]), ("refund", _TEMPLATED[0])),
        labels=["refund", "legal"],
        parameters={"hypothesis_template": "About {}."},
    ),
    "a template with a number": _Case(
        _ranked(("legal", _TEMPLATED[1]), ("refund", _TEMPLATED[0])),
        labels=["refund", "legal"],
        parameters={"hypothesis_template": "About {0}."},
    ),
    "a wrapped text": _Case(_THREE_RANKED, inputs={"text": _TEXT}),
    "wrapped sequences": _Case(
        [_object(_TEXT, *zip(("refund", "legal", "faq"), _THREE, strict=True))],
        inputs={"sequences": [_TEXT]},
    ),
    "a list of texts": _Case(
        [
            _object(_TEXT, ("refund", _TWO[0]), ("legal", _TWO[1])),
            _object("Where is it?", ("legal", _WHERE[1]), ("refund", _WHERE[0])),
        ],
        labels=["refund", "legal"],
        inputs=[_TEXT, "Where is it?"],
    ),
    "unknown parameters": _Case(_THREE_RANKED, parameters={"top_k": 1, "truncation": "x"}),
}


@pytest.mark.parametrize("case", _ANSWERED.values(), ids=_ANSWERED.keys())
def test_a_request_is_answered_as_the_reference_would(case: _Case) -> None:
    """Each request has the reference's answer in the documented form, best label first."""
    parameters = {"candidate_labels": case.labels, **case.parameters}
    answer = _post({"inputs": case.inputs, "parameters": parameters})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == case.answer


_OBJECT = _object(_TEXT, *zip(("refund", "legal", "faq"), _THREE, strict=True))
_EMPTY: dict[str, object] = {"sequence": "", "labels": [], "scores": []}
_EVERYTHING = [
    each | rest for each, rest in zip(_THREE_RANKED, (_OBJECT, _EMPTY, _EMPTY), strict=True)
]
_BODY = {"inputs": _TEXT, "parameters": {"candidate_labels": ["refund", "legal", "faq"]}}


@pytest.mark.parametrize(
    ("user_agent", "form"),
    [
        ("unknown/None; hf_hub/0.23.5; python/3.11.7", _OBJECT),
        ("unknown/None; hf_hub/1.0.0; python/3.11.7", _OBJECT),
        ("unknown/None; hf_hub/2.4.0; python/3.11.7", _THREE_RANKED),
        ("@huggingface/inference/3.15.0", [_OBJECT]),
        ("@huggingface/inference/4.4.0 Node.js/22", [_OBJECT]),
        ("@huggingface/inference/4.13.30", _THREE_RANKED),
        ("node", _EVERYTHING),
        ("Bun/1.2.21", _EVERYTHING),
        ("Deno/2.9.6", _EVERYTHING),
        ("Cloudflare-Workers", _EVERYTHING),
        ("Mozilla/5.0", _EVERYTHING),
        ("curl/8.5.0", _THREE_RANKED),
        ("", _THREE_RANKED),
    ],
)
def test_each_client_gets_the_form_that_it_reads(user_agent: str, form: object) -> None:
    """Each client gets the form of its version, and `Vary` names the client's headers."""
    answer = _post(_BODY, user_agent=user_agent)
    assert answer.json() == form
    assert "user-agent" in answer.headers["vary"].lower().split(", ")


def test_a_worker_without_a_name_may_be_of_any_version() -> None:
    """A Worker, which sends ``CF-Worker`` and no ``User-Agent``, gets the form `both`."""
    answer = _post(_BODY, user_agent="", headers={"CF-Worker": "example.com"})
    assert answer.json() == _EVERYTHING
    assert "cf-worker" in answer.headers["vary"].lower().split(", ")
    named = _post(_BODY, user_agent="@huggingface/inference/4.13.30", headers={"CF-Worker": "a.b"})
    assert named.json() == _THREE_RANKED


def test_the_operator_chooses_the_form_for_a_caller_who_is_unknown() -> None:
    """Unknown clients get the operator's form; official ones get their version's."""
    web = WebOptions(zero_shot_form="object")
    assert _post(_BODY, web=web).json() == _OBJECT
    newest = "unknown/None; hf_hub/2.4.0; python/3.11.7"
    assert _post(_BODY, web=web, user_agent=newest).json() == _THREE_RANKED


def test_one_text_of_another_task_does_not_depend_on_the_clients_name() -> None:
    """Answers of a single text of another task have no `Vary` on the client's name."""
    answer = _post({"inputs": "I like you"}, engine=FakeEngine())
    assert "user-agent" not in answer.headers.get("vary", "").lower()


_REFUSED = {
    "an empty text": ("", {"candidate_labels": ["x"]}, _AT_LEAST_ONE),
    "an empty text in a list": (["a", ""], {"candidate_labels": ["x"]}, _AT_LEAST_ONE),
    "an empty list": ([], {"candidate_labels": ["x"]}, _AT_LEAST_ONE),
    "no labels": ("a", {}, "`parameters.candidate_labels` is missing"),
    "an empty list of labels": ("a", {"candidate_labels": []}, _AT_LEAST_ONE),
    "an empty string of labels": ("a", {"candidate_labels": ""}, _AT_LEAST_ONE),
    "an empty label": ("a", {"candidate_labels": ["x", ""]}, "holds an empty label"),
    "labels as a number": ("a", {"candidate_labels": 3}, "`parameters.candidate_labels`: expected"),
    "inputs null": (None, {"candidate_labels": ["x"]}, "`inputs`: expected"),
    "inputs a number": (3, {"candidate_labels": ["x"]}, "`inputs`: expected"),
    "multi_label a text": (
        "a",
        {"candidate_labels": ["x"], "multi_label": "x"},
        "`parameters.multi_label`: expected",
    ),
    "a template without a place": (
        "a",
        {"candidate_labels": ["x"], "hypothesis_template": "This example is."},
        "`hypothesis_template` has no {}",
    ),
    "a template with two places": (
        "a",
        {"candidate_labels": ["x"], "hypothesis_template": "{} or {}"},
        "more than one {}",
    ),
    "a template that reaches into its label": (
        "a",
        {"candidate_labels": ["x"], "hypothesis_template": "{0.__class__}"},
        "`hypothesis_template` has a lone {",
    ),
}


@pytest.mark.parametrize(("inputs", "parameters", "text"), _REFUSED.values(), ids=_REFUSED.keys())
def test_a_wrong_request_is_a_400_that_says_why(
    inputs: object, parameters: object, text: str
) -> None:
    """Each wrong request is a 400 whose error is one string with the reason."""
    answer = _post({"inputs": inputs, "parameters": parameters})
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert text in answer.json()["error"]


def test_too_many_texts_times_labels_are_a_400() -> None:
    """Too many texts times labels are a 400 with their number and the limit."""
    service = ServiceOptions(max_inputs=2, max_texts=5)
    body = {"inputs": ["a", "b"], "parameters": {"candidate_labels": ["x", "y", "z"]}}
    answer = _post(body, service=service)
    assert answer.status_code == 400
    expected = "2 texts and 3 labels make 6 pairs, at most 5 are accepted; send fewer at once"
    assert answer.json() == {"error": expected}


def test_a_small_body_cannot_ask_for_gigabytes() -> None:
    """A template that repeats its label too often is refused before it is filled in."""
    parameters = {"candidate_labels": ["x" * 100_000], "hypothesis_template": "{0}" * 100_000}
    answer = _post({"inputs": "a", "parameters": parameters})
    assert answer.status_code == 400
    assert "at most 4,194,304 are accepted" in answer.json()["error"]


def test_a_model_without_a_word_for_entailment_is_answered_with_a_warning() -> None:
    """A model without an entailment label answers by its last label, with a warning."""
    answer = _post(_BODY, engine=FakeEngine())
    assert answer.status_code == 200
    topic, _, warning = answer.headers["x-hf-warning"].partition("; ")
    assert topic == "zero-shot-classification"
    assert 'no label of this model begins with "entail"' in warning


def test_a_model_of_language_inference_is_not_warned_of() -> None:
    """There is no warning for a model of language inference, or for a model's own labels."""
    assert "x-hf-warning" not in _post(_BODY).headers
    assert "x-hf-warning" not in _post({"inputs": "a"}, engine=FakeEngine()).headers


def test_a_pair_asks_a_model_of_language_inference_for_its_own_labels() -> None:
    """A pair without candidate labels gets the model's own labels."""
    body = {"inputs": {"text": _TEXT, "text_pair": "This example is refund."}}
    ((best, *_),) = _post(body).json()
    assert best == _ranked(("ENTAILMENT", _softmax(-1.0, 0.0, 3.0)[2]))[0]


def test_what_was_read_and_what_was_cut_is_counted_over_all_hypotheses() -> None:
    """The headers count read and cut tokens over all hypotheses."""
    body = {"inputs": ["a", "word " * 20], "parameters": {"candidate_labels": ["x", "y"]}}
    headers = _post(body).headers
    assert headers["x-truncated-tokens"] == "20"
    assert headers["x-truncated-inputs"] == "1"
    assert headers["x-compute-tokens"] == "46"
    assert headers["x-compute-characters"] == "101"
