"""A whole run: a server of each kind, and its share of the cases."""

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar
from urllib.request import Request, urlopen

from fuzz import addresses
from fuzz.addresses import Operation, dealt
from fuzz.judge import logged_faults
from fuzz.lane import Deck, Failure, Lane, Tally, sent_by
from fuzz.report import Run
from fuzz.requests import Known
from fuzz.served import KINDS, MODELS, Kind, Served, running, write_models
from fuzz.sound import changed_answers, fits_of, sound_answers, unanswered

_Result = TypeVar("_Result")

_HOST: Final = "127.0.0.1"
_MOST_LOGGED: Final = 100_000
"""Cases up to which the server's log has a line for each request: all lines are kept in memory."""
_OF_CASE: Final = re.compile(r"fuzz-\d+-(\d+)-\d+")
_NO_CASE: Final = -1


@dataclass(slots=True)
class Outcome:
    """What came of a run.

    Attributes:
        tally: answers and failures of cases.
        runs: a row for each server.
        seconds: that the whole took, once the servers ran.
        processor_s: processor time of this process meanwhile.
        deck: the last server's cases; for all others they differ in the key alone.
        problems: what is wrong beside the cases.
    """

    tally: Tally = field(default_factory=Tally)
    runs: list[Run] = field(default_factory=list)
    seconds: float = 0.0
    processor_s: float = 0.0
    deck: Deck | None = None
    problems: list[str] = field(default_factory=list)


def run(
    seed: int, numbers: Sequence[int], folder: Path, tell: Callable[[str], None] = lambda _: None
) -> Outcome:
    """Send the cases of these numbers, each to a server of the kind that is for its number.

    The servers run at the same time: each keeps one core busy, and this process half of one.

    Args:
        seed: of the cases.
        numbers: of the cases.
        folder: an empty one, for models and for what servers keep.
        tell: called with a line about how far the run is, now and then.
    """
    write_models(folder)
    shares = [
        (kind, [number for number in numbers if number % len(KINDS) == place])
        for place, kind in enumerate(KINDS)
    ]
    outcome = Outcome()
    with ExitStack() as stack:
        parts = []
        for kind, share in shares:
            if share:
                level = "info" if len(share) <= _MOST_LOGGED else "warning"
                served = stack.enter_context(running(kind, folder, log_level=level))
                parts.append((kind, share, served))
        started_s, ours_s = time.perf_counter(), time.process_time()
        found = _looped(_all(_run_share(seed, *part, tell) for part in parts))
        outcome.seconds = time.perf_counter() - started_s
        outcome.processor_s = time.process_time() - ours_s
    # The logs are complete now.
    for (_, _, served), part in zip(parts, found, strict=True):
        part.tally.failures += _logged(served, part.deck)
        outcome.tally.add(part.tally)
        outcome.runs.append(part.run)
        outcome.problems += part.problems
        outcome.deck = part.deck
    return outcome


@dataclass(frozen=True, slots=True)
class _Part:
    """What came of the cases of one server."""

    tally: Tally
    deck: Deck
    run: Run
    problems: list[str]


async def _run_share(
    seed: int, kind: Kind, share: Sequence[int], served: Served, tell: Callable[[str], None]
) -> _Part:
    place = (_HOST, served.port)
    operations = _operations(served)
    sound = await sound_answers(place, operations, MODELS, served.key)
    problems = [f"no example of {one} is answered" for one in unanswered(operations, sound)]
    deck = Deck(seed, Known(dealt(operations), fits_of(sound), MODELS, served.key))
    started_s, theirs_s = time.perf_counter(), _processor_s(served)
    tally = await Lane(deck, place, _progress(kind, tell)).run(share)
    seconds, theirs_s = time.perf_counter() - started_s, _processor_s(served) - theirs_s
    if served.server.process.poll() is not None:
        problems.append(f"the server ended with {served.server.process.returncode}")
    else:
        problems += [
            f"{asked.method} {asked.target.raw} is answered otherwise at the end: {how}"
            for asked, how in await changed_answers(place, sound)
        ]
    peak = _peak_megabytes(served)
    return _Part(tally, deck, Run(kind.name, len(sound), seconds, theirs_s, peak), problems)


async def _all(work: Iterable[Coroutine[object, object, _Part]]) -> list[_Part]:
    return await asyncio.gather(*work)


def _operations(served: Served) -> list[Operation]:
    headers = {"authorization": f"Bearer {served.key}"} if served.key else {}
    asked = Request(f"http://{_HOST}:{served.port}/openapi.json", headers=headers)
    with urlopen(asked) as answer:  # noqa: S310 - the same
        return addresses.operations(json.load(answer))


def _logged(served: Served, deck: Deck) -> list[Failure]:
    failures = []
    for complaint, request_id in logged_faults(served.server.events):
        found = _OF_CASE.fullmatch(request_id or "")
        number = int(found[1]) if found else _NO_CASE
        sent = sent_by(deck.case(number)) if found else b""
        failures.append(Failure(number, complaint, sent))
    return failures


def _progress(kind: Kind, tell: Callable[[str], None]) -> Callable[[int], None]:
    started_s = time.perf_counter()

    def progress(bodies: int) -> None:
        if bodies % 50_000 == 0:
            rate = bodies / (time.perf_counter() - started_s)
            tell(f"server {kind.name}: {bodies:,} requests, {rate:,.0f} per second")

    return progress


def _processor_s(served: Served) -> float:
    """Return the seconds of processor time that the server has used; 0 where that is not known."""
    stat = Path(f"/proc/{served.server.process.pid}/stat")
    if not stat.exists():
        return 0.0
    ticks = stat.read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _peak_megabytes(served: Served) -> float | None:
    """Return the most memory that the server had at once, where the system is Linux."""
    status = Path(f"/proc/{served.server.process.pid}/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1000 if found else None


def _looped(work: Coroutine[object, object, _Result]) -> _Result:
    if sys.platform == "win32":
        return asyncio.run(work)
    import uvloop  # noqa: PLC0415 - not for Windows

    return uvloop.run(work)
