"""Sends the cases, several at a time over connections that are kept, and judges each answer."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from fuzz.connection import Connection, ended
from fuzz.judge import complaints
from fuzz.raw import Raw, any_raw
from fuzz.requests import Asked, Known, any_request
from fuzz.wire import Ended, NotHttp, Received, read_answer

CONNECTIONS: Final = 16
"""At once: enough that models get batches of texts."""
_PATIENCE_S: Final = 30.0
"""For an answer. The slowest one takes seconds, where a model has to be loaded for it."""
_RAW_SHARE: Final = 0.1
"""Part of the cases that have a connection of their own, which costs as much as a few requests."""
_SLOWEST: Final = 5
_MOST_FAILURES: Final = 20
"""After which a run ends: one fault may fail every other case."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that failed.

    Attributes:
        number: of the case.
        complaint: what is wrong.
        sent: all bytes of it.
    """

    number: int
    complaint: str
    sent: bytes


@dataclass(slots=True)
class Tally:
    """What came of a run.

    Attributes:
        statuses: answers by route and status.
        bodies: requests that were sent.
        failures: what failed.
        slowest: seconds and case of the slowest answers.
    """

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    bodies: int = 0
    failures: list[Failure] = field(default_factory=list)
    slowest: list[tuple[float, int]] = field(default_factory=list)

    def took(self, seconds: float, number: int) -> None:
        """Keep the slowest."""
        if len(self.slowest) < _SLOWEST or seconds > self.slowest[-1][0]:
            self.slowest = sorted([*self.slowest, (seconds, number)], reverse=True)[:_SLOWEST]

    def add(self, other: "Tally") -> None:
        """Add what came of another run."""
        self.statuses += other.statuses
        self.bodies += other.bodies
        self.failures += other.failures
        for one in other.slowest:
            self.took(*one)


@dataclass(frozen=True, slots=True)
class Deck:
    """Where cases come from: the same seed, number and server give the same case.

    Attributes:
        seed: of the run.
        known: what requests are drawn from.
    """

    seed: int
    known: Known

    def case(self, number: int) -> Asked | Raw:
        """Return a case."""
        rng = Random((self.seed << 48) + number)
        drawn = itertools.count()

        def draw() -> Asked:
            return any_request(rng, self.known, f"fuzz-{self.seed}-{number}-{next(drawn)}")

        return any_raw(rng, draw) if rng.random() < _RAW_SHARE else draw()


def sent_by(case: Asked | Raw) -> bytes:
    """Return all bytes of a case."""
    return case.sent() if isinstance(case, Asked) else b"".join(case.pieces)


class Lane:
    """Sends cases to one server."""

    def __init__(self, deck: Deck, place: tuple[str, int], tell: Callable[[int], None]) -> None:
        """Aim at a server.

        Args:
            deck: the cases.
            place: host and port.
            tell: called with the number of bodies sent, now and then.
        """
        self._deck, self._place, self._tell = deck, place, tell
        self._tally = Tally()

    async def run(self, numbers: Sequence[int]) -> Tally:
        """Send the cases of these numbers."""
        left = iter(numbers)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(CONNECTIONS, len(numbers))):
                group.create_task(self._work(left))
        return self._tally

    async def _work(self, left: Iterator[int]) -> None:
        connection = Connection(self._place)
        for number in left:
            if len(self._tally.failures) >= _MOST_FAILURES:
                break
            case = self._deck.case(number)
            started_s = time.perf_counter()
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    if isinstance(case, Asked):
                        await self._ask(connection, number, case)
                    else:
                        await self._send_raw(number, case)
            except TimeoutError:
                self._fail(number, case, f"no answer within {_PATIENCE_S:.0f} s")
                connection.drop()
            except Ended as error:
                self._fail(number, case, f"the connection ended without an answer {error}".strip())
                connection.drop()
            except NotHttp as error:
                self._fail(number, case, f"the answer is not HTTP/1.1: {error}")
                connection.drop()
            except OSError as error:
                self._fail(number, case, f"the server cannot be reached: {error}")
                connection.drop()
            self._tally.took(time.perf_counter() - started_s, number)
        connection.drop()

    async def _ask(self, connection: "Connection", number: int, asked: Asked) -> None:
        self._count()
        reader, writer = await connection.opened()
        if writer.transport.is_closing():
            raise Ended
        writer.write(asked.sent())
        answer = await read_answer(reader, head_only=asked.method == "HEAD")
        self._judge(number, asked, asked, answer)
        if answer.closes:
            await ended(reader)
            connection.drop()

    async def _send_raw(self, number: int, raw: Raw) -> None:
        connection = Connection(self._place)
        try:
            reader, writer = await connection.opened()
            for piece in raw.pieces:
                if writer.transport.is_closing():
                    break  # it was refused before its end
                writer.write(piece)
                await asyncio.sleep(0)
            for _ in range(len(raw.asked) or 1):
                self._count()
            if raw.end == "reset":
                writer.transport.abort()
            elif raw.end == "stop":
                await self._read_to_the_end(number, raw, reader, writer)
            elif raw.end == "read":
                await self._read_in_order(number, raw, reader)
        finally:
            connection.drop()

    async def _read_in_order(self, number: int, raw: Raw, reader: asyncio.StreamReader) -> None:
        for place in range(raw.answers):
            asked = raw.asked[place] if raw.asked else None
            answer = await read_answer(
                reader, head_only=asked is not None and asked.method == "HEAD"
            )
            self._judge(number, raw, asked, answer)
            if answer.closes:
                await ended(reader)
                break

    async def _read_to_the_end(
        self, number: int, raw: Raw, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            writer.write_eof()
            while True:
                answer = await read_answer(reader, head_only=False)
                self._judge(number, raw, None, answer)
        except (Ended, OSError, RuntimeError):  # uvloop raises the last on a closed connection
            pass

    def _judge(self, number: int, case: Asked | Raw, asked: Asked | None, answer: Received) -> None:
        self._tally.statuses[_route(asked), answer.status] += 1
        for complaint in complaints(asked, answer):
            self._fail(number, case, complaint)

    def _fail(self, number: int, case: Asked | Raw, complaint: str) -> None:
        self._tally.failures.append(Failure(number, complaint, sent_by(case)))

    def _count(self) -> None:
        self._tally.bodies += 1
        if self._tally.bodies % 1000 == 0:
            self._tell(self._tally.bodies)


def _route(asked: Asked | None) -> str:
    """Name the row of the totals that a request belongs to."""
    operation = None if asked is None else asked.target.operation
    if asked is None:
        return "broken HTTP"
    if operation is None:
        return "an address near a route, or nowhere"
    return operation.name if asked.method == operation.method else "another method of a route"
