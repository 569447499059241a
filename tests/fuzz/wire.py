"""Reads answers strictly: what is not HTTP/1.1 to the letter (RFC 9112) is a failure."""

import asyncio
import re
from dataclasses import dataclass
from typing import Final

_HEAD: Final = re.compile(
    rb"HTTP/1\.1 ([1-5][0-9][0-9]) [\t -~]*\r\n"
    rb"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t ]*[\t -~\x80-\xff]*\r\n)*)\r\n"
)
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_BODILESS: Final = (204, 304)
_INTERIM_BELOW: Final = 200


class NotHttp(Exception):
    """What came is no answer of HTTP/1.1; the message says how."""


class Ended(Exception):
    """The connection ended before an answer began."""


@dataclass(frozen=True, slots=True)
class Received:
    """An answer.

    Attributes:
        status: of HTTP.
        headers: the first of each name, in lower case.
        body: without its framing.
        repeated: names that came more than once.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    repeated: tuple[str, ...] = ()

    @property
    def closes(self) -> bool:
        """Whether the connection ends after it."""
        return "close" in self.headers.get("connection", "").lower()

    @property
    def media_type(self) -> str:
        """The content type, as it is."""
        return self.headers.get("content-type", "")


async def read_answer(reader: asyncio.StreamReader, *, head_only: bool) -> Received:
    """Read the next answer, past those that are interim.

    Args:
        reader: of the connection.
        head_only: whether the request was a HEAD.

    Raises:
        Ended: the connection ended before the first byte.
        NotHttp: what came is no answer.
    """
    while True:
        status, headers, repeated = await _read_head(reader)
        if status >= _INTERIM_BELOW:
            break
    if head_only or status in _BODILESS:
        return Received(status, headers, b"", repeated)
    try:
        body = await _read_body(reader, headers)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError) as error:
        raise NotHttp(f"the body of a {status} does not end: {error!r}") from None
    return Received(status, headers, body, repeated)


async def _read_head(
    reader: asyncio.StreamReader,
) -> tuple[int, dict[str, str], tuple[str, ...]]:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise NotHttp(f"the head does not end: {error.partial[:200]!r}") from None
        raise Ended from None
    except asyncio.LimitOverrunError:
        raise NotHttp("the head does not end") from None
    except ConnectionError as error:
        raise Ended(repr(error)) from None
    found = _HEAD.fullmatch(head)
    if found is None:
        raise NotHttp(f"the head is malformed: {head[:300]!r}")
    headers: dict[str, str] = {}
    repeated = []
    for line in found[2].decode("latin-1").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        name = name.lower()
        if name in headers:
            repeated.append(name)
        headers.setdefault(name, value.strip())
    return int(found[1]), headers, tuple(repeated)


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    length = headers.get("content-length")
    coding = headers.get("transfer-encoding")
    if coding is not None:
        if coding != "chunked" or length is not None:
            raise NotHttp(f"transfer-encoding {coding!r} with content-length {length!r}")
        return await _read_chunks(reader)
    if length is None:
        raise NotHttp("neither content-length nor transfer-encoding")
    if not length.isdecimal():
        raise NotHttp(f"content-length is {length!r}")
    return await reader.readexactly(int(length))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        line = await reader.readuntil(b"\r\n")
        found = _CHUNK.fullmatch(line)
        if found is None:
            raise NotHttp(f"a chunk begins with {line[:100]!r}")
        size = int(found[1], 16)
        chunk = await reader.readexactly(size + 2)
        if chunk[-2:] != b"\r\n":
            raise NotHttp("a chunk does not end where its size says")
        if not size:
            return bytes(body)
        body += chunk[:-2]
