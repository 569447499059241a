"""What has a connection of its own: broken HTTP, pipelines, requests in pieces, early ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final, TypeAlias

from fuzz.bodies import damaged
from fuzz.requests import Asked

_BODY: Final = b'{"inputs": "a"}'
_POST: Final = b"POST / HTTP/1.1\r\nhost: localhost\r\n"
_GET: Final = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"

_REFUSED_HEADS: Final = (
    b"hello\r\n\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/1.1 x\r\nhost: x\r\n\r\n",
    b"GET /a b HTTP/1.1\r\nhost: x\r\n\r\n", b"GET / HTTP/2.0\r\nhost: x\r\n\r\n",
    b"GET / HTTP/9\r\n\r\n", b"GET / http/1.1\r\nhost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET \x00 HTTP/1.1\r\nhost: x\r\n\r\n", b"GET / HTTP/1.1\r\nhost x\r\n\r\n",
    b"GET / HTTP/1.1\r\n: x\r\n\r\n", b"GET / HTTP/1.1\r\nhost : x\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nx: \x00\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nx: \x01\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nx\xff: a\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n", b"FOO / HTTP/1.1\r\nhost: x\r\n\r\n",
    b"CONNECT x:443 HTTP/1.1\r\nhost: x\r\n\r\n", b"\r\n\r\n\x00\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"GET / HTTP/1.1\nhost: x\n\n",
    b" GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"G\xcbT / HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nx:" + b"a" * 40_000 + b"\r\n\r\n", b"GET /" + b"a" * 40_000,
    b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 9_000 + b"\r\n", b"EHLO x\r\n",
    b"OPTIONS * HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nhost: x\r\n a: b\r\nx\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5,5\r\n\r\nhello",
)  # fmt: skip
"""Each gets an answer at once, which refuses it, without a further byte."""

_ODD_HEADS: Final = (
    b"GET /health HTTP/1.0\r\n\r\n",
    b"GET http://localhost/health HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET http://x:99999999/health HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET ?a HTTP/1.1\r\nhost: x\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET * HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET //health HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET http:// HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET /#a HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET /health HTTP/1.1\r\nhost: localhost\r\nx: a\r\n b\r\n\r\n", b"\r\n\r\n" + _GET,
    b"GET /health HTTP/1.1\r\nhost:\r\n\r\n", b"GET a HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close, keep-alive\r\n\r\n",
    b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    b"GET ws://localhost/health HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET http://[::1/ HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET http://a@b@c/ HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET /% HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHOST: localhost\r\nTE: trailers\r\n\r\n",
    b"GET http:/health HTTP/1.1\r\nhost: x\r\n\r\n",
)  # fmt: skip
"""Each is a whole request, which gets an answer of whatever status."""

_FRAMINGS: Final = (
    b"content-length: 15\r\ncontent-length: 15\r\n",
    b"content-length: 15\r\ncontent-length: 16\r\n", b"content-length: -1\r\n",
    b"content-length: +15\r\n", b"content-length: 0x0f\r\n", b"content-length: 1e1\r\n",
    b"content-length: 99999999999999999999999\r\n", b"content-length: 15 15\r\n",
    b"content-length: \xb9\r\n", b"content-length: 15\r\ntransfer-encoding: chunked\r\n",
    b"transfer-encoding: chunked\r\ncontent-length: 15\r\n",
    b"transfer-encoding: gzip, chunked\r\n", b"transfer-encoding: chunked, chunked\r\n",
    b"transfer-encoding: xchunked\r\n",
    b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
    b"transfer-encoding: chunked;q=1\r\n", b"content-length: 9999999\r\n",
    b"content-length: 18446744073709551616\r\n",
)  # fmt: skip
"""Each is refused before its body, or the body behind it cannot be what it says."""

_SOUND_FRAMINGS: Final = (
    b"content-length: 15\r\n", b"content-length: 00015\r\n", b"Content-Length:\t15 \r\n",
)  # fmt: skip

_CHUNKED: Final = _POST + b"transfer-encoding: chunked\r\n\r\n"
_BROKEN_CHUNKS: Final = (
    b"zz\r\nhello\r\n0\r\n\r\n", b"-1\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"\r\nhello",
    b"hello\r\n", b"5\r\nhelloworld\r\n0\r\n\r\n", b"FFFFFFFFFFFFFFFFFF\r\na",
    b"5;\x00\r\nhello\r\n", b"5\nhello\n0\n\n", b"5 5\r\nhello\r\n", b"5\r\nhello0\r\n\r\n",
    b"+5\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\nx\r\n\r\n", b"5\r\nhello\r\n0\r\n: y\r\n\r\n",
    b"5\r\rhello",
)  # fmt: skip
"""Each gets an answer that refuses it."""
_SOUND_CHUNKS: Final = (
    b"f\r\n" + _BODY + b"\r\n0\r\n\r\n", b"F;a=b\r\n" + _BODY + b"\r\n0\r\n\r\n",
    b"000f\r\n" + _BODY + b"\r\n00\r\n\r\n", b"f\r\n" + _BODY + b"\r\n0\r\nx: y\r\nhost: z\r\n\r\n",
    b"f\r\n" + _BODY + b"\r\n0\r\ncontent-length: 3\r\nauthorization: Bearer x\r\n\r\n",
    b"0\r\n\r\n", b"".join(b"1\r\n%c\r\n" % byte for byte in _BODY) + b"0\r\n\r\n",
)  # fmt: skip

_MOST_PIPELINED: Final = 6
_MOST_PIECES: Final = 8
_WHOLE_BELOW: Final = 30_000
"""Bytes of a request that is sent in pieces, or with others."""


@dataclass(frozen=True, slots=True)
class Raw:
    """What is sent on a connection of its own.

    Attributes:
        pieces: written one after the other.
        asked: the requests in it, where it holds whole ones.
        answers: how many answers have to come, unless an answer closes the connection.
        end: what the client does when all is written: it reads; it stops writing, and reads what
            comes; or it leaves, with or without a reset.
    """

    pieces: tuple[bytes, ...]
    asked: tuple[Asked, ...] = ()
    answers: int = 0
    end: str = "read"


Drawn: TypeAlias = Callable[[], Asked]


def any_raw(rng: Random, draw: Drawn) -> Raw:
    """Draw what a connection carries; `draw` makes a further request."""
    kinds: Sequence[Callable[[Random, Drawn], Raw]] = (
        _refused, _odd, _framed, _chunked, _pipelined, _pipelined, _in_pieces, _in_chunks, _cut,
        _cut, _broken, _broken, _broken, _noise,
    )  # fmt: skip
    return rng.choice(kinds)(rng, draw)


def _refused(rng: Random, _: Drawn) -> Raw:
    return Raw(_pieces(rng, rng.choice(_REFUSED_HEADS)), answers=1)


def _odd(rng: Random, _: Drawn) -> Raw:
    return Raw(_pieces(rng, rng.choice(_ODD_HEADS)), answers=1)


def _framed(rng: Random, _: Drawn) -> Raw:
    framing = rng.choice((*_FRAMINGS, *_SOUND_FRAMINGS))
    answered = (
        framing in _SOUND_FRAMINGS or framing != b"content-length: 15\r\ncontent-length: 15\r\n"
    )
    return Raw(_pieces(rng, _POST + framing + b"\r\n" + _BODY), answers=int(answered))


def _chunked(rng: Random, _: Drawn) -> Raw:
    return Raw(_pieces(rng, _CHUNKED + rng.choice((*_BROKEN_CHUNKS, *_SOUND_CHUNKS))), answers=1)


def _pipelined(rng: Random, draw: Drawn) -> Raw:
    """Send several whole requests at once; the last bytes may be none."""
    asked = tuple(
        one for one in (draw() for _ in range(rng.randrange(2, _MOST_PIPELINED))) if _small(one)
    )
    sent = b"".join(_whole(rng, one) for one in asked)
    if rng.random() < 0.2:
        sent += rng.choice((b"\r\n", b"hello\r\n\r\n", b"\x00", b"GET /"))
    return Raw(_pieces(rng, sent), asked, answers=len(asked))


def _in_pieces(rng: Random, draw: Drawn) -> Raw:
    asked = draw()
    return Raw(_pieces(rng, asked.sent()), (asked,), answers=1)


def _in_chunks(rng: Random, draw: Drawn) -> Raw:
    asked = draw()
    return Raw((_whole(rng, asked),), (asked,), answers=1)


def _cut(rng: Random, draw: Drawn) -> Raw:
    """Leave early: in the middle of a request, or before its answer."""
    sent = _whole(rng, _posted(draw()))
    if rng.random() < 0.7:
        sent = sent[: rng.randrange(len(sent))]
    return Raw(_pieces(rng, sent), end=rng.choice(("stop", "leave", "reset")))


def _broken(rng: Random, draw: Drawn) -> Raw:
    """Change the bytes of a request anywhere, its head among them."""
    sent = _whole(rng, _posted(draw()))
    for _ in range(rng.randrange(1, 4)):
        sent = damaged(rng, sent)
    return Raw(_pieces(rng, sent), end=rng.choice(("stop", "stop", "leave")))


def _noise(rng: Random, _: Drawn) -> Raw:
    sent = rng.randbytes(rng.randrange(1, 300))
    return Raw((rng.choice((b"", b"GET ", b"POST / HTTP/1.1\r\n", _GET)) + sent,), end="stop")


def _posted(asked: Asked) -> Asked:
    """Keep a HEAD out of what may be broken: whether its answer has a body is not known then."""
    return replace(asked, method="POST") if asked.method == "HEAD" else asked


def _small(asked: Asked) -> bool:
    return (
        len(asked.body) < _WHOLE_BELOW
        and sum(len(value) for _, value in asked.headers) < _WHOLE_BELOW
    )


def _whole(rng: Random, asked: Asked) -> bytes:
    if rng.random() < 0.6:
        return asked.sent()
    return asked.sent_in_chunks([rng.randrange(1, 40) for _ in range(rng.randrange(5))])


def _pieces(rng: Random, sent: bytes) -> tuple[bytes, ...]:
    if rng.random() < 0.5 or len(sent) > _WHOLE_BELOW:
        return (sent,)
    places = sorted(rng.randrange(len(sent) + 1) for _ in range(rng.randrange(1, _MOST_PIECES)))
    return tuple(
        sent[a:b] for a, b in zip((0, *places), (*places, len(sent)), strict=True) if a < b
    )
