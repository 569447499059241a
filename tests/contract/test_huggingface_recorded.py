"""Requests recorded from official, unmodified clients of many versions are all answered."""

import json
from pathlib import Path
from typing import TypedDict

import pytest
from support.fake_engine import FakeEngine
from support.http_app import ask

_LABELS = ("LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3")


class _Recorded(TypedDict):
    client: str
    call: str
    method: str
    path: str
    headers: dict[str, str]
    body: str | None


_FILE = Path(__file__).with_name("huggingface_requests.json")
_RECORDED: list[_Recorded] = json.loads(_FILE.read_text("utf-8"))


@pytest.mark.parametrize("sent", _RECORDED, ids=lambda sent: f"{sent['client']}: {sent['call']}")
def test_a_recorded_request_is_answered_in_the_form_its_client_reads(sent: _Recorded) -> None:
    """A sorted list of labels for each input; an object for what is asked of the model itself."""
    engine = FakeEngine(label_names=_LABELS)
    answer = ask(
        sent["method"], sent["path"], sent["body"], engines=(engine,), headers=sent["headers"]
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    if sent["body"] is None:
        assert isinstance(answer.json(), dict)
        return
    body = json.loads(sent["body"])
    inputs = body["inputs"] if isinstance(body["inputs"], list) else [body["inputs"]]
    kept = body.get("parameters", {}).get("top_k", len(_LABELS))
    assert [len(scores) for scores in answer.json()] == [kept] * len(inputs)
    for scores in answer.json():
        values = [each["score"] for each in scores]
        assert values == sorted(values, reverse=True)
    texts = [each["text"] if isinstance(each, dict) else each for each in inputs]
    (request,) = engine.requests
    assert [each.text.text for each in request.questions()] == texts
