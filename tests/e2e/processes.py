"""The program as users start it: a process of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import earmark.errors

PATIENCE_S = 60.0
"""For what takes a second or two: only a hang may fail a test on a loaded machine."""

SOURCE = Path(earmark.errors.__file__).parents[1]


def command(*arguments: str) -> list[str]:
    """Return the words that start the program with these arguments."""
    return [sys.executable, "-W", "error", "-m", "earmark", *arguments]


def environment(
    more: Mapping[str, str] | None = None, *, path: Path | None = None
) -> dict[str, str]:
    """Return this process's environment without settings of earmark, or what it has kept here.

    What outlives a run goes into `state` and `cache` in the working directory. SIGTERM ends a
    server without draining.

    Args:
        more: further variables.
        path: a folder to import from first.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith("EARMARK_")}
    folders = [str(path)] if path else []
    python_path = os.pathsep.join([*folders, str(SOURCE)])
    apart = {
        "PYTHONPATH": python_path,
        "EARMARK_STATE_FOLDER": "state",
        "EARMARK_CACHE_FOLDER": "cache",
        "EARMARK_DRAIN_S": "0",
    }
    return ours | apart | dict(more or {})


@dataclass(slots=True)
class Server:
    """A running `earmark serve`.

    Attributes:
        process: the process.
        events: its log so far, a line each.
    """

    process: subprocess.Popen[str]
    events: list[Mapping[str, object]] = field(default_factory=list)
    _serving: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        """The URL it told in its log.

        Raises:
            AssertionError: it ended instead, or never told.
        """
        return self.address_within(PATIENCE_S)

    def address_within(self, patience_s: float) -> str:
        """Do as `address`, with another patience."""
        assert self._serving.wait(patience_s), "the server never said where it serves"
        found = [event["address"] for event in self.events if event.get("event") == "serving"]
        assert found, f"the server ended before it served: {self.events}"
        return str(found[0])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def read_log(self, stream: IO[str]) -> None:
        """Read standard error to its end, so that the process never waits for us."""
        for line in stream:
            try:
                self.events.append(json.loads(line))
            except json.JSONDecodeError:
                self.events.append({"plain": line})
            if self.events[-1].get("event") == "serving":
                self._serving.set()
        self._serving.set()


@contextmanager
def running_server(
    *flags: str,
    env: Mapping[str, str] | None = None,
    folder: Path,
    under: Sequence[str] = (),
) -> Iterator[Server]:
    """Start a server on a free port; kill it at the end if it still runs.

    Args:
        flags: of `earmark serve`.
        env: its environment.
        folder: its working directory.
        under: words of a command that runs it in its own place, such as a shell that sets limits.
    """
    words = [*under, *command("serve", "--port", "0", "--log-format", "json", *flags)]
    with subprocess.Popen(  # noqa: S603 - our own words
        words, env=env or environment(), cwd=folder, stderr=subprocess.PIPE, text=True
    ) as process:
        server = Server(process)
        assert process.stderr is not None
        reader = threading.Thread(target=server.read_log, args=(process.stderr,))
        reader.start()
        try:
            yield server
        finally:
            process.kill()
            process.wait(PATIENCE_S)
            reader.join(PATIENCE_S)
