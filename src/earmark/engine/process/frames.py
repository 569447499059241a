"""Length-prefixed frames over a stream socket; sending never blocks."""

import select
import socket
import threading
from collections import deque
from contextlib import suppress
from typing import Final

_PREFIX_BYTES: Final = 4
_RECEIVED_AT_ONCE: Final = 1 << 18
_LOOKED_AGAIN_S: Final = 1.0


class FrameSocket:
    """A stream socket that carries frames: four bytes of length, big-endian, and the content.

    Any thread may send; one thread receives. What the kernel does not take at once is sent by a
    thread of its own, so that a reader that is busy does not hold up the sender.
    """

    def __init__(self, stream: socket.socket) -> None:
        """Take a connected stream socket, which `close` closes."""
        self._stream = stream
        self._stream.settimeout(0)
        self._received = bytearray()
        self._backlog: deque[memoryview] = deque()
        self._changed = threading.Condition()
        self._sender: threading.Thread | None = None
        self._closed = False

    def send(self, content: bytes) -> None:
        """Send a frame; nothing is raised at the end of the stream, which `receive` reports."""
        frame = memoryview(len(content).to_bytes(_PREFIX_BYTES, "big") + content)
        with self._changed:
            if self._closed:
                return
            if not self._backlog:
                frame = self._send_now(frame)
            if frame:
                self._backlog.append(frame)
                self._changed.notify()
                if self._sender is None:
                    self._sender = threading.Thread(
                        target=self._send_backlog, name="earmark-frames", daemon=True
                    )
                    self._sender.start()

    def receive(self, timeout_s: float | None = None) -> list[bytes]:
        """Wait for frames.

        Args:
            timeout_s: how long to wait at most; None for ever.

        Returns:
            What has come, in order; nothing after the timeout.

        Raises:
            EOFError: the other side has closed the stream.
        """
        try:
            ready = self._ready(select.POLLIN, timeout_s)
            content = self._stream.recv(_RECEIVED_AT_ONCE) if ready else None
        except BlockingIOError:
            return []
        except (OSError, ValueError):  # reset, or closed on this side
            content = b""
        if content is None:
            return []
        if not content:
            raise EOFError("the other side has closed the stream")
        self._received += content
        return self._whole_frames()

    def close(self) -> None:
        """Close the socket; the other side sees the end of the stream."""
        with self._changed:
            self._closed = True
            self._backlog.clear()
            self._changed.notify()
        with suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)
        self._stream.close()

    def _whole_frames(self) -> list[bytes]:
        received, start = self._received, 0
        frames = []
        while len(received) - start >= _PREFIX_BYTES:
            content = start + _PREFIX_BYTES
            end = content + int.from_bytes(received[start:content], "big")
            if len(received) < end:
                break
            frames.append(bytes(received[content:end]))
            start = end
        del received[:start]
        return frames

    def _send_now(self, frame: memoryview) -> memoryview:
        """Send what the kernel takes; return the rest."""
        while frame:
            try:
                frame = frame[self._stream.send(frame) :]
            except BlockingIOError:
                break
            except OSError:  # the other side has gone
                return frame[len(frame) :]
        return frame

    def _send_backlog(self) -> None:
        while True:
            with self._changed:
                while not self._backlog and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                self._backlog[0] = self._send_now(self._backlog[0])
                if not self._backlog[0]:
                    self._backlog.popleft()
                    continue
            with suppress(OSError, ValueError):
                self._ready(select.POLLOUT, _LOOKED_AGAIN_S)

    def _ready(self, event: int, timeout_s: float | None) -> bool:
        """Wait until the socket can be read or written; `poll` takes a descriptor of any number."""
        poll = select.poll()
        poll.register(self._stream, event)
        return bool(poll.poll(None if timeout_s is None else timeout_s * 1000))
