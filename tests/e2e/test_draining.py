"""After SIGTERM the server still answers for a while, and tells load balancers to go elsewhere."""

import http.client
import json
import signal
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from e2e.processes import PATIENCE_S, Server, running_server

_CALLERS = 32
_BODY = json.dumps({"inputs": "some text"})


@dataclass(slots=True)
class _Callers:
    """Callers that ask one after the other, each on a connection that it keeps if it may.

    Attributes:
        url: of the server.
        seen: what happened to each request: a status, or an error by name.
        closed: answers that ask the caller to connect anew.
    """

    url: str
    seen: "Counter[str]" = field(default_factory=Counter)
    closed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask_until_refused(self) -> None:
        """Ask until no connection can be made."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, PATIENCE_S)
        with closing(connection), suppress(ConnectionRefusedError):
            while True:
                if connection.sock is None:
                    connection.connect()
                self._ask(connection)

    def _ask(self, connection: http.client.HTTPConnection) -> None:
        closed = False
        try:
            connection.request("POST", "/models/tiny", _BODY)
            with connection.getresponse() as answer:
                answer.read()
            seen, closed = str(answer.status), answer.getheader("connection") == "close"
        except (OSError, http.client.HTTPException) as error:
            seen = type(error).__name__
            connection.close()
        with self.lock:
            self.seen[seen] += 1
            self.closed += closed


def _status(server: Server, path: str) -> tuple[int, dict[str, object]]:
    parts = urlsplit(server.address)
    with closing(http.client.HTTPConnection(str(parts.hostname), parts.port, PATIENCE_S)) as to:
        to.request("GET", path)
        answer = to.getresponse()
        return answer.status, json.loads(answer.read())


def test_no_request_is_lost_while_the_server_drains(tiny: str, tmp_path: Path) -> None:
    """32 callers at full load: every request that found a connection is answered."""
    with running_server("--model", tiny, "--drain-s", "2", folder=tmp_path) as server:
        callers = _Callers(server.address)
        threads = [threading.Thread(target=callers.ask_until_refused) for _ in range(_CALLERS)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        assert _status(server, "/readyz")[0] == 200
        before = callers.closed
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        status, told = _status(server, "/readyz")
        assert (status, told["status"]) == (503, "draining")
        assert _status(server, "/livez") == (200, {"status": "alive"})
        assert server.process.wait(PATIENCE_S) == 0
        assert time.monotonic() - begun >= 2
        for thread in threads:
            thread.join(PATIENCE_S)
    assert before == 0
    assert callers.closed > _CALLERS
    assert set(callers.seen) == {"200"}


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_draining(
    second: signal.Signals, tiny: str, tmp_path: Path
) -> None:
    """An operator who does not want to wait need not."""
    with running_server("--model", tiny, "--drain-s", "3600", folder=tmp_path) as server:
        assert server.address
        server.process.send_signal(signal.SIGTERM)
        assert _status(server, "/health")[0] == 503
        assert server.stop(second) in {0, 130}
    assert not any("plain" in event for event in server.events)


def test_an_interrupt_does_not_drain(tiny: str, tmp_path: Path) -> None:
    """Ctrl-C is pressed by a person, who waits for the prompt."""
    with running_server("--model", tiny, "--drain-s", "3600", folder=tmp_path) as server:
        assert server.address
        assert server.stop(signal.SIGINT) == 0
