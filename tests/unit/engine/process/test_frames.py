"""Frames over a socket: whole, in order, whatever their size, and never blocking the sender."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from earmark.engine.process.frames import FrameSocket


@pytest.fixture
def ends() -> Iterator[tuple[FrameSocket, FrameSocket]]:
    """Connect two ends."""
    one, other = map(FrameSocket, socket.socketpair())
    yield one, other
    one.close()
    other.close()


def _received(frames: FrameSocket, count: int) -> list[bytes]:
    found: list[bytes] = []
    while len(found) < count:
        found += frames.receive(10.0)
    return found


def test_frames_arrive_whole_and_in_order(ends: tuple[FrameSocket, FrameSocket]) -> None:
    """An empty one, small ones, and one that is larger than what the kernel takes at once."""
    contents = [b"", b"a", b"\x00" * 3, bytes(range(256)) * 40_000, b"last"]
    for content in contents:
        ends[0].send(content)
    assert _received(ends[1], len(contents)) == contents


def test_a_reader_that_is_busy_does_not_hold_up_the_sender(
    ends: tuple[FrameSocket, FrameSocket],
) -> None:
    """Megabytes are handed over at once, and arrive once they are read."""
    content = b"x" * 1_000_000
    started_s = time.monotonic()
    for _ in range(20):
        ends[0].send(content)
    assert time.monotonic() - started_s < 5.0
    assert _received(ends[1], 20) == [content] * 20


def test_several_threads_send_whole_frames(ends: tuple[FrameSocket, FrameSocket]) -> None:
    """Frames of different threads are never mixed."""
    contents = [bytes([n]) * 100_000 for n in range(8)]
    threads = [threading.Thread(target=ends[0].send, args=(one,)) for one in contents]
    for thread in threads:
        thread.start()
    assert sorted(_received(ends[1], 8)) == contents


def test_the_end_of_the_stream_is_reported_to_the_reader_alone(
    ends: tuple[FrameSocket, FrameSocket],
) -> None:
    """What was sent before is read first; sending to a side that has gone raises nothing."""
    ends[0].send(b"last words")
    ends[0].close()
    assert _received(ends[1], 1) == [b"last words"]
    with pytest.raises(EOFError):
        ends[1].receive(1.0)
    ends[1].send(b"to nobody")
    ends[0].send(b"from nobody")


def test_nothing_comes_after_the_time(ends: tuple[FrameSocket, FrameSocket]) -> None:
    """A reader can look at the clock."""
    assert ends[1].receive(0.01) == []
