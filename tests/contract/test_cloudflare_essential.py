"""The eight rules of Workers AI that a client notices first, a test each."""

import json
from urllib.parse import quote

import pytest
from support.fake_engine import FakeEngine, pseudo_logits
from support.http_app import ask
from support.workers_ai import AI, CLASSIFIER, classifier, workers_ai

from earmark.domain.texts import TextInput

TEXT = "This pizza is great!"
BODY = json.dumps({"text": TEXT})


@pytest.mark.parametrize(
    "written", [CLASSIFIER, CLASSIFIER.replace("/", "%2F"), quote(CLASSIFIER, safe="")]
)
def test_a_models_name_comes_raw_or_encoded(written: str) -> None:
    """1. A model's name is read raw, with %2F from newer SDKs, and with %40 from HTTP libraries."""
    engine = classifier()
    answer = ask("POST", f"{AI}/run/{written}", BODY, engines=(engine, FakeEngine("other")))
    assert answer.status_code == 200, answer.text
    assert len(engine.requests) == 1


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "text/plain;charset=UTF-8", "application/json", None],
)
def test_the_requests_content_type_means_nothing(content_type: str | None) -> None:
    """2. JSON is read under the Content-Types of a form and of plain text."""
    headers = {"content-type": content_type} if content_type else {}
    answer = ask("POST", f"{AI}/run/{CLASSIFIER}", BODY, engines=(classifier(),), headers=headers)
    assert answer.status_code == 200, answer.text


def test_the_result_is_a_flat_array() -> None:
    """3. The result is a flat array, not an object with `items` and not a list in a list."""
    answer = ask("POST", f"{AI}/run/{CLASSIFIER}", BODY, engines=(classifier(),)).json()
    assert set(answer) == {"result", "success", "errors", "messages"}
    assert (answer["success"], answer["errors"], answer["messages"]) == (True, [], [])
    assert [set(each) for each in answer["result"]] == [{"label", "score"}] * 2
    assert sum(each["score"] for each in answer["result"]) == pytest.approx(1)


@pytest.mark.parametrize("text", [TEXT, "another", "a third", "and a fourth"])
def test_the_result_is_in_the_order_of_the_classes(text: str) -> None:
    """4. NEGATIVE comes first, whichever score is higher."""
    answer = ask(
        "POST", f"{AI}/run/{CLASSIFIER}", json.dumps({"text": text}), engines=(classifier(),)
    )
    result = answer.json()["result"]
    assert [each["label"] for each in result] == ["NEGATIVE", "POSITIVE"]
    negative, positive = pseudo_logits(TextInput(text), 2)
    assert (result[0]["score"] > result[1]["score"]) == bool(negative > positive)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{AI}/run/{CLASSIFIER}", BODY),
        ("POST", f"{AI}/run/{CLASSIFIER}", "no JSON"),
        ("POST", f"{AI}/run/proxy", BODY),
        ("GET", f"{AI}/models/search", None),
        ("GET", f"{AI}/nothing", None),
        ("PUT", f"{AI}/models/search", None),
    ],
)
def test_the_answers_content_type_is_exactly_json(method: str, path: str, body: str | None) -> None:
    """5. The answer's Content-Type is exactly `application/json`, which the binding compares."""
    answer = ask(method, path, body, engines=(classifier(),))
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"{AI}/run/{CLASSIFIER}", "{}", 400),
        (f"{AI}/run/@cf/nobody/nothing", BODY, 400),
        (f"{AI}/run/{CLASSIFIER}", json.dumps({"text": "x" * 3_000_000}), 413),
        (f"{AI}/nothing", BODY, 400),
    ],
)
def test_failure_is_a_status_of_http(path: str, body: str, status: int) -> None:
    """6. A failure has an HTTP status of its own, since the SDKs do not read `success`."""
    answer = ask("POST", path, body, engines=(classifier(),))
    assert answer.status_code == status
    assert answer.json()["success"] is False
    ((error),) = answer.json()["errors"]
    assert isinstance(error["code"], int)
    assert error["message"]


def test_a_search_past_the_end_is_empty() -> None:
    """7. A page past the end is empty, which ends the iterators of the SDKs."""
    pages = [
        ask("GET", f"{AI}/models/search?page={page}&per_page=1", engines=workers_ai()).json()
        for page in (1, 2, 3)
    ]
    assert [len(page["result"]) for page in pages] == [1, 1, 0]
    assert [page["result_info"]["page"] for page in pages] == [1, 2, 3]
    assert {page["result_info"]["total_count"] for page in pages} == {2}


@pytest.mark.parametrize(
    "address", [f"{AI}/run", "/v1/any/any/workers-ai/run", "/v1/any/any/workers-ai"]
)
def test_a_line_end_in_a_models_name_is_no_other_address(address: str) -> None:
    """It is the name of no model, and refused in the dialect's own form."""
    answer = ask("POST", f"{address}/no%0Amodel", BODY, engines=(classifier(),))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == 5007
