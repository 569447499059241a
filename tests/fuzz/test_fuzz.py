"""A short run of `make fuzz`, and what it would report."""

import asyncio
import gzip
from collections.abc import Mapping
from pathlib import Path

import pytest
from fuzz.addresses import Operation, operations
from fuzz.judge import complaints, logged_faults
from fuzz.lane import Deck, sent_by
from fuzz.requests import Asked, Known
from fuzz.run import run
from fuzz.served import MODELS
from fuzz.targets import Target
from fuzz.values import MARKER
from fuzz.wire import Ended, NotHttp, Received, read_answer
from support.fake_engine import FakeEngine
from support.http_app import ask

_CASES = 3_000
"""With the start of two servers about twenty seconds on two cores that do nothing else."""
_SEED = 1


@pytest.fixture(scope="module")
def served() -> list[Operation]:
    """Return the operations of a server."""
    return operations(ask("GET", "/openapi.json", engines=(FakeEngine(),)).json())


def test_hostile_requests_get_the_answers_that_are_promised(tmp_path: Path) -> None:
    """Thousands of hostile requests find no fault in a server, open or strict and with a key."""
    outcome = run(_SEED, range(_CASES), tmp_path)
    failures = [f"{one.number}: {one.complaint}" for one in outcome.tally.failures]
    assert failures + outcome.problems == []
    assert outcome.tally.bodies >= _CASES
    routes = {route for route, _ in outcome.tally.statuses}
    assert {"POST /rerank", "POST /models/{id}", "GET /docs/page.js", "broken HTTP"} <= routes
    answered = sum(n for (_, status), n in outcome.tally.statuses.items() if status == 200)
    assert answered > _CASES / 5  # else the cases would stop at the first check of each handler


def test_the_same_number_gives_the_same_bytes(served: list[Operation]) -> None:
    """Cases follow from seed and number alone, so that a failing one can be sent again."""
    one, other = (Deck(_SEED, Known(served, {}, MODELS, "key")) for _ in range(2))
    assert [sent_by(one.case(number)) for number in range(300)] == [
        sent_by(other.case(number)) for number in reversed(range(300))
    ][::-1]
    assert sent_by(one.case(1)) != sent_by(Deck(2, one.known).case(1))


def test_every_operation_of_the_document_and_every_other_route_is_a_target(
    served: list[Operation],
) -> None:
    """A route is fuzzed because the server has it, whether the document has it or not."""
    names = [one.name for one in served]
    assert len(names) == len(set(names))
    assert {"POST /rerank", "GET /health", "GET /docs/rapidoc-min.js"} <= set(names)
    assert not next(one for one in served if one.path == "/docs/page.js").documented
    rerank = next(one for one in served if one.path == "/rerank")
    assert {"query", "texts", "documents", "top_n", "return_text"} <= set(rerank.names)
    assert rerank.examples


_JSON: Mapping[str, str] = {"content-type": "application/json", "x-request-id": "a"}
_PLAIN = b'{"error":"why"}'
_REFUSED = {"content-type": "application/json", "connection": "close"}


@pytest.mark.parametrize(
    ("path", "status", "headers", "body", "found"),
    [
        ("/", 500, _JSON, _PLAIN, "status 500"),
        ("/", 504, _JSON, _PLAIN, "status 504"),
        ("/", 503, _JSON, _PLAIN, ""),
        ("/", 400, _JSON, _PLAIN, ""),
        ("/", 400, _REFUSED, _PLAIN, ""),
        ("/", 400, _JSON, b'{"error":""}', "in another form"),
        ("/", 400, _JSON, b'{"detail":[]}', "in another form"),
        ("/", 400, _JSON, b'{"error":NaN}', "is no JSON"),
        ("/", 400, {**_JSON, "content-type": "text/plain"}, b"why", "in another form"),
        ("/", 400, {**_JSON, "x-request-id": "b"}, _PLAIN, "'a' was sent"),
        ("/", 400, _JSON, b'{"error":"Traceback (most recent call last):"}', "a traceback"),
        ("/rerank/", 422, _JSON, _PLAIN, "in another form"),
        ("/rerank", 422, _JSON, b'{"error":"a","error_type":"b","message":"a"}', ""),
        ("/client/v4/a", 400, _JSON, _PLAIN, "in another form"),
        (
            "/client/v4/a",
            400,
            _JSON,
            b'{"result":null,"success":false,"errors":[{"code":1,"message":"a"}],"messages":[]}',
            "",
        ),
        (
            "/client/v4/a",
            400,
            _JSON,
            b'{"result":null,"success":false,"errors":[],"messages":[]}',
            "in another form",
        ),
    ],
)
def test_the_judge_sees_what_is_wrong(
    path: str, status: int, headers: Mapping[str, str], body: bytes, found: str
) -> None:
    """Wrong statuses, forms, bodies and ids are reported, and sound answers are not."""
    asked = Asked("POST", Target(path, path, None), (), b"", "a")
    reported = list(complaints(asked, Received(status, dict(headers), body)))
    assert len(reported) == bool(found), reported
    assert found in "".join(reported)


def test_the_judge_holds_answers_against_the_document(served: list[Operation]) -> None:
    """A status, a type and a schema that the document does not have are reported."""
    operation = next(one for one in served if one.name == "POST /predict")
    asked = Asked("POST", Target("/predict", "/predict", operation), (), b"", "a")
    for answer, found in (
        (Received(200, dict(_JSON), b'[{"label":"a","score":0.5}]'), ""),
        (Received(200, dict(_JSON), b'[{"label":"a"}]'), "describes a 200 otherwise"),
        (Received(201, dict(_JSON), b"[]"), "describes no 201"),
        (Received(200, {**_JSON, "content-type": "text/html"}, b"x"), "of type 'text/html'"),
    ):
        reported = list(complaints(asked, answer))
        assert len(reported) == bool(found), reported
        assert found in "".join(reported)


def test_the_judge_unpacks_what_an_old_package_unpacks() -> None:
    """A compressed answer is read for `@cloudflare/ai` alone, which sends its version."""
    answer = Received(200, dict(_JSON), gzip.compress(b"[]"))
    target = Target("/", "/", None)
    version = ((b"cf-consn-sdk-version", b"1.1.0"),)
    assert list(complaints(Asked("POST", target, version, b"", "a"), answer)) == []
    [found] = complaints(Asked("POST", target, (), b"", "a"), answer)
    assert "is no JSON" in found


def test_the_judge_reads_the_log() -> None:
    """Errors, tracebacks and texts of callers in a log are reported; other lines are not."""
    faults = list(
        logged_faults(
            [
                {"level": "info", "event": "request", "path": "/"},
                {"level": "error", "event": "fault", "request_id": "fuzz-1-2-0"},
                {"plain": "Traceback (most recent call last):"},
                {"level": "warning", "event": f"found {MARKER}"},
            ]
        )
    )
    assert [request_id for _, request_id in faults] == ["fuzz-1-2-0", None, None]


_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: a\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: \x00\r\n\r\n",
        b"hello",
        _HEAD + b"\r\nhello",
        _HEAD + b"content-length: 5\r\n\r\nhell",
        _HEAD + b"content-length: +5\r\n\r\nhello",
        _HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        _HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
        _HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_an_answer_that_is_not_http_is_not_read(sent: bytes) -> None:
    """Malformed heads, lengths and chunks are failures, and so is an end before the body's."""
    with pytest.raises(NotHttp):
        asyncio.run(_read(sent))


def test_answers_are_read_as_they_are_framed() -> None:
    """Lengths, chunks and interim answers are read; nothing at all is an end."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    whole = asyncio.run(_read(interim + _HEAD + b"content-length: 5\r\n\r\nhello"))
    assert (whole.status, whole.body) == (200, b"hello")
    chunks = b"transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
    assert asyncio.run(_read(_HEAD + chunks)).body == b"hello"
    assert asyncio.run(_read(_HEAD + b"content-length: 5\r\n\r\n", head_only=True)).body == b""
    with pytest.raises(Ended):
        asyncio.run(_read(b""))


async def _read(sent: bytes, *, head_only: bool = False) -> Received:
    reader = asyncio.StreamReader()
    reader.feed_data(sent)
    reader.feed_eof()
    return await read_answer(reader, head_only=head_only)
