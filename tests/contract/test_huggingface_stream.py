"""Token classification in events: which come, in which form, and when."""

import asyncio
import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs
from support.fake_engine import FakeEngine, token_labeller, zero_shot_model
from support.http_app import ask, asking
from support.http_server import RunningServer, running_server

from earmark.domain.texts import TextInput
from earmark.errors import DeadlineExceeded, NonFiniteScore, QueueFull, ShuttingDown
from earmark.models.registry import Registry
from earmark.serving.admission import AdmissionLimits
from earmark.serving.limits import ServiceOptions
from earmark.serving.service import Service
from earmark.web.app import create_app

_PATIENCE_S = 20.0
"""Far more than any of this takes: a hang has to fail, not to stay."""

_LOGITS = {TextInput(word): (4.0, 0.0, 0.0) for word in ("I", "am", "and", "[CLS]", "[SEP]")} | {
    TextInput("Sarah"): (0.0, 4.0, 0.0),
    TextInput("Parker"): (0.0, 0.0, 2.0),
    TextInput("Ann"): (0.0, 3.0, 0.0),
}
"""O, B-PER, I-PER."""

_TEXT = "I am Sarah Parker and Ann"
_LONG = " ".join([_TEXT] * 6)
"""36 words; the model reads 14 at once."""
_STRIDE = {"stride": 4}


def _labeller() -> FakeEngine:
    return token_labeller(logits=_LOGITS)


def _post(
    inputs: object,
    parameters: Mapping[str, object] | None = None,
    *,
    engine: FakeEngine | None = None,
    stream: object = True,
) -> httpx.Response:
    body = {"inputs": inputs, "parameters": parameters or {}, "stream": stream}
    headers = {"x-request-id": "r1"}
    return ask("POST", "/", json.dumps(body), engines=(engine or _labeller(),), headers=headers)


def _events(text: str) -> list[Any]:
    """Read a whole stream: each event is one line of data, the last one `[DONE]`."""
    *events, done, rest = text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    assert all(event.startswith("data:{") and "\n" not in event for event in events)
    return [json.loads(event.removeprefix("data:")) for event in events]


@pytest.mark.parametrize("strategy", ["none", "simple", "first", "average", "max"])
@pytest.mark.parametrize("text", [_TEXT, "", "I am", _LONG])
def test_the_events_of_a_text_are_the_items_of_its_plain_answer(text: str, strategy: str) -> None:
    """A text's events are the items of its plain answer, in the same order."""
    parameters: dict[str, object] = {"aggregation_strategy": strategy}
    if strategy != "none":
        parameters |= _STRIDE
    plain = _post(text, parameters, stream=False)
    assert plain.headers["content-type"] == "application/json"
    assert _events(_post(text, parameters).text) == plain.json()


def test_entities_of_a_list_say_which_input_they_are_of() -> None:
    """Each event of a list, also of one text, has its input's number in `index`."""
    texts = [_TEXT, "", _LONG]
    plain = _post(texts, _STRIDE, stream=False).json()
    events = _events(_post(texts, _STRIDE).text)
    for index, items in enumerate(plain):
        assert [one for one in events if one["index"] == index] == [
            {"index": index, **item} for item in items
        ]
    [ann] = _events(_post(["Ann"]).text)
    assert (ann["index"], ann["word"]) == (0, "Ann")


def test_a_single_token_of_a_list_keeps_its_place_under_another_name() -> None:
    """In events of a list a token's place is `token_index`, since `index` is the input's number."""
    parameters = {"aggregation_strategy": "none"}
    plain = _post(["I", _TEXT], parameters, stream=False).json()
    events = _events(_post(["I", _TEXT], parameters).text)
    assert [one["token_index"] for one in events] == [item["index"] for item in plain[1]]
    for event, item in zip(events, plain[1], strict=True):
        assert event.pop("index") == 1
        place = event.pop("token_index")
        assert {**event, "index": place} == item


def test_the_headers_say_what_is_known_before_the_model_has_run() -> None:
    """The headers have no length and no times of a run, and keep proxies from buffering."""
    answer = _post(["Ann", "Ann " * 20])
    assert answer.status_code == 200
    expected = {
        "content-type": "text/event-stream",
        "cache-control": "no-cache",
        "x-accel-buffering": "no",
        "x-compute-type": "cpu",
        "x-compute-precision": "float32",
        "x-compute-characters": "83",
        "x-compute-tokens": "19",
        "x-truncated-tokens": "6",
        "x-truncated-inputs": "1",
        "x-tokenization-time": "0.2",
        "x-request-id": "r1",
    }
    assert {name: answer.headers.get(name) for name in expected} == expected
    assert not {"content-length", "x-compute-time", "x-queue-time"} & set(answer.headers)


@pytest.mark.parametrize("stream", [False, None])
def test_without_the_wish_the_answer_is_plain(stream: object) -> None:
    """With `stream` false the answer is the plain one."""
    answer = _post("Ann", stream=stream)
    assert answer.headers["content-type"] == "application/json"
    assert [item["word"] for item in answer.json()] == ["Ann"]


@pytest.mark.parametrize("engine", [FakeEngine(), zero_shot_model()], ids=["text", "zero-shot"])
@pytest.mark.parametrize("stream", [True, "yes"])
def test_other_tasks_ignore_the_wish(engine: FakeEngine, stream: object) -> None:
    """`stream` changes nothing in other tasks."""
    answer = _post("x", {"candidate_labels": ["a"]}, engine=engine, stream=stream)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


_REFUSED = {
    "a wish that is no truth value": ({"inputs": "a", "stream": "yes"}, 400, "`stream`: expected"),
    "a wish that is a number": ({"inputs": "a", "stream": 2}, 400, "`stream`: expected"),
    "no inputs": ({"stream": True}, 400, "required field `inputs`"),
    "a stride below zero": (
        {"inputs": "a", "stream": True, "parameters": {"stride": -1}},
        400,
        "`parameters.stride`",
    ),
    "too many texts": ({"inputs": ["a"] * 1025, "stream": True}, 413, "1,025 texts"),
}


@pytest.mark.parametrize(("body", "status", "text"), _REFUSED.values(), ids=_REFUSED.keys())
def test_what_can_be_refused_before_the_first_byte_has_its_status(
    body: object, status: int, text: str
) -> None:
    """A wrong request has its error status and the error's usual body."""
    answer = ask("POST", "/", json.dumps(body), engines=(_labeller(),))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert text in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "status"), [("/models/acme/no", 404), ("/models/acme/tk/pipeline/zero-shot", 400)]
)
def test_an_address_that_asks_for_nothing_here_has_its_status(path: str, status: int) -> None:
    """An unknown model, and a task that the model cannot do, have their error status."""
    body = json.dumps({"inputs": "a", "stream": True})
    answer = ask("POST", path, body, engines=(_labeller(),))
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_a_full_queue_is_a_429_and_no_stream() -> None:
    """A full queue is a 429 with `Retry-After`, and no stream begins."""
    engine = _labeller()
    engine.failure = QueueFull("busy", retry_after_s=3)
    answer = _post("Ann", engine=engine)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    assert answer.json() == {"error": "busy"}


@pytest.mark.parametrize(
    ("error", "text", "kind"),
    [
        (DeadlineExceeded("late"), "Model acme/tk time out: late", "timeout"),
        (ShuttingDown("closing"), "closing", "overloaded"),
        (NonFiniteScore("not a number"), "not a number", "internal"),
    ],
)
def test_an_inputs_failure_is_an_event_and_the_others_go_on(
    error: DeadlineExceeded | ShuttingDown | NonFiniteScore, text: str, kind: str
) -> None:
    """A failed input is an event with its number, and the other inputs go on."""
    engine = _labeller()
    engine.text_failures = {"bad": error}
    expected = {"error": text, "error_type": kind}
    assert _events(_post("bad", engine=engine).text) == [expected]
    events = _events(_post(["Ann", "bad", "Ann"], engine=engine).text)
    assert [one["index"] for one in events] == [0, 1, 2]
    assert events[1] == {**expected, "index": 1}


def test_a_fault_of_ours_is_an_event_and_in_the_log() -> None:
    """A fault is an event with the request's id alone; earlier events stay, and the log has it."""
    broken = token_labeller(logits={**_LOGITS, TextInput("worse"): (0.0, 0.0, 9.0)})
    broken.label_names = ("O", "B-PER")  # and the third of three logits is the largest
    with capture_logs() as lines:
        answer = _post(["Ann", "worse", "Ann"], engine=broken)
    first, error = _events(answer.text)
    assert (first["index"], first["word"]) == (0, "Ann")
    assert error == {"error": "unknown error (request r1)", "error_type": "internal"}
    assert [(line["event"], line.get("status")) for line in lines] == [
        ("fault", None),
        ("request", 200),
    ]
    assert isinstance(lines[0]["exc_info"], IndexError)


@contextmanager
def _streaming(
    engine: FakeEngine, options: ServiceOptions | None = None
) -> Iterator[RunningServer]:
    """Serve on a real socket."""
    with running_server(create_app(Service(Registry([engine]), options))) as server:
        yield server


def _data(answer: httpx.Response) -> Iterator[Any]:
    for line in answer.iter_lines():
        if line:
            said = line.removeprefix("data:").strip()
            yield said if said == "[DONE]" else json.loads(said)


def test_an_entity_arrives_before_the_last_window_has_run() -> None:
    """Over a socket, the first entity arrives while the last window is still held."""
    engine = _labeller()
    engine.held_back = 1
    body = {"inputs": _LONG, "parameters": _STRIDE, "stream": True}
    with (
        _streaming(engine) as server,
        httpx.stream("POST", server.url, json=body, timeout=_PATIENCE_S) as answer,
    ):
        events = _data(answer)
        arrived = [next(events)]
        tickets = engine.submissions[0].tickets
        assert [ticket.answer is None for ticket in tickets] == [False] * (len(tickets) - 1) + [
            True
        ]
        server.call(lambda: engine.let_go(len(tickets) - 1))
        arrived += list(events)
        assert engine.left.wait(_PATIENCE_S)
    assert [one if one == "[DONE]" else one["word"] for one in arrived] == [
        *(["Sarah Parker", "Ann"] * 6),
        "[DONE]",
    ]


def test_a_client_who_leaves_drops_what_has_not_run_and_frees_his_place() -> None:
    """When a client leaves, its windows are dropped and the next request is admitted."""
    engine = _labeller()
    engine.held_back = 1
    options = ServiceOptions(admission=AdmissionLimits(max_requests=1))
    body = {"inputs": _LONG, "parameters": _STRIDE, "stream": True}
    with _streaming(engine, options) as server:
        with httpx.stream("POST", server.url, json=body, timeout=_PATIENCE_S) as answer:
            events = _data(answer)
            assert next(events)["word"] == "Sarah Parker"
            assert httpx.post(server.url, json={"inputs": "Ann"}).status_code == 429
        assert engine.left.wait(_PATIENCE_S)
        assert engine.submissions[0].abandoned
        assert engine.submissions[0].tickets[-1].answer is None
        assert httpx.post(server.url, json={"inputs": "Ann"}).status_code == 200


def test_a_connection_serves_on_after_a_stream() -> None:
    """A stream ends by its last chunk, and the connection serves another request."""
    body = json.dumps({"inputs": _TEXT, "stream": True})
    with _streaming(_labeller()) as server:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_PATIENCE_S)
        sockets = []
        for _ in range(2):
            client.request("POST", "/", body)
            sockets.append(client.sock)
            answer = client.getresponse()
            assert answer.getheader("transfer-encoding") == "chunked"
            assert len(_events(answer.read().decode())) == 2
        assert sockets[0] is sockets[1] is not None
        client.close()


def test_a_page_of_another_origin_may_read_a_stream() -> None:
    """A stream has the CORS header."""

    async def scenario() -> httpx.Response:
        async with asking(_labeller()) as client:
            body = {"inputs": "Ann", "stream": True}
            return await client.post("/", json=body, headers={"origin": "http://a.test"})

    assert asyncio.run(scenario()).headers["access-control-allow-origin"] == "*"
