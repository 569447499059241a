"""Requests recorded from official, unmodified clients of many versions are all answered.

The file holds each request once, as ``[call, method, path, headers, body]``. Streaming is left out
of it, and headers that mean nothing here.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx
import msgspec
import pytest
from support.fake_engine import FakeEngine, token_labeller, zero_shot_model
from support.http_app import ask
from support.http_readers import (
    Client,
    Deployed,
    HubModel,
    HubTask,
    Status,
    TaskSuffix,
    readable,
)

_LABELS = ("LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3")


class _Session(msgspec.Struct):
    client: Literal["huggingface_hub", "@huggingface/inference"]
    version: str
    user_agent: str
    requests: list[tuple[str, Literal["GET", "POST"], str, dict[str, str], str | None]]


@dataclass(frozen=True)
class _Recorded:
    client: Client
    call: str
    method: str
    path: str
    headers: dict[str, str]
    body: str | None

    @property
    def task(self) -> TaskSuffix:
        """Choose the task by the model's name; the bare root classifies texts."""
        if self.path.endswith("/zs"):
            return "zs"
        return "tk" if self.path.endswith("/tk") else "tc"

    def __str__(self) -> str:
        version = ".".join(map(str, self.client.version))
        return f"{self.client.name} {version}: {self.call}: {self.method} {self.path}"


def _recorded() -> Iterator[_Recorded]:
    file = Path(__file__).with_name("huggingface_requests.json")
    for session in msgspec.json.decode(file.read_bytes(), type=list[_Session]):
        client = Client(session.client, tuple(map(int, session.version.split("."))))
        for call, method, path, headers, body in session.requests:
            named = {**headers, "user-agent": session.user_agent}
            yield _Recorded(client, call, method, path, named, body)


_ALL = list(_recorded())
_OTHER_TASKS = [sent for sent in _ALL if "sentence-similarity" in sent.path]
_QUESTIONS = [sent for sent in _ALL if sent.method == "POST" and sent not in _OTHER_TASKS]
_LOOKUPS = [sent for sent in _ALL if sent.method == "GET"]


def _engines(sent: _Recorded) -> tuple[FakeEngine, ...]:
    """Serve every model of the recordings; for the bare root, one."""
    texts = [FakeEngine(f"{owner}/tc", label_names=_LABELS) for owner in ("acme", "acme2", "acme3")]
    if sent.path == "/":
        return (texts[0],)
    return (*texts, zero_shot_model("acme/zs"), token_labeller("acme/tk"), token_labeller("def/tk"))


def _replay(sent: _Recorded, *engines: FakeEngine) -> httpx.Response:
    answer = ask(sent.method, sent.path, sent.body, engines=engines, headers=sent.headers)
    assert answer.headers["content-type"] == "application/json"
    return answer


@pytest.mark.parametrize("sent", _QUESTIONS, ids=str)
def test_a_recorded_question_is_answered_in_the_form_its_client_reads(sent: _Recorded) -> None:
    """Each recorded request reaches the model that it names, with its very texts."""
    engines = _engines(sent)
    answer = _replay(sent, *engines)
    assert answer.status_code == 200, answer.text
    body = json.loads(sent.body or "")
    listed = isinstance(body["inputs"], list)
    readable(answer.json(), sent.client, sent.task, listed=listed)

    inputs = body["inputs"] if listed else [body["inputs"]]
    ((engine, request),) = [(each, request) for each in engines for request in each.requests]
    assert sent.path == "/" or sent.path.endswith(f"/{engine.model_id}")
    texts = {question.item: question.text.text for question in request.questions()}
    expected = [each["text"] if isinstance(each, dict) else each for each in inputs]
    assert [texts[item] for item in range(request.items)] == expected


@pytest.mark.parametrize("sent", [sent for sent in _QUESTIONS if sent.task == "tc"], ids=str)
def test_labels_come_best_first_and_as_many_as_were_asked_for(sent: _Recorded) -> None:
    """Each text has a list of as many labels as asked for, best first."""
    answer = _replay(sent, *_engines(sent)).json()
    body = json.loads(sent.body or "")
    inputs = body["inputs"] if isinstance(body["inputs"], list) else [body["inputs"]]
    kept = body.get("parameters", {}).get("top_k", len(_LABELS))
    assert [len(scores) for scores in answer] == [kept] * len(inputs)
    for scores in answer:
        values = [each["score"] for each in scores]
        assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("sent", _LOOKUPS, ids=str)
def test_a_recorded_look_up_is_answered_in_the_form_its_client_reads(sent: _Recorded) -> None:
    """Each recorded look-up is answered with the fields that its client demands."""
    answer = _replay(sent, *_engines(sent))
    assert answer.status_code == 200, answer.text
    head = sent.path.split("?")[0].split("/")[1:3]
    match head:
        case ["status", _]:
            msgspec.convert(answer.json(), Status)
        case ["framework", _]:
            assert msgspec.convert(answer.json(), list[Deployed])
        case ["api", "tasks"]:
            tasks = msgspec.convert(answer.json(), dict[str, HubTask])
            assert tasks["token-classification"].widgetModels[0] == "acme/tk"
        case ["api", "models"]:
            found = msgspec.convert(answer.json(), HubModel)
            assert sent.path.split("?")[0] == f"/api/models/{found.id}"
            assert found.inferenceProviderMapping["hf-inference"].provider_id == found.id
        case _:
            assert sent.path.endswith(("/health", "/info"))
            assert isinstance(answer.json(), dict)


@pytest.mark.parametrize("sent", _OTHER_TASKS, ids=str)
def test_a_recorded_question_of_another_task_is_refused_with_those_that_there_are(
    sent: _Recorded,
) -> None:
    """A recorded request for another task is a 400 that lists the tasks there are."""
    answer = _replay(sent, *_engines(sent))
    assert answer.status_code == 400
    assert "there is no task 'sentence-similarity' here" in answer.json()["error"]


def test_the_recordings_hold_every_client_and_every_task() -> None:
    """The file has requests of every client and every task."""
    clients = {(sent.client.name, sent.task) for sent in _QUESTIONS}
    assert len(clients) == 6
    assert len({sent.client for sent in _QUESTIONS}) == 14
    assert (len(_QUESTIONS), len(_LOOKUPS), len(_OTHER_TASKS)) == (243, 65, 5)
