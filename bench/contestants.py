"""Those that are measured: two kinds of server, and the bare session. Each has its own process."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import httpx
import msgspec

from bench.outcome import Outcome, Question, ServerQuestion
from bench.pipes import STOP_S, Helper, last_words
from bench.results import ContestantFacts

START_S = 180.0
"""Importing PyTorch from a cold disk takes most of a minute."""
ASK_S = 60.0
ERROR_PREFIX = "earmark: error: "


class NotStartedError(Exception):
    """A server ended before it listened; the message is its last words."""


class Score(msgspec.Struct, frozen=True):
    """One label of an answer."""

    label: str
    score: float


class Contestant(Protocol):
    """Something that classifies texts in a process of its own."""

    @property
    def facts(self) -> ContestantFacts:
        """What it is."""
        ...

    @property
    def pid(self) -> int:
        """Its process."""
        ...

    def run(self, question: Question) -> Outcome:
        """Let it work for a round."""
        ...

    def close(self) -> None:
        """End its process."""
        ...


class Server:
    """A contestant behind HTTP."""

    def __init__(
        self, facts: ContestantFacts, command: Sequence[str], *, port: int, load: Helper, log: Path
    ) -> None:
        """Start it; `wait` tells when it listens.

        Args:
            facts: what it is.
            command: starts it on the port.
            port: where it will listen on this machine.
            load: the load generator, `bench.load`.
            log: a file for what it says.
        """
        self.facts = facts
        self._port, self._load, self._log = port, load, log
        self._labels = 0
        self.parameters = 0
        # What an operator has set in this shell must not change what is measured.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("EARMARK_")}
        environment["EARMARK_DRAIN_S"] = "0"  # nothing is asked any more when it is stopped
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                command, stdout=output, stderr=subprocess.STDOUT, env=environment
            )

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    @property
    def address(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self._port}"

    def wait(self) -> None:
        """Wait until it answers, and learn how many labels an answer has.

        Raises:
            NotStartedError: it has ended instead, or takes too long.
        """
        until_s = time.monotonic() + START_S
        while not _listens(self._port):
            if self._process.poll() is not None:
                raise NotStartedError(last_words(self._log).removeprefix(ERROR_PREFIX))
            if time.monotonic() > until_s:
                raise NotStartedError(f"it does not listen after {START_S:.0f} s")
            time.sleep(0.1)
        self._labels = len(self.scores("Are you there?"))
        if self.facts.kind == "earmark":
            info = httpx.get(f"http://127.0.0.1:{self._port}/info").raise_for_status().json()
            self.facts = msgspec.structs.replace(self.facts, note=info["compute_note"])
            self.parameters = int(info["parameters"])

    def run(self, question: Question) -> Outcome:
        """Let the load generator loose on it."""
        asked = ServerQuestion(
            **msgspec.structs.asdict(question), port=self._port, labels=self._labels
        )
        return self._load.ask(asked, Outcome)

    def scores(self, text: str) -> dict[str, float]:
        """Ask about one text.

        Raises:
            httpx.HTTPError: there was no good answer.
        """
        url = f"http://127.0.0.1:{self._port}/"
        answer = httpx.post(url, json={"inputs": text}, timeout=ASK_S).raise_for_status()
        # earmark answers a list for each text, the pipeline one for its only text.
        found = msgspec.json.decode(answer.content, type=list[Score | list[Score]])
        flat = [one for item in found for one in (item if isinstance(item, list) else [item])]
        return {one.label: one.score for one in flat}

    def close(self) -> None:
        """Ask it to end, and end it where it does not."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Limit:
    """The bare session."""

    def __init__(self, model: str, precision: str, *, texts: Path, log: Path) -> None:
        """Start it.

        Args:
            model: a bundled id or a folder.
            precision: what to compute in.
            texts: file of the text sets.
            log: a file for what it says.
        """
        name = f"limit {precision}"
        self.facts = ContestantFacts(name=name, kind="limit", precision=precision)
        self._helper = Helper("bench.limit", [model, precision, str(texts)], log=log)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._helper.pid

    def run(self, question: Question) -> Outcome:
        """Let it run batches."""
        return self._helper.ask(question, Outcome)

    def close(self) -> None:
        """End it."""
        self._helper.close()


def earmark_server(model: str, precision: str, *, load: Helper, log: Path) -> Server:
    """Start `earmark serve` with one model."""
    port = free_port()
    command = [sys.executable, "-m", "earmark", "serve"]
    command += ["--model", model, "--precision", precision, "--port", str(port)]
    command += ["--cache-bytes", "0"]  # the load repeats its texts
    # A plain start: nothing is kept from it, and its memory is that of the one precision.
    command += ["--certify", "off", "--compiled-bytes", "0"]
    facts = ContestantFacts(name=f"earmark {precision}", kind="earmark", precision=precision)
    return Server(facts, command, port=port, load=load, log=log)


def baseline(folder: Path, *, load: Helper, log: Path) -> Server:
    """Start the pipeline behind FastAPI."""
    port = free_port()
    command = [sys.executable, "-m", "bench.baseline", str(folder), str(port)]
    facts = ContestantFacts(
        name="transformers", kind="transformers", precision="float32", note="PyTorch and FastAPI"
    )
    return Server(facts, command, port=port, load=load, log=log)


def until_ready(url: str) -> None:
    """Wait until a server of earmark answers.

    Raises:
        TimeoutError: it never did.
    """
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        try:
            httpx.get(f"{url}/readyz").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError("the server does not listen")


def free_port() -> int:
    """Find a port on which nothing listens at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
