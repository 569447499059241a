"""What systemd and a service say to each other: readiness, the watchdog, and inherited sockets.

The protocols are those of sd_notify(3) and sd_listen_fds(3), which other supervisors speak too.
"""

import os
import socket
import time
from collections.abc import Mapping
from typing import Final

import structlog

from earmark.errors import AddressUnavailable

_FIRST_DESCRIPTOR: Final = 3
_PINGS_PER_LIMIT: Final = 2
_MICROSECONDS: Final = 1e6

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.cli")


class Notifier:
    """Tells the supervisor how the service is; does nothing where none listens."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        """Read where the supervisor listens, and how often it wants to hear.

        Args:
            environ: the environment's variables; this process's own when None.
        """
        environ = os.environ if environ is None else environ
        address = environ.get("NOTIFY_SOCKET")
        # A name that begins with @ has no file: its first byte is 0.
        self._address = f"\0{address[1:]}" if address and address[0] == "@" else address
        limit_s = 0.0
        if environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid()):
            limit_s = _number(environ.get("WATCHDOG_USEC", "")) / _MICROSECONDS
        self._ping_s = limit_s / _PINGS_PER_LIMIT
        self._pinged_s = 0.0

    def ready(self) -> None:
        """Report that clients can connect."""
        self._send("READY=1")

    def reloading(self) -> None:
        """Report that settings are read anew; `ready` ends that."""
        microseconds = int(time.monotonic() * _MICROSECONDS)
        self._send(f"RELOADING=1\nMONOTONIC_USEC={microseconds}")

    def stopping(self) -> None:
        """Report that the service ends."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Feed the watchdog, if there is one and it is time."""
        now_s = time.monotonic()
        if self._ping_s and now_s - self._pinged_s >= self._ping_s:
            self._pinged_s = now_s
            self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(text.encode(), self._address)
        except OSError as error:
            _log.warning("the supervisor cannot be reached", error=str(error))


def inherited_listener(environ: Mapping[str, str] | None = None) -> socket.socket | None:
    """Return the socket that a supervisor has opened for this process; None if there is none.

    Args:
        environ: the environment's variables; this process's own when None.

    Raises:
        AddressUnavailable: there are several, or it is none of TCP.
    """
    environ = os.environ if environ is None else environ
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return None
    count = _number(environ.get("LISTEN_FDS", ""))
    if not count:
        return None
    if count > 1:
        raise AddressUnavailable(
            f"the supervisor passes {count} sockets; expected one, with one ListenStream"
        )
    listener = socket.socket(fileno=_FIRST_DESCRIPTOR)
    if listener.family not in (socket.AF_INET, socket.AF_INET6):
        listener.close()
        raise AddressUnavailable(
            "the supervisor passes a socket that is none of TCP; expected ListenStream=PORT"
        )
    listener.set_inheritable(False)
    return listener


def _number(written: str) -> int:
    return int(written) if written.isascii() and written.isdigit() else 0
