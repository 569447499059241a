"""Requests recorded from unmodified clients of Workers AI are all answered.

The file holds each request once, as ``[call, method, target, headers, body]``.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import msgspec
import pytest
from support.fake_engine import FakeEngine
from support.http_app import ask
from support.workers_ai import workers_ai


class _Session(msgspec.Struct):
    client: str
    version: str
    requests: list[tuple[str, str, str, dict[str, str], str | None]]


@dataclass(frozen=True)
class _Recorded:
    client: str
    call: str
    method: str
    target: str
    headers: dict[str, str]
    body: str | None

    def __str__(self) -> str:
        return f"{self.client}: {self.call}: {self.method} {self.target}"


def _recorded() -> Iterator[_Recorded]:
    file = Path(__file__).with_name("cloudflare_requests.json")
    for session in msgspec.json.decode(file.read_bytes(), type=list[_Session]):
        for call, method, target, headers, body in session.requests:
            # What the recording proxy before the gateway's host added.
            path = target.removeprefix("/gw")
            yield _Recorded(
                f"{session.client} {session.version}", call, method, path, headers, body
            )


_OUTSIDE = ("/user", "/accounts", "/memberships")
"""What else wrangler asks of the whole API; nothing of it is about models."""

_ALL = [
    sent
    for sent in _recorded()
    if "/workers/" not in sent.target
    and sent.target.removeprefix("/client/v4").split("?")[0] not in _OUTSIDE
]
_RUNS = [sent for sent in _ALL if sent.method == "POST"]
_LOOKUPS = [sent for sent in _ALL if sent.method == "GET"]


def _replay(sent: _Recorded) -> tuple[httpx.Response, list[FakeEngine]]:
    engines = [*workers_ai(), FakeEngine("@cf/baai/bge-m3")]
    answer = ask(sent.method, sent.target, sent.body, engines=tuple(engines), headers=sent.headers)
    assert answer.headers["content-type"] == "application/json"
    return answer, engines


def _refused(body: object) -> bool:
    """Return whether a recorded body breaks the schema, which the recorder did not check."""
    return (
        isinstance(body, dict)
        and "text" in body
        and not (body["text"] and isinstance(body["text"], str))
    )


@pytest.mark.parametrize("sent", _RUNS, ids=str)
def test_a_recorded_run_is_answered(sent: _Recorded) -> None:
    """Each recorded run is answered by the model that it names, in that model's form."""
    answer, engines = _replay(sent)
    body = json.loads(sent.body or "")
    bound = sent.target.endswith("/run/proxy")
    if _refused(body):
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["code"] == 5006
        return
    assert answer.status_code == 200, answer.text
    if bound:
        model = sent.headers["cf-consn-model-id"].removeprefix("p:")
        result, asked = answer.json(), body["inputs"]
    else:
        model = sent.target.split("?")[0].replace("%2F", "/").split("/run/")[-1]
        result, asked = answer.json()["result"], body
    if "queueRequest=true" in sent.target:
        assert (result["status"], result["model"]) == ("queued", model)
        return
    ((engine, request),) = [(each, request) for each in engines for request in each.requests]
    assert engine.model_id == model
    if "contexts" in asked and not bound:
        scores = [each["score"] for each in result["response"]]
        assert scores == sorted(scores, reverse=True)
        assert len(scores) == min(asked.get("top_k", 9), len(asked["contexts"]))
    else:
        assert [set(each) for each in result] == [{"label", "score"}] * len(engine.label_names)
    assert request.questions()


@pytest.mark.parametrize("sent", _LOOKUPS, ids=str)
def test_a_recorded_look_up_is_answered(sent: _Recorded) -> None:
    """Each recorded list request gets a list, empty for a page past the end."""
    answer, _ = _replay(sent)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["success"] is True
    path, _, query = sent.target.partition("?")
    if path.endswith("/models/schema"):
        assert set(found["result"]) == {"input", "output"}
    elif path.endswith("/tokens/verify"):
        assert found["result"]["status"] == "active"
    else:
        assert isinstance(found["result"], list)
    if path.endswith("/models/search"):
        asked = parse_qs(query)
        wanted = asked.get("page", ["1"]) == ["1"] and "author" not in asked
        assert bool(found["result"]) == wanted
