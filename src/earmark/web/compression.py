"""Decompresses bodies while they come in, never beyond a bound.

Source: RFC 9110, section 8.4.1. `zstd` (RFC 8878) is available from Python 3.14 on.
"""

import importlib
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from earmark.errors import InvalidInput, RequestTooLarge, UnsupportedCoding


class _Decompressor(Protocol):
    """The interface of decompressors in `zlib`, `bz2` and `compression.zstd`."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB_METHOD: Final = 8
"""The low half of the first byte of a zlib stream (RFC 1950, section 2.2)."""


def _gzip(_: bytes) -> _Decompressor:
    return zlib.decompressobj(_GZIP)


def _deflate(begin: bytes) -> _Decompressor:
    """Make a decompressor for zlib, as in the RFC, or for bare deflate, which some clients send."""
    wrapped = begin[0] & 0xF == _ZLIB_METHOD and int.from_bytes(begin[:2]) % 31 == 0
    return zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)


_CODINGS: Final[dict[str, Callable[[bytes], _Decompressor]]] = {"gzip": _gzip, "deflate": _deflate}
_MALFORMED: tuple[type[Exception], ...] = (zlib.error,)
with suppress(ImportError):
    _zstd = importlib.import_module("compression.zstd")
    _CODINGS["zstd"] = lambda _: _zstd.ZstdDecompressor()
    _MALFORMED = (zlib.error, _zstd.ZstdError)
_IDENTITY: Final = "identity"
_PLAIN: Final = ("", _IDENTITY, "application/json")
"""Names that change nothing. The last is no coding: Cloudflare's package `@cloudflare/ai` 1.1.0
sends a media type in this header."""
ACCEPTED: Final = (*_CODINGS, _IDENTITY)
"""Names that ``Content-Encoding`` may have."""

_BEGINNING: Final = 2
"""Bytes that distinguish the two forms of deflate."""


class Expanding:
    """A body that comes in chunks, compressed or not."""

    def __init__(self, coding: str, *, max_bytes: int) -> None:
        """Start an empty body.

        Args:
            coding: the value of ``Content-Encoding``, which may be empty.
            max_bytes: of the body, both as it comes in and expanded.

        Raises:
            UnsupportedCoding: it is no accepted coding, or several codings.
        """
        named = [each.strip().lower().removeprefix("x-") for each in coding.split(",")]
        named = [each for each in named if each not in _PLAIN]
        if len(named) > 1 or any(each not in _CODINGS for each in named):
            raise UnsupportedCoding(
                f"the body's Content-Encoding is {coding[:40]!r}; expected one of"
                f" {', '.join(ACCEPTED)}",
                accepted=ACCEPTED,
            )
        self._name = named[0] if named else _IDENTITY
        self._max_bytes = max_bytes
        self._received = 0
        self._waiting = b""
        self._stream: _Decompressor | None = None
        self._body = bytearray()

    def feed(self, chunk: bytes) -> int:
        """Take the next chunk, and return how many bytes are in memory so far, expanded.

        Raises:
            RequestTooLarge: the body is longer than the bound.
            InvalidInput: it is not compressed in this coding.
        """
        self._received += len(chunk)
        if self._received > self._max_bytes:
            raise self._too_large()
        if self._name == _IDENTITY:
            self._body += chunk
            return len(self._body)
        data = self._waiting + chunk
        self._waiting = b""
        while data:
            if self._stream is None:
                if len(data) < _BEGINNING:
                    self._waiting = data
                    break
                self._stream = _CODINGS[self._name](data)
            data = self._expand(self._stream, data)
        return len(self._body) + len(self._waiting)

    def end(self) -> bytes:
        """Return the body.

        Raises:
            InvalidInput: it ends too early.
        """
        if self._waiting or (self._stream is not None and not self._stream.eof):
            raise InvalidInput(f"the body's {self._name} data ends too early")
        return bytes(self._body)

    def _expand(self, stream: _Decompressor, data: bytes) -> bytes:
        """Expand one member, and return what follows it."""
        room = self._max_bytes - len(self._body)
        try:
            # One byte beyond the bound is enough to know that the body is too large.
            self._body += stream.decompress(data, room + 1)
        except _MALFORMED as error:
            raise self._malformed() from error
        if len(self._body) > self._max_bytes:
            raise self._too_large()
        if not stream.eof:
            return b""
        following = stream.unused_data
        if following:
            # A gzip or zstd body may have several members, one after the other.
            if self._name == "deflate":
                raise self._malformed()
            self._stream = None
        return following

    def _malformed(self) -> InvalidInput:
        return InvalidInput(f"the body is no {self._name} data, which its Content-Encoding says")

    def _too_large(self) -> RequestTooLarge:
        return RequestTooLarge(
            f"the body is too long, at most {self._max_bytes:,} bytes are accepted"
            f"{'' if self._name == _IDENTITY else ', expanded'}; send the texts in several requests"
        )
