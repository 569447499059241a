"""Bodies are bounded, and every way to be no JSON gets one sentence."""

import asyncio
from collections.abc import Iterable

import msgspec
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from earmark.errors import InvalidInput, RequestTooLarge
from earmark.web.body import decode_json, read_body


class _Shape(msgspec.Struct):
    name: str
    count: int = 0


_DECODER = msgspec.json.Decoder(_Shape)


def _read(chunks: Iterable[bytes], *, length: str | None = None, max_bytes: int = 10) -> bytes:
    waiting: list[Message] = [
        {"type": "http.request", "body": c, "more_body": True} for c in chunks
    ]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})
    headers = [] if length is None else [(b"content-length", length.encode())]

    async def receive() -> Message:
        return waiting.pop(0)

    request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
    return asyncio.run(read_body(request, max_bytes=max_bytes))


def test_chunks_are_joined() -> None:
    """A body in pieces, without a length, is read to its end."""
    assert _read([b"abc", b"", b"def"]) == b"abcdef"


def test_a_body_of_exactly_the_limit_is_read() -> None:
    """The limit itself is allowed."""
    assert _read([b"x" * 10], length="10") == b"x" * 10


def test_an_announced_length_over_the_limit_is_refused_unread() -> None:
    """No chunk is asked for: there is none to give."""
    with pytest.raises(RequestTooLarge, match="the body is 5,000 bytes, at most 10 bytes"):
        _read([], length="5000")


def test_a_body_that_grows_over_the_limit_is_refused() -> None:
    """Chunked bodies announce no length."""
    with pytest.raises(RequestTooLarge, match="at most 10 bytes"):
        _read([b"x" * 6, b"x" * 6])


def test_a_length_that_is_no_number_is_not_trusted() -> None:
    """The bytes themselves are counted."""
    with pytest.raises(RequestTooLarge):
        _read([b"x" * 11], length="-1")


def test_a_client_that_leaves_midway_is_noticed() -> None:
    """Half a body is no body."""

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(ClientDisconnect):
        asyncio.run(read_body(request, max_bytes=10))


def test_a_good_body_is_decoded() -> None:
    """Fields that nobody knows are ignored."""
    assert decode_json(b'{"name": "a", "other": [1]}', _DECODER) == _Shape("a")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "the body is empty; expected a JSON object"),
        (b" \n", "the body is empty; expected a JSON object"),
        (b"{", "the body is not valid JSON: it ends too early"),
        (b"hello", "the body is not valid JSON: invalid character (byte 0)"),
        (b'{"name": "a"} x', "the body is not valid JSON: trailing characters (byte 15)"),
        (b'{"name": NaN}', "the body is not valid JSON: invalid character (byte 9)"),
        (b"[]", "the body: expected `object`, got `array`"),
        (b"{}", "the body: object missing required field `name`"),
        (b'{"name": 1}', "`name`: expected `str`, got `int`"),
        (b'{"name": "a", "count": 1e400}', "`count`: number out of range"),
        (b'{"name": "\xff"}', "the body is not UTF-8: invalid start byte"),
        (
            rb'{"name": "\ud800"}',
            "the body is not valid JSON: half of a surrogate pair, or it ends too early",
        ),
        (
            b'{"name": "a", "deep": ' + b"[" * 200_000,
            "the body is nested too deeply",
        ),
        (
            b'{"name": "a", "count": ' + b"9" * 5000 + b"}",
            "`count`: integer value out of range",
        ),
    ],
)
def test_a_bad_body_gets_one_sentence(body: bytes, text: str) -> None:
    """It says where and what, and quotes nothing of the body."""
    with pytest.raises(InvalidInput) as caught:
        decode_json(body, _DECODER)
    assert str(caught.value) == text
