"""Clients that send or read slowly, or nothing at all, or too much; all kinds at once."""

import asyncio
import json
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

from faults.figures import Figures
from faults.served import Served, assert_clean, neighbour, serving, until

_IDLE = 2_000
_OF_A_KIND = 200
_READERS = 4
_DRIP_S = 0.5
"""Between two bytes of a slow client."""
_HEADERS_S, _BODY_S, _ANSWER_S = 15.0, 60.0, 60.0
"""Deadlines of the server: `ConnectionLimits`."""
_LATE_S = 5.0
_NEIGHBOUR_S = 1.0
_SMALL_BUFFER = 4096
_HEAD = b"POST /models/tiny HTTP/1.1\r\nhost: localhost\r\n"
_LARGE = {"inputs": ["the good film of New York " * 6] * 1000, "parameters": {"ignore_labels": []}}
"""Its answer has some megabytes, more than the system's buffers."""


async def _drip(served: Served, head: bytes, drop: bytes) -> tuple[str, float]:
    """Send a head and then a drop now and then; return what is answered, and when."""
    begun_s = time.monotonic()
    reader, writer = await asyncio.open_connection(*served.place)
    writer.write(head)
    answer = asyncio.ensure_future(reader.read(65536))
    try:
        while not answer.done():
            await asyncio.wait((answer,), timeout=_DRIP_S)
            with suppress(ConnectionError):
                writer.write(drop)
                await writer.drain()
    finally:
        answer.cancel()
        writer.transport.abort()
    words = b"" if answer.exception() else answer.result()
    return (words.split()[1].decode() if words else "closed"), time.monotonic() - begun_s


async def _kind(count: int, one: Callable[[], Awaitable[tuple[str, float]]]) -> "_Kind":
    found = await asyncio.gather(*(one() for _ in range(count)))
    return _Kind(found)


class _Kind:
    """What became of clients of one kind."""

    def __init__(self, found: Iterable[tuple[str, float]]) -> None:
        ends = list(found)
        self.ends = Counter(end for end, _ in ends)
        self.first_s = min(took_s for _, took_s in ends)
        self.last_s = max(took_s for _, took_s in ends)


def test_slow_clients_are_cut_off_and_the_others_answered(
    *, tiny: str, tmp_path: Path, full_size: bool, slowness: float, figures: Figures
) -> None:
    """Slow headers get 408 in time, and slow bodies; neighbours notice nothing."""
    body = _HEAD + b"content-length: 100000\r\n\r\n"
    with serving("--model", tiny, folder=tmp_path) as served:
        before_mb = served.memory_mb()

        async def come() -> tuple["_Kind", "_Kind | None"]:
            headers = _kind(_OF_A_KIND, lambda: _drip(served, _HEAD, b"x"))
            bodies = _kind(_OF_A_KIND, lambda: _drip(served, body, b"x"))
            if full_size:
                return await asyncio.gather(headers, bodies)
            slow = asyncio.ensure_future(bodies)
            found = await headers
            slow.cancel()
            await asyncio.wait((slow,))
            return found, None

        with neighbour(served) as one:
            slow_headers, slow_bodies = asyncio.run(come())
        one.assert_unharmed(worst_s=_NEIGHBOUR_S * slowness)
        assert {state for _, state in one.states} == {"200 ready"}
        assert slow_headers.ends == {"408": _OF_A_KIND}
        assert slow_headers.first_s > _HEADERS_S - 1
        assert slow_headers.last_s < _HEADERS_S + _LATE_S * slowness
        if slow_bodies is not None:
            assert slow_bodies.ends == {"408": _OF_A_KIND}
            assert slow_bodies.last_s < _BODY_S + _LATE_S
            figures.add(
                f"{_OF_A_KIND} clients send a byte of their body every {_DRIP_S} s",
                "408 after 60 s, then the connection is closed",
                f"the last after {slow_bodies.last_s:.1f} s; neighbour: at most"
                f" {one.worst_ms:.0f} ms; {served.memory_mb() - before_mb:.0f} MB",
            )
        figures.add(
            f"{_OF_A_KIND} clients send a byte of their headers every {_DRIP_S} s",
            "408 after 15 s, then the connection is closed",
            f"the last after {slow_headers.last_s:.1f} s; neighbour: at most {one.worst_ms:.0f} ms",
        )
        assert served.server.stop() == 0
        assert_clean(served.server.events)


def test_idle_connections_shut_nobody_out(
    tiny: str, tmp_path: Path, slowness: float, figures: Figures
) -> None:
    """2,000 connections that send nothing: others are answered, and they are closed in time."""
    with serving("--model", tiny, folder=tmp_path) as served, ExitStack() as stack:
        served.ask()
        descriptors, before_mb = served.descriptors(), served.memory_mb()
        with neighbour(served) as one:
            for _ in range(_IDLE):
                stack.enter_context(socket.create_connection(served.place))
            until(lambda: served.descriptors() >= descriptors + _IDLE, within_s=_HEADERS_S)
            held_mb = served.memory_mb() - before_mb
            gone_s = until(lambda: served.descriptors() <= descriptors + 1)
        one.assert_unharmed(worst_s=_NEIGHBOUR_S * slowness)
        assert {state for _, state in one.states} == {"200 ready"}
        assert gone_s < _HEADERS_S + _LATE_S * slowness
        figures.add(
            f"{_IDLE:,} connections on which nothing is sent",
            "others are answered; the connections are closed after 15 s",
            f"neighbour: at most {one.worst_ms:.0f} ms; {held_mb * 1000 / _IDLE:.0f} KB each",
        )
        assert served.server.stop() == 0
        assert_clean(served.server.events)


def test_a_flood_of_headers_is_refused_early(
    tiny: str, tmp_path: Path, slowness: float, figures: Figures
) -> None:
    """Megabytes of headers, in one line or in many: 431, and little of it is held."""
    many = b"".join(b"x-%d: y\r\n" % number for number in range(100_000))
    long = b"x-long: " + b"y" * len(many)

    def flood(headers: bytes) -> bytes:
        with socket.create_connection(served.place, timeout=10 * slowness) as client:
            with suppress(ConnectionError):  # the server has gone before all of it is sent
                client.sendall(_HEAD + headers)
            answer = b""
            with suppress(ConnectionError):
                answer = client.recv(100)
            return answer.partition(b"\r\n")[0]

    with serving("--model", tiny, folder=tmp_path) as served:
        before_mb = served.memory_mb()
        with neighbour(served) as one:
            answers = Counter(
                flood(headers) for _ in range(_OF_A_KIND // 4) for headers in (many, long)
            )
        one.assert_unharmed(worst_s=_NEIGHBOUR_S * slowness)
        # Bytes that nobody has read make the system reset the connection, now and then too soon.
        refused = b"HTTP/1.1 431 Request Header Fields Too Large"
        assert set(answers) <= {refused, b""}
        assert answers[refused]
        held_mb = served.memory_mb() - before_mb
        assert held_mb < 20
        assert served.server.stop() == 0
        assert_clean(served.server.events)
    figures.add(
        f"{sum(answers.values())} clients send {len(many) / 1e6:.1f} MB of headers",
        "431, or the connection is reset, after 32 KiB",
        f"neighbour: at most {one.worst_ms:.0f} ms; {max(held_mb, 0):.0f} MB",
    )


def test_an_answer_that_nobody_reads_holds_up_nobody(
    *, tagger: str, tiny: str, tmp_path: Path, full_size: bool, slowness: float, figures: Figures
) -> None:
    """Whole answers and streams: neighbours are answered, and the connections are closed in time.

    The deadline is a minute, so that only a full run waits for it.
    """
    flags = ("--model", tiny, "--model", tagger)
    with serving(*flags, folder=tmp_path) as served, ExitStack() as stack:
        whole = json.dumps(_LARGE).encode()
        streamed = json.dumps({**_LARGE, "stream": True}).encode()
        served.ask()
        descriptors = served.descriptors()
        with neighbour(served) as one:
            begun_s = time.monotonic()
            for body in (whole, streamed) * (_READERS // 2):
                client = stack.enter_context(socket.socket())
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
                client.connect(served.place)
                head = b"POST /models/tagger HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n"
                client.sendall(head % len(body) + b"\r\n" + body)
                assert client.recv(12) == b"HTTP/1.1 200"
            answered_s = time.monotonic() - begun_s
            held_mb = served.memory_mb()
            if full_size:
                until(
                    lambda: served.descriptors() <= descriptors + 1,
                    within_s=_ANSWER_S + 2 * _LATE_S,
                )
            gone_s = time.monotonic() - begun_s - answered_s
        one.assert_unharmed(worst_s=_NEIGHBOUR_S * slowness)
        assert {state for _, state in one.states} == {"200 ready"}
        if full_size:
            figures.add(
                f"{_READERS} clients read 12 bytes of an answer of some megabytes, half of them of"
                " a stream",
                "the connection is closed 60 s after its buffer is full; the rest is dropped",
                f"the last after {gone_s:.0f} s; neighbour: at most {one.worst_ms:.0f} ms;"
                f" {held_mb:.0f} MB in all meanwhile",
            )
        stack.close()
        until(lambda: served.descriptors() <= descriptors)
        assert served.server.stop() == 0
        assert_clean(served.server.events)
