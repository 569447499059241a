"""Headers that few clients send, and bodies that are compressed in every way, sound and broken."""

import zlib
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Final, TypeAlias

Header: TypeAlias = tuple[bytes, bytes]

_CONTENT_TYPES: Final = (
    b"application/json; charset=utf-8", b"application/json; charset=utf-16", b"text/plain",
    b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=b",
    b"multipart/form-data", b"application/xml", b"", b";", b"/", b"a" * 300,
    b"application/json; charset=\xff", b"text/html", b"application/octet-stream", b"audio/flac",
    b"APPLICATION/JSON", b"application/json, text/plain",
)  # fmt: skip
_ACCEPTS: Final = (
    b"*/*", b"text/html", b"text/html;q=0", b"text/event-stream", b"application/xml", b"", b",,,",
    b"image/png", b"application/json;q=zzz", b"*", b"text/html,application/json;q=0.9", b"\xff",
)  # fmt: skip
_CODINGS: Final = (
    b"gzip", b"deflate", b"br", b"zstd", b"identity", b"x-gzip", b"GZIP", b"gzip, gzip", b"",
    b"gzip, br", b"application/json", b"*", b",", b"\xff", b"compress", b"gzip;q=1", b"chunked",
)  # fmt: skip
_AGENTS: Final = (
    b"unknown/None; hf_hub/0.23.5; python/3.11", b"unknown/None; hf_hub/2.4.0; python/3.11",
    b"hf_hub/999999999999999999999.1.1", b"hf_hub/1", b"hf_hub/", b"hf_hub/1.1.5.rc0", b"node",
    b"@huggingface/inference/3.5.0", b"@huggingface/inference/4.13.30 Node.js/22", b"Mozilla/5.0",
    b"@huggingface/inference/99999999999999999999", b"Cloudflare/Python 5.9.0", b"", b"\xff\xfe",
    b"a" * 4000, b"hf_hub/-1.-2.-3", b"hf_hub/1.2.3; hf_hub/0.1.1",
)  # fmt: skip
_CREDENTIALS: Final = (
    b"", b"Bearer", b"Bearer ", b"Bearer: x", b"bearer x", b"BEARER x", b"Basic dTpw", b"Token x",
    b"Bearer x y", b"Bearer \xff", b"Bearer 'x'", b"Bearer x,Bearer y", b"x",
    b"Bearer " + b"a" * 5000, b'Digest username="x"', b"Bearer null", b"Bearer undefined",
    b"Bearer ${KEY}", b"\x80",
)  # fmt: skip
_VALUES: Final = (
    b"", b"true", b"false", b"1", b"0", b"TRUE", b" true ", b"yes", b"null", b"-1", b"1e9", b"\xff",
    b"a" * 3000, b"true, false", b"%00", b"*", b"@cf/x/y", b"p:@cf/x/y", b"2", b"0.0.0", b"?a=b",
    b"http://x/?page=-1&per_page=0", b"http://[", b"//", b"1.1.0", b"9" * 300,
)  # fmt: skip
_FLAGS: Final = (b"true", b"false", b"1", b"0", b" TRUE ", b"")
_MORE_NAMES: Final = (
    b"x-use-cache", b"x-wait-for-model", b"x-load-model", b"x-auth-email", b"x-auth-key",
    b"x-auth-user-service-key", b"cf-aig-authorization", b"cf-consn-model-id", b"x-forwarded",
    b"cf-consn-sdk-version", b"origin", b"access-control-request-method", b"if-none-match",
    b"access-control-request-headers", b"access-control-request-private-network", b"range",
    b"x-forwarded-for", b"x-forwarded-host", b"forwarded", b"cookie", b"te",
    b"upgrade-insecure-requests", b"if-modified-since", b"if-match", b"max-forwards",
    b"content-range", b"trailer", b"date", b"via", b"api-version", b"x-stainless-retry-count",
    b"x-http-method-override", b"api-key", b"x-api-key", b"accept-encoding", b"accept-language",
    b"x-hf-bill-to", b"prefer", b"content-md5", b"referer", b"sec-fetch-site", b"sec-fetch-mode",
    b"x", b"!#$%&'*+-.^_`|~", b"content-language", b"priority",
)  # fmt: skip

_BOMB: Final = 12_000_000
"""Bytes that a bomb of a few kilobytes grows to."""


def any_headers(rng: Random, known: Sequence[bytes], models: Sequence[str]) -> list[Header]:
    """Draw headers beside those that frame the request.

    Args:
        rng: where chance comes from.
        known: names that the address reads.
        models: ids that are served.
    """
    found = [(b"content-type", _content_type(rng))]
    if rng.random() < 0.2:
        found.append((b"accept", rng.choice(_ACCEPTS)))
    if rng.random() < 0.25:
        found.append((b"user-agent", rng.choice(_AGENTS)))
    for name in known:
        if b"model-id" in name and rng.random() < 0.85:
            found.append((name, rng.choice(models).encode()))
        elif rng.random() < 0.15:
            found.append((name, rng.choice(_FLAGS) if rng.random() < 0.7 else any_value(rng)))
    while rng.random() < 0.2:
        found.append((rng.choice(_MORE_NAMES), any_value(rng)))
    if rng.random() < 0.002:
        found += [(b"x-many", b"x")] * rng.choice((200, 5_000))
    if rng.random() < 0.002:
        found.append((b"x-long", b"x" * rng.choice((31_000, 40_000))))
    return found


def _content_type(rng: Random) -> bytes:
    return rng.choice(_CONTENT_TYPES) if rng.random() < 0.15 else b"application/json"


def any_value(rng: Random) -> bytes:
    """Draw the value of a header."""
    if rng.random() < 0.9:
        return rng.choice(_VALUES)
    return bytes(rng.choice(b'\t !~az09,;="\x80\xff') for _ in range(rng.randrange(12))).strip()


def any_credentials(rng: Random, key: str) -> list[Header]:
    """Draw how a caller presents a key: most often correctly, where there is one."""
    draw = rng.random()
    if draw < 0.9:
        return [(b"authorization", b"Bearer " + key.encode())] if key else []
    if draw < 0.93:
        return [(b"x-auth-email", b"a@example.org"), (b"x-auth-key", key.encode() or b"k")]
    if draw < 0.94:
        return []
    return [(b"authorization", rng.choice(_CREDENTIALS)) for _ in range(rng.randrange(1, 3))]


def any_coding(rng: Random, body: bytes) -> tuple[bytes, list[Header]]:
    """Compress a body in some way, and name that way or another one."""
    if rng.random() < 0.01:
        return _bomb(), [(b"content-encoding", b"gzip")]
    coding = rng.choice(_CODINGS) if rng.random() < 0.4 else b"gzip"
    match rng.randrange(6):
        case 0:
            packed = _packed(body, -15)
        case 1:
            packed = _packed(body, 15)
        case 2:
            packed = body
        case _:
            packed = _packed(body, 31)
    match rng.randrange(8):
        case 0:
            packed = packed[: rng.randrange(len(packed) + 1)]
        case 1 if packed:
            place = rng.randrange(len(packed))
            packed = packed[:place] + rng.randbytes(1) + packed[place + 1 :]
        case 2:
            packed += rng.choice((packed, b"\x00", b"trailing"))
        case _:
            pass
    return packed, [(b"content-encoding", coding)] * rng.choice((1, 1, 1, 2))


def _packed(body: bytes, window: int) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, window)
    return packer.compress(body) + packer.flush()


@cache
def _bomb() -> bytes:
    return _packed(b" " * _BOMB, 31)
