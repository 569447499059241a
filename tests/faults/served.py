"""A server with callers around it, of whom none may notice that something goes wrong elsewhere."""

import http.client
import json
import os
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from e2e.processes import PATIENCE_S, Server, environment, running_server

MEGABYTE = 1_000_000
TRUE_WITHIN_S = 2.0
"""How soon health has to say what is."""
_PAUSE_S = 0.05
"""Between two requests of one neighbour."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request got.

    Attributes:
        status: of HTTP.
        headers: by their names in small letters.
        body: its JSON.
    """

    status: int
    headers: Mapping[str, str]
    body: object


@dataclass(slots=True)
class Served:
    """A running server.

    Attributes:
        server: its process and its log.
        texts: numbers for texts, so that no answer comes from the cache.
    """

    server: Server
    texts: Iterator[int] = field(default_factory=count)

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.server.address)
        assert parts.hostname
        assert parts.port
        return parts.hostname, parts.port

    @property
    def pid(self) -> int:
        """The server's process."""
        return self.server.process.pid

    def ask(
        self,
        path: str = "/models/tiny",
        body: object = None,
        *,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request on a connection of its own; a text that is new where none is named."""
        told = {"inputs": f"text {next(self.texts)}"} if body is None else body
        with closing(self.connect()) as to:
            return asked(to, method, path, told, headers or {})

    def get(self, path: str) -> Answer:
        """Ask for a page."""
        return self.ask(path, method="GET")

    def health(self) -> tuple[int, str]:
        """Return the status and the state that it names."""
        answer = self.get("/health")
        return answer.status, str(member(answer.body, "status"))

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection, which is made by its first request."""
        return http.client.HTTPConnection(*self.place, timeout=PATIENCE_S)

    def descriptors(self) -> int:
        """Count the open files and sockets of the process."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))  # noqa: PTH208 - names are enough

    def threads(self) -> int:
        """Count the threads of the process."""
        return len(os.listdir(f"/proc/{self.pid}/task"))  # noqa: PTH208 - names are enough

    def memory_mb(self) -> float:
        """Return the memory that the process holds."""
        pages = Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1]
        return int(pages) * resource.getpagesize() / MEGABYTE

    def processor_s(self) -> float:
        """Return the processor time that the process has taken."""
        # The name in parentheses may hold spaces; utime and stime are fields 14 and 15 (man proc).
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def load_over(self, seconds: float) -> float:
        """Return how many cores the process keeps busy from now on, so long."""
        before_s = self.processor_s()
        time.sleep(seconds)
        return (self.processor_s() - before_s) / seconds

    def events_of(self, name: str) -> list[Mapping[str, object]]:
        """Return the log's lines of one name."""
        return [one for one in self.server.events if one.get("event") == name]


@contextmanager
def serving(
    *flags: str,
    folder: Path,
    env: Mapping[str, str] | None = None,
    under: Sequence[str] = (),
) -> Iterator[Served]:
    """Run a server until the block ends; arguments as of `running_server`."""
    made = environment(env)
    with running_server(*flags, env=made, folder=folder, under=under) as server:
        assert server.address
        yield Served(server)


def asked(
    to: http.client.HTTPConnection,
    method: str,
    path: str,
    body: object,
    headers: Mapping[str, str],
) -> Answer:
    """Send one request and read its answer."""
    to.request(method, path, json.dumps(body) if method == "POST" else None, dict(headers))
    with to.getresponse() as answer:
        read = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, json.loads(read) if read else None)


def member(body: object, name: str) -> object:
    """Return a member of an object."""
    assert isinstance(body, dict), body
    return body[name]


def until(holds: Callable[[], bool], *, within_s: float = PATIENCE_S) -> float:
    """Wait until something holds; return how long that took.

    Raises:
        AssertionError: it never did.
    """
    begun_s = time.monotonic()
    while not holds():
        assert time.monotonic() - begun_s < within_s, "it has not come about in time"
        time.sleep(0.02)
    return time.monotonic() - begun_s


@dataclass(slots=True)
class Neighbour:
    """A caller that goes on asking, one text at a time, on a connection that it keeps.

    Attributes:
        served: whom it asks.
        path: of the model.
        took_s: how long each answer took.
        seen: a status, or an error by name, and how often.
        ids: of the requests.
        states: what health said, and when that began.
    """

    served: Served
    path: str = "/models/tiny"
    took_s: list[float] = field(default_factory=list)
    seen: "Counter[str]" = field(default_factory=Counter)
    ids: list[str] = field(default_factory=list)
    states: list[tuple[float, str]] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def worst_ms(self) -> float:
        """The longest time of an answer."""
        return max(self.took_s) * 1000

    @property
    def usual_ms(self) -> float:
        """The median time of an answer."""
        return median(self.took_s) * 1000

    def run(self) -> None:
        """Ask until the end, and ask for health in between."""
        with closing(self.served.connect()) as to:
            while not self._ended.wait(_PAUSE_S):
                self._ask(to)
                state = self._health(to)
                if not self.states or self.states[-1][1] != state:
                    self.states.append((time.monotonic(), state))

    def end(self) -> None:
        """Stop after the request that is under way."""
        self._ended.set()

    def assert_unharmed(self, *, worst_s: float) -> None:
        """Check that every request was answered well, once and in time."""
        assert set(self.seen) == {"200"}, self.seen
        assert self.worst_ms < worst_s * 1000, self.worst_ms
        assert_answered_once(self.served.server.events, self.ids)

    def _ask(self, to: http.client.HTTPConnection) -> None:
        number = next(self.served.texts)
        body = {"inputs": f"neighbour {number}"}
        name = f"neighbour-{id(self)}-{number}"
        begun_s = time.monotonic()
        try:
            answer = asked(to, "POST", self.path, body, {"x-request-id": name})
        except (OSError, http.client.HTTPException) as error:
            self.seen[type(error).__name__] += 1
            to.close()
            return
        self.took_s.append(time.monotonic() - begun_s)
        self.seen[str(answer.status)] += 1
        self.ids.append(name)
        # On a kept connection, an answer too many would be read in place of the next.
        assert answer.headers["x-request-id"] == name

    def _health(self, to: http.client.HTTPConnection) -> str:
        try:
            answer = asked(to, "GET", "/health", None, {})
        except (OSError, http.client.HTTPException) as error:
            to.close()
            return type(error).__name__
        return f"{answer.status} {member(answer.body, 'status')}"


@contextmanager
def neighbour(served: Served, path: str = "/models/tiny") -> Iterator[Neighbour]:
    """Let a caller ask on, beside what the block does."""
    one = Neighbour(served, path)
    thread = threading.Thread(target=one.run)
    thread.start()
    try:
        yield one
    finally:
        one.end()
        thread.join(PATIENCE_S)
    assert one.took_s, "the neighbour got no answer at all"


def assert_answered_once(events: Sequence[Mapping[str, object]], ids: Sequence[str]) -> None:
    """Check in the log that each of these requests has one line; the last lines may yet come."""

    def lines() -> Counter[str]:
        told = Counter(str(one.get("request_id")) for one in [*events])
        return Counter({one: told[one] for one in ids})

    until(lambda: all(lines().values()))
    assert set(lines().values()) == {1}


def assert_clean(events: Sequence[Mapping[str, object]]) -> None:
    """Check that the log has neither a traceback nor a line of another form."""
    wrong = [one for one in events if "plain" in one or "exception" in one]
    assert wrong == [], wrong
