"""The load generator: callers that each send a text, wait for the answer, and send the next.

A process of its own with raw keep-alive connections. It shares the cores with the server that it
measures, so it is small (about 0.1 ms of a core a request) and reports its own processor time.

Run by `suite` as ``python -m bench.load TEXTS``; each line asks for a round.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httptools
import msgspec

from bench.outcome import Outcome, ServerQuestion
from bench.pipes import answer_lines
from bench.texts import TextSet, read_texts

PATIENCE_S = 60.0
"""How long the last answers of a round may take."""
OK = 200
MARK = b'"label"'
"""Stands once for each label in an answer, whoever gives it."""


class Round:
    """What the callers of a round share: the texts, the end, and the count."""

    def __init__(
        self, question: ServerQuestion, texts: TextSet, done: asyncio.Future[None]
    ) -> None:
        """Prepare the requests.

        Args:
            question: says how many callers there are and for how long they ask.
            texts: what they send.
            done: settled when the last caller has finished.
        """
        self.labels = question.labels
        self.latencies_ms: list[float] = []
        self.tokens = 0
        self.failures = 0
        self.first_failure: str | None = None
        self._requests = _requests(texts, question.first)
        self._until_s = time.perf_counter() + question.seconds
        self._open = question.callers
        self._done = done

    def next(self) -> tuple[bytes, int] | None:
        """Return a request and its text's tokens; None when the time is up."""
        return next(self._requests) if time.perf_counter() < self._until_s else None

    def fail(self, reason: str) -> None:
        """Count a failure."""
        self.failures += 1
        self.first_failure = self.first_failure or reason

    def leave(self) -> None:
        """Count a caller out."""
        self._open -= 1
        if self._open == 0 and not self._done.done():
            self._done.set_result(None)


class Caller(asyncio.Protocol):
    """One connection that always waits for one answer."""

    def __init__(self, shared: Round) -> None:
        """Take part in a round."""
        self._round = shared
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._started_s = 0.0
        self._tokens = 0
        self._asking = False

    def connection_made(  # type: ignore[override]  # a stream's transport is what streams get
        self, transport: asyncio.Transport
    ) -> None:
        """Ask the first text."""
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Read on; the parser calls `on_body` and `on_message_complete`."""
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count what was never answered, and leave."""
        if self._asking:
            self._round.fail(f"the connection ended before the answer ({exc})")
        self._round.leave()

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the answer."""
        self._body += body

    def on_message_complete(self) -> None:
        """Check the answer, and ask again."""
        latency_s = time.perf_counter() - self._started_s
        status = self._parser.get_status_code()
        if status != OK:
            self._round.fail(f"status {status}: {self._body.decode(errors='replace')[:200]}")
        elif self._body.count(MARK) != self._round.labels:
            self._round.fail(
                f"expected {self._round.labels} labels, got {bytes(self._body[:200])!r}"
            )
        else:
            self._round.latencies_ms.append(round(latency_s * 1000, 3))
            self._round.tokens += self._tokens
        self._asking = False
        self._ask()

    def _ask(self) -> None:
        following = self._round.next()
        if following is None:
            self._transport.close()
            return
        request, self._tokens = following
        self._body.clear()
        self._parser = httptools.HttpResponseParser(self)
        self._asking = True
        self._started_s = time.perf_counter()
        self._transport.write(request)


async def run_round(question: ServerQuestion, texts: TextSet) -> Outcome:
    """Let the callers ask until the time is up and all are answered.

    Raises:
        OSError: the server does not listen.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    cpu_s, started_s = time.process_time(), time.perf_counter()
    loop.set_exception_handler(lambda _, context: _break_off(done, context))
    shared = Round(question, texts, done)
    for _ in range(question.callers):
        await loop.create_connection(lambda: Caller(shared), "127.0.0.1", question.port)
    try:
        await asyncio.wait_for(done, question.seconds + PATIENCE_S)
    except TimeoutError:
        shared.fail(f"no answer within {PATIENCE_S:.0f} s")
    return Outcome(
        seconds=time.perf_counter() - started_s,
        latencies_ms=shared.latencies_ms,
        tokens=shared.tokens,
        failures=shared.failures,
        first_failure=shared.first_failure,
        generator_cpu_s=time.process_time() - cpu_s,
    )


def _break_off(
    done: asyncio.Future[None],
    context: dict[str, Any],  # asyncio's own type
) -> None:
    """End a round in which a callback of our own raised: asyncio would only log it."""
    if not done.done():
        done.set_exception(context.get("exception") or RuntimeError(context["message"]))


def _requests(texts: TextSet, first: int) -> Iterator[tuple[bytes, int]]:
    """Write requests for ever, from a set's text number `first` on."""
    made = [_request(text) for text in texts.texts]
    while True:
        index = first % len(made)
        yield made[index], texts.tokens[index]
        first += 1


def _request(text: str) -> bytes:
    body = msgspec.json.encode({"inputs": text})
    head = (
        "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


def _run(question: ServerQuestion, texts: TextSet) -> Outcome:
    if sys.platform == "win32":
        return asyncio.run(run_round(question, texts))
    import uvloop  # noqa: PLC0415 - not there on every platform

    return uvloop.run(run_round(question, texts))


def main() -> None:
    """Answer a round for every line."""
    sets = read_texts(Path(sys.argv[1]))
    answer_lines(ServerQuestion, lambda question: _run(question, sets[question.texts]))


if __name__ == "__main__":
    main()
