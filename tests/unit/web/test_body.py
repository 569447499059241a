"""Bodies are bounded, and every malformed one gets one sentence."""

import asyncio
import codecs
import gzip
import tracemalloc
import zlib
from collections.abc import Iterable
from functools import partial

import msgspec
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from earmark.errors import InvalidInput, RequestTooLarge, UnsupportedCoding
from earmark.web.body import (
    HELD_BODY,
    ParsedBody,
    decode_json,
    decoder,
    given_members,
    members,
    read_body,
)
from earmark.web.body_budget import BodyBudget, Held
from earmark.web.compression import ACCEPTED


class _Shape(msgspec.Struct):
    name: str
    count: int = 0


_DECODER = msgspec.json.Decoder(_Shape)


def _scope(headers: list[tuple[bytes, bytes]]) -> dict[str, object]:
    """Make a request's scope with its own memory for the body, which no endpoint gives back."""
    held = Held(BodyBudget(1 << 30))
    return {"type": "http", "method": "POST", "headers": headers, HELD_BODY: held}


def _read(
    chunks: Iterable[bytes],
    *,
    length: str | None = None,
    coding: str | None = None,
    max_bytes: int = 10,
) -> bytes:
    waiting: list[Message] = [
        {"type": "http.request", "body": c, "more_body": True} for c in chunks
    ]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})
    headers = [] if length is None else [(b"content-length", length.encode())]

    async def receive() -> Message:
        return waiting.pop(0)

    if coding is not None:
        headers.append((b"content-encoding", coding.encode()))
    request = Request(_scope(headers), receive)
    return asyncio.run(read_body(request, max_bytes=max_bytes))


def test_chunks_are_joined() -> None:
    """A body in pieces, without a length, is read to its end."""
    assert _read([b"abc", b"", b"def"]) == b"abcdef"


def test_a_body_of_exactly_the_limit_is_read() -> None:
    """A body of exactly the limit is read."""
    assert _read([b"x" * 10], length="10") == b"x" * 10


def test_an_announced_length_over_the_limit_is_refused_unread() -> None:
    """A `Content-Length` over the limit is refused before any chunk is read."""
    with pytest.raises(RequestTooLarge, match="the body is 5,000 bytes, at most 10 bytes"):
        _read([], length="5000")


def test_a_body_that_grows_over_the_limit_is_refused() -> None:
    """A body in chunks without a length is refused once it grows over the limit."""
    with pytest.raises(RequestTooLarge, match="at most 10 bytes"):
        _read([b"x" * 6, b"x" * 6])


def test_a_length_that_is_no_number_is_not_trusted() -> None:
    """With a `Content-Length` that is no number the bytes themselves are counted."""
    with pytest.raises(RequestTooLarge):
        _read([b"x" * 11], length="-1")


def test_a_client_that_leaves_midway_is_noticed() -> None:
    """A client that leaves in the middle of a body raises `ClientDisconnect`."""

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    request = Request(_scope([]), receive)
    with pytest.raises(ClientDisconnect):
        asyncio.run(read_body(request, max_bytes=10))


def test_a_good_body_is_decoded() -> None:
    """A good body is decoded, and unknown fields are ignored."""
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
        (
            b'{"nam": 1, "b;c": 2, "d": null, "e": 1, "f": 1}',
            "the body: object missing required field `name`; it holds `nam`, `b,c`, `d`, `e`",
        ),
        (b"name=a", "the body is not valid JSON: it is a form; expected a JSON object"),
        (b"--x\r\n\r\na", "the body is not valid JSON: it is a form; expected a JSON object"),
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
    """The error says where the body is wrong and how, and quotes nothing of it."""
    with pytest.raises(InvalidInput) as caught:
        decode_json(body, _DECODER)
    assert str(caught.value) == text


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding(coding: str) -> None:
    """A body with a byte order mark is read in that encoding, as by Python's `json.loads`."""
    written = '{"name": "äß€𝄞"}'
    assert _read([written.encode(coding)], max_bytes=200) == written.encode()
    assert _read([codecs.BOM_UTF16_BE + written.encode("utf-16-be")], max_bytes=99) == (
        written.encode()
    )


def test_a_body_that_is_not_what_its_mark_says_is_refused() -> None:
    """A body that is not in its mark's encoding, or too long as UTF-8, is refused."""
    with pytest.raises(InvalidInput, match="begins as UTF-16 does, and is not: truncated data"):
        _read([codecs.BOM_UTF16_LE + b"{"])
    with pytest.raises(RequestTooLarge, match="12 bytes in UTF-8"):
        _read(["€€€€".encode("utf-16")])


def test_several_fields_of_codings_are_one_list() -> None:
    """Several `Content-Encoding` fields count as one list (RFC 9110, section 5.3)."""
    request = Request(_scope([(b"content-encoding", b"gzip"), (b"content-encoding", b"br")]))
    with pytest.raises(UnsupportedCoding, match="'gzip, br'"):
        asyncio.run(read_body(request, max_bytes=10))


def _bare_deflate(data: bytes) -> bytes:
    made = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return made.compress(data) + made.flush()


_gzip = partial(gzip.compress, mtime=0)
"""The same bytes each time: they are part of the names of tests, which processes compare."""
_TEXT = b'{"name": "a text that is repeated, a text that is repeated"}'
_COMPRESSED = [
    ("gzip", _gzip(_TEXT)),
    ("x-gzip", _gzip(_TEXT)),
    ("GZip", _gzip(_TEXT[:20]) + _gzip(_TEXT[20:])),
    ("deflate", zlib.compress(_TEXT)),
    ("deflate", _bare_deflate(_TEXT)),
    ("identity", _TEXT),
    ("identity, gzip", _gzip(_TEXT)),
    ("", _TEXT),
]


@pytest.mark.parametrize(("coding", "data"), _COMPRESSED)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_compressed_body_is_expanded(coding: str, data: bytes, size: int) -> None:
    """A compressed body is expanded, whatever its chunks, and with several gzip members."""
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    assert _read(chunks, coding=coding, max_bytes=len(_TEXT) + 100) == _TEXT


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_the_bound_is_for_what_comes_out(coding: str) -> None:
    """The bound counts expanded bytes exactly: the limit passes, one byte more is refused."""
    data = _gzip(b"x" * 1000) if coding == "gzip" else zlib.compress(b"x" * 1000)
    assert _read([data], coding=coding, max_bytes=1000) == b"x" * 1000
    with pytest.raises(RequestTooLarge, match="at most 999 bytes are accepted, expanded"):
        _read([data], coding=coding, max_bytes=999)


def test_what_expands_to_a_gigabyte_costs_no_more_than_the_bound() -> None:
    """A megabyte that expands to a gigabyte is refused with no more memory than the bound."""
    made = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    bomb = b"".join(made.compress(b"0" * 1_000_000) for _ in range(1000)) + made.flush()
    assert len(bomb) < 1_100_000
    bound = 2 * 1024 * 1024
    tracemalloc.start()
    try:
        with pytest.raises(RequestTooLarge):
            _read([bomb], coding="gzip", max_bytes=bound)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * bound


@pytest.mark.parametrize("coding", ["br", "compress", "utf-8", "gzip, gzip", "gzip, br"])
def test_another_coding_is_refused_by_name(coding: str) -> None:
    """An unknown coding is refused; the error names it and the accepted ones."""
    with pytest.raises(UnsupportedCoding, match="expected one of gzip, deflate, ") as caught:
        _read([_TEXT], coding=coding, max_bytes=1000)
    assert caught.value.accepted == ACCEPTED


@pytest.mark.parametrize(
    ("coding", "data", "complaint"),
    [
        ("gzip", _TEXT, "no gzip data"),
        ("deflate", _TEXT, "no deflate data"),
        ("gzip", _gzip(_TEXT)[:-4], "ends too early"),
        ("gzip", _gzip(_TEXT)[:1], "ends too early"),
        ("deflate", zlib.compress(_TEXT)[:-4], "ends too early"),
        ("gzip", _gzip(_TEXT) + b"more", "no gzip data"),
        ("deflate", zlib.compress(_TEXT) + b"more", "no deflate data"),
    ],
)
def test_data_that_is_not_what_it_says_is_the_clients_mistake(
    coding: str, data: bytes, complaint: str
) -> None:
    """Data that is not in its coding is refused in one sentence that quotes nothing of it."""
    with pytest.raises(InvalidInput, match=complaint):
        _read([data], coding=coding, max_bytes=1000)


def test_a_body_that_says_it_is_compressed_and_is_empty_is_empty() -> None:
    """An empty body with a `Content-Encoding` is empty and no error."""
    assert _read([], coding="gzip") == b""


def test_a_byte_order_mark_is_skipped() -> None:
    """A UTF-8 byte order mark is skipped, also inside a compressed body."""
    assert _read([b"\xef\xbb\xbf{}"]) == b"{}"
    assert _read([_gzip(b"\xef\xbb\xbf{}")], coding="gzip", max_bytes=99) == b"{}"


class _Lax(msgspec.Struct):
    on: bool | None = None
    many: int | None = None


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"on": "true", "many": "3"}', _Lax(on=True, many=3)),
        (b'{"on": "False", "many": 3.0}', _Lax(on=False, many=3)),
        (b'{"on": 1, "many": null}', _Lax(on=True)),
        (b'{"on": "0", "many": "3.0"}', _Lax(on=False, many=3)),
        (b'{"on": null}', _Lax()),
    ],
)
def test_booleans_and_numbers_are_read_as_python_servers_read_them(
    body: bytes, found: _Lax
) -> None:
    """Booleans and numbers are read from text and from numbers, in any case."""
    assert decode_json(body, decoder(_Lax)) == found


@pytest.mark.parametrize("body", [b'{"on": "maybe"}', b'{"on": 2}', b'{"many": "three"}'])
def test_what_is_no_boolean_and_no_number_is_refused(body: bytes) -> None:
    """The error for what is no boolean or number names its place."""
    with pytest.raises(InvalidInput, match=r"expected `(bool|int) "):
        decode_json(body, decoder(_Lax))


def test_an_empty_array_stands_for_an_empty_object() -> None:
    """An empty array, as PHP writes it, is read as an empty object."""
    given = _Lax(many=1)
    assert members(given, _Lax()) is given
    assert members(None, given) is members([], given) is given


@pytest.mark.parametrize("unread", [b"1e999", b'"\xff"', b"[null]"])
def test_a_member_that_nothing_reads_does_not_spoil_a_body(unread: bytes) -> None:
    """A body is read as its type and by its names, also where an unread member holds no value."""
    body = ParsedBody.of(b'{"name": "a", "count": "3", "other": ' + unread + b"}")
    assert body.decode(decoder(_Shape)) == _Shape("a", 3)
    assert list(given_members(body.value)) == ["name", "count", "other"]


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b"{}", b'{"name": 3}', b'{"name": "\xff"}']
)
def test_a_parsed_body_is_refused_in_the_same_words(raw: bytes) -> None:
    """What does not fit the type has the error that decoding the bytes raises."""
    with pytest.raises(InvalidInput) as usual:
        decode_json(raw, _DECODER)
    with pytest.raises(InvalidInput) as found:
        ParsedBody.of(raw).decode(_DECODER)
    assert str(found.value) == str(usual.value)
