"""What came of the checks: read from a script's lines, and compared between clients. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

SCORE_TOLERANCE = 1e-4
"""Between two answers to one question: what else was in its batch may move the last digits."""

State = Literal["passed", "failed"]


class Seen(msgspec.Struct, frozen=True):
    """An answer that every client has to give alike.

    Attributes:
        sample: names the question.
        scores: of its labels, or of its entities by label and place.
    """

    sample: str
    scores: dict[str, float]


class Check(msgspec.Struct, frozen=True):
    """What came of one check.

    Attributes:
        name: the method, and what was special about the call.
        problem: what was expected and what was found, of a failed one.
        seen: what to compare with other clients.
    """

    name: str
    state: State = "passed"
    problem: str = ""
    seen: tuple[Seen, ...] = ()


class _End(msgspec.Struct, frozen=True):
    end: int


@dataclass(frozen=True, slots=True)
class _Answer:
    client: str
    scores: Mapping[str, float]


def read_lines(output: str, *, errors: str) -> list[Check]:
    """Read a script's lines: a check each, and at the end how many there were.

    A script that breaks off, or writes anything else, is one more failure.

    Args:
        output: its standard output.
        errors: the end of its standard error, for the report.
    """
    lines = output.splitlines()
    checks: list[Check] = []
    try:
        checks = [msgspec.json.decode(line, type=Check) for line in lines[:-1]]
        ended = bool(lines) and msgspec.json.decode(lines[-1], type=_End).end == len(checks) > 0
    except msgspec.DecodeError:
        ended = False
    if ended:
        return checks
    last = "\n".join((errors or output).strip().splitlines()[-8:])
    return [*checks, Check("the script", "failed", f"it broke off: {last or 'without a word'}")]


def compare(runs: Mapping[str, Sequence[Check]]) -> list[Check]:
    """Compare what several clients saw of the same samples.

    Args:
        runs: the checks of each client, by its name.

    Returns:
        A check for each sample that two clients or more saw.
    """
    answers: dict[str, list[_Answer]] = {}
    for client, checks in runs.items():
        for seen in (seen for check in checks for seen in check.seen):
            answers.setdefault(seen.sample, []).append(_Answer(client, seen.scores))
    return [
        _compare(sample, found)
        for sample, found in answers.items()
        if len({answer.client for answer in found}) > 1
    ]


def _compare(sample: str, answers: Sequence[_Answer]) -> Check:
    name = f"{sample} ({len({answer.client for answer in answers})} clients)"
    first = answers[0]
    for other in answers[1:]:
        if not _alike(first.scores, other.scores):
            problem = (
                f"{first.client} found {dict(first.scores)}, {other.client} {dict(other.scores)}"
            )
            return Check(name, "failed", problem)
    return Check(name)


def _alike(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return one.keys() == other.keys() and all(
        math.isclose(one[label], other[label], rel_tol=0, abs_tol=SCORE_TOLERANCE) for label in one
    )
