"""A whole request from a seed and a number, the same each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from fuzz.addresses import Operation
from fuzz.bodies import any_body
from fuzz.headers import Header, any_coding, any_credentials, any_headers, any_value
from fuzz.targets import Models, Target, any_target
from fuzz.values import Tree

_METHODS: Final = (
    "GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "SEARCH",
    "PURGE", "LINK", "REPORT", "QUERY", "BREW", "get", "PRI", "M-SEARCH",
)  # fmt: skip
_HOSTS: Final = (
    b"localhost", b"127.0.0.1", b"[::1]", b"LOCALHOST:1", b"example.org", b"", b"127.0.0.1:99999",
    b"localhost.", b"[::1", b"a:b:c", b"\xff", b"0.0.0.0", b"localhost@example.org", b"x" * 300,
)  # fmt: skip

_FIT_SHARE: Final = 0.75
"""Part of the bodies that begin as one that the model in the address can answer."""
_NOWHERE: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and what is known of it.

    Attributes:
        method: as it is sent.
        target: where it goes.
        headers: without those that frame the body.
        body: as it is sent.
        request_id: what the answer has to repeat; None where the request's own was drawn.
    """

    method: str
    target: Target
    headers: tuple[Header, ...]
    body: bytes
    request_id: str | None

    def head(self, framing: Sequence[Header]) -> bytes:
        """Write the request line and the headers."""
        lines = [f"{self.method} {self.target.raw} HTTP/1.1".encode("latin-1")]
        lines += [b"%b: %b" % header for header in (*self.headers, *framing)]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def sent(self) -> bytes:
        """Write the whole request, framed by its length."""
        return self.head([(b"content-length", b"%d" % len(self.body))]) + self.body

    def sent_in_chunks(self, sizes: Sequence[int]) -> bytes:
        """Write the whole request in chunks of these sizes; the last one takes what is left."""
        chunks, rest = [], self.body
        for size in sizes:
            chunks.append(rest[:size])
            rest = rest[size:]
        written = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in (*chunks, rest) if one)
        return self.head([(b"transfer-encoding", b"chunked")]) + written + b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Fit:
    """A body that is correct for an address.

    Attributes:
        tree: of the body.
        places: of the path, by name.
        model: that can do it.
    """

    tree: Tree
    places: Mapping[str, str]
    model: str


@dataclass(frozen=True, slots=True)
class Known:
    """What requests are drawn from.

    Attributes:
        operations: of the server; one that is to be drawn more often is there several times.
        fits: of each operation.
        models: what requests name.
        key: of the server; empty where it demands none.
    """

    operations: Sequence[Operation]
    fits: Mapping[Operation, Sequence[Fit]]
    models: Models
    key: str


def any_request(rng: Random, known: Known, request_id: str) -> Asked:
    """Draw a request.

    Args:
        rng: where chance comes from.
        known: what it is drawn from.
        request_id: a name for this request.
    """
    operation = rng.choice(known.operations)
    fits = known.fits.get(operation, ())
    trees, places, served = operation.trees, _NOWHERE, known.models.served
    if fits and rng.random() < _FIT_SHARE:
        fit = rng.choice(fits)
        trees, places, served = (fit.tree,), fit.places, (fit.model,)
    target = any_target(rng, operation, known.models, places)
    method = operation.method if rng.random() < 0.94 else rng.choice(_METHODS)
    body = b""
    if operation.examples or rng.random() < 0.1:
        body = any_body(rng, trees, operation.names)
    headers = [_host(rng), *any_headers(rng, operation.headers, served)]
    headers += any_credentials(rng, known.key)
    if rng.random() < 0.03:
        body, coding = any_coding(rng, body)
        headers += coding
    if rng.random() < 0.01:
        headers.append((b"connection", rng.choice((b"close", b"keep-alive", b"x", b"Upgrade"))))
        headers += [(b"upgrade", b"h2c")] * rng.randrange(2)
    if rng.random() < 0.003:
        headers.append((b"expect", rng.choice((b"100-continue", b"200-ok"))))
    own = rng.random() < 0.99
    headers.append((b"x-request-id", request_id.encode() if own else any_value(rng)))
    return Asked(method, target, tuple(headers), body, request_id if own else None)


def _host(rng: Random) -> Header:
    return b"host", rng.choice(_HOSTS) if rng.random() < 0.02 else b"localhost"
