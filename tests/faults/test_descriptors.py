"""A process without free file descriptors: connections wait, and nothing needs a hand."""

import resource
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from faults.figures import Figures
from faults.served import assert_clean, neighbour, serving, until

_WAITING = 40
_IDLE_CORES = 0.2
_LACKS_S = 3.0
_REQUEST = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"


@pytest.mark.parametrize("left", ["a few", "none"])
def test_connections_wait_until_there_are_descriptors(
    left: str, tiny: str, tmp_path: Path, slowness: float, figures: Figures
) -> None:
    """Those that are open are answered; the log has one line, and the processor is at rest.

    The limit falls below what is open, as where a library takes whatever there is.
    """
    with serving("--model", tiny, folder=tmp_path) as served, ExitStack() as stack:
        with neighbour(served) as one:
            until(lambda: len(one.took_s) > 3)
            soft, hard = resource.prlimit(served.pid, resource.RLIMIT_NOFILE)
            limit = served.descriptors() + 4 if left == "a few" else 3
            resource.prlimit(served.pid, resource.RLIMIT_NOFILE, (limit, hard))
            clients = [
                stack.enter_context(socket.create_connection(served.place)) for _ in range(_WAITING)
            ]
            for client in clients:
                client.sendall(_REQUEST)
            cores = served.load_over(_LACKS_S)
            asked = len(one.took_s)
            resource.prlimit(served.pid, resource.RLIMIT_NOFILE, (soft, hard))
            begun_s = time.monotonic()
            for client in clients:
                client.settimeout(10 * slowness)
                assert client.recv(12) == b"HTTP/1.1 200"
            answered_s = time.monotonic() - begun_s
            assert answered_s < 2 * slowness
            until(lambda: len(one.took_s) > asked + 3)
        one.assert_unharmed(worst_s=1.0 * slowness)
        assert {state for _, state in one.states} == {"200 ready"}
        assert cores < _IDLE_CORES
        assert served.ask().status == 200
        assert served.server.stop() == 0
        assert len(served.events_of("new connections wait: they cannot be accepted")) == 1
        assert_clean(served.server.events)
    figures.add(
        f"no descriptor for {_WAITING} new connections ({left} of the system's limit left)",
        "they wait and are then answered; kept connections are served; one line in the log",
        f"{cores:.2f} cores busy meanwhile; all answered {answered_s:.1f} s after there are some",
    )
