"""Makes checks one after the other and writes what came of each, a line of JSON, for the report.

Runs inside a client's own environment: the standard library is all there is.
"""

import json
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Scores = Mapping[str, float]
Seen = Mapping[str, Scores]
"""Answers that every client has to give alike: a sample's name, and its scores."""

SUM_TOLERANCE = 1e-5
"""Of scores that sum to one: they are float32."""


@dataclass(frozen=True)
class _Check:
    name: str
    call: Callable[[], "Seen | None"]


@dataclass
class Checks:
    """The checks that are for the client's version.

    Attributes:
        version: of the client, such as ``(0, 36, 2)``.
    """

    version: tuple[int, ...]
    _found: list[_Check] = field(default_factory=list)

    def add(
        self,
        name: str,
        *,
        since: tuple[int, ...] = (0,),
        before: tuple[int, ...] = (1000,),
    ) -> Callable[[Callable[[], Seen | None]], None]:
        """Take a function as a check; it raises what is wrong and may return what it saw.

        Args:
            name: the client's method, and what is special about the call.
            since: the first version that has the method.
            before: the first version that has it no more.
        """

        def take(call: Callable[[], Seen | None]) -> None:
            if since <= self.version < before:
                self._found.append(_Check(name, call))

        return take

    def run(self) -> None:
        """Make every check, and write a line for each and one for the end."""
        for check in self._found:
            _write(_outcome(check))
        _write({"end": len(self._found)})


def _outcome(check: _Check) -> dict[str, object]:
    try:
        seen = check.call() or {}
    except Exception as error:  # noqa: BLE001 - whatever a client raises is what came of it
        where = traceback.extract_tb(error.__traceback__)
        line = next((one.lineno for one in where if one.name == check.call.__name__), "?")
        kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
        problem = f"{kind}{error} (in {check.call.__name__}, line {line})"
        return {"name": check.name, "state": "failed", "problem": problem}
    found = [{"sample": sample, "scores": dict(scores)} for sample, scores in seen.items()]
    return {"name": check.name, "seen": found}


def _write(line: Mapping[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


def equal(found: object, expected: object, what: str) -> None:
    """Demand that two things are equal.

    Raises:
        AssertionError: they are not; it names both.
    """
    expect(found == expected, f"{what}: expected {expected!r}, found {found!r}")


def close_to(found: float, expected: float, what: str) -> None:
    """Demand that two sums of scores are equal, but for rounding.

    Raises:
        AssertionError: they are not; it names both.
    """
    expect(abs(found - expected) <= SUM_TOLERANCE, f"{what}: expected {expected}, found {found}")


def expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - a condition is what it takes
    """Demand that something holds.

    Raises:
        AssertionError: it does not.
    """
    if not holds:
        raise AssertionError(otherwise)
