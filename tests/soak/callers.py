"""Callers that ask every model in every size, and compare each answer with what it should be."""

import http.client
import json
import random
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

PATIENCE_S = 60.0
_SYLLABLES = (
    "ka",
    "lo",
    "mi",
    "ren",
    "tas",
    "vel",
    "dor",
    "sun",
    "pri",
    "ost",
    "ham",
    "bur",
    "lin",
)
_SIZES = (1, 5, 12, 30, 80, 200, 500)
"""Words of a text."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and the status that it should have.

    Attributes:
        path: of the address.
        body: as JSON, or bytes that are none.
        status: the right one.
        items: how many results there should be; None where they are not counted.
    """

    path: str
    body: bytes
    status: int = 200
    items: int | None = None


def requests(draw: random.Random) -> Asked:
    """Draw a request."""
    return draw.choice(_KINDS)(draw)


def _one(draw: random.Random) -> Asked:
    return _asked("/models/earmark/sentiment", {"inputs": text(draw)}, items=1)


def _batch(draw: random.Random) -> Asked:
    texts = [text(draw) for _ in range(draw.choice((2, 7, 20, 64)))]
    return _asked("/models/earmark/sentiment", {"inputs": texts}, items=len(texts))


def _pairs(draw: random.Random) -> Asked:
    pairs = [{"text": text(draw), "text_pair": text(draw)} for _ in range(3)]
    return _asked("/models/earmark/sentiment", {"inputs": pairs}, items=3)


def _names(draw: random.Random) -> Asked:
    return _asked("/models/earmark/ner", {"inputs": text(draw).title()})


def _zero_shot(draw: random.Random) -> Asked:
    labels = draw.sample(_SYLLABLES, draw.randint(1, 6))
    body = {"inputs": text(draw), "parameters": {"candidate_labels": labels}}
    return _asked("/models/earmark/zero-shot", body, items=len(labels))


def _workers(draw: random.Random) -> Asked:
    path = "/client/v4/accounts/a/ai/run/earmark/sentiment"
    return _asked(path, {"text": text(draw)})


def _broken(draw: random.Random) -> Asked:
    body = b'{"inputs": ' + bytes([draw.randrange(256)])
    return Asked("/models/earmark/sentiment", body, 400)


def _unknown(draw: random.Random) -> Asked:
    return _asked("/models/earmark/nothing-of-the-kind", {"inputs": text(draw)}, status=404)


_KINDS = (_one, _one, _one, _batch, _pairs, _names, _zero_shot, _workers, _broken, _unknown)


def text(draw: random.Random) -> str:
    """Write a text that is never written again."""
    words = draw.choice(_SIZES)
    number = str(draw.getrandbits(48))
    return " ".join([number, *("".join(draw.choices(_SYLLABLES, k=2)) for _ in range(words))])


def _asked(path: str, body: object, *, status: int = 200, items: int | None = None) -> Asked:
    return Asked(path, json.dumps(body).encode(), status, items)


@dataclass(slots=True)
class Callers:
    """Threads that ask until they are closed.

    Attributes:
        address: of the server.
        callers: how many.
        seed: of what they ask.
        count: answers so far.
        wrong: what was wrong with some of them.
    """

    address: str
    callers: int
    seed: int
    count: int = 0
    wrong: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        """Begin to ask."""
        for number in range(self.callers):
            draw = random.Random(f"{self.seed}.{number}")
            thread = threading.Thread(target=self._ask_on, args=(draw,))
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the last answers."""
        self._stop.set()
        for thread in self._threads:
            thread.join(2 * PATIENCE_S)

    def _ask_on(self, draw: random.Random) -> None:
        place = urlsplit(self.address)
        connection = http.client.HTTPConnection(
            str(place.hostname), place.port or 80, timeout=PATIENCE_S
        )
        while not self._stop.is_set():
            asked = requests(draw)
            try:
                connection.request("POST", asked.path, asked.body)
                answer = connection.getresponse()
                content = answer.read()
                wrong = _wrong(asked, answer.status, content)
            except (OSError, http.client.HTTPException, ValueError) as error:
                wrong = f"{asked.path}: {error!r}"
                connection.close()
            with self._lock:
                self.count += 1
                if wrong is not None:
                    self.wrong.append(wrong)


def _wrong(asked: Asked, status: int, content: bytes) -> str | None:
    """Return what is wrong with an answer; None where it is right."""
    if status != asked.status:
        return f"{asked.path}: {status} instead of {asked.status}: {content[:200]!r}"
    found = json.loads(content)
    if status == 200 and asked.items is not None and len(found) != asked.items:
        return f"{asked.path}: {len(found)} results instead of {asked.items}"
    return None
