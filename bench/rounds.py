"""Every contestant in turn, again and again.

What the machine does beside the measurement so falls on all of them alike.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from bench.contestants import Contestant
from bench.machine import cpu_seconds
from bench.outcome import Outcome, Question
from bench.results import Cell, RoundResult, Scenario
from bench.texts import BLOCK

OnRound: TypeAlias = Callable[[Scenario, str, int, int], None]
"""Told of a round that is about to begin: the scenario, who is next, and how many rounds of how
many are done."""


@dataclass(slots=True)
class Collected:
    """The rounds of one contestant so far."""

    rounds: list[RoundResult] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    first_failure: str | None = None

    def add(self, outcome: Outcome, cpu_s: float | None) -> None:
        """Take a round in."""
        self.rounds.append(
            RoundResult(
                seconds=round(outcome.seconds, 4),
                requests=len(outcome.latencies_ms),
                tokens=outcome.tokens,
                failures=outcome.failures,
                cpu_s=None if cpu_s is None else round(cpu_s, 2),
                generator_cpu_s=round(outcome.generator_cpu_s, 4),
            )
        )
        self.latencies_ms += outcome.latencies_ms
        self.first_failure = self.first_failure or outcome.first_failure

    def cell(self, contestant: str, scenario: Scenario) -> Cell:
        """Sum the rounds up."""
        p50_ms, p99_ms = np.percentile(self.latencies_ms or [0.0], [50, 99])
        return Cell(
            contestant=contestant,
            texts=scenario.texts,
            callers=scenario.callers,
            rounds=tuple(self.rounds),
            p50_ms=round(float(p50_ms), 2),
            p99_ms=round(float(p99_ms), 2),
            first_failure=self.first_failure,
        )


def run_scenario(
    scenario: Scenario,
    contestants: Sequence[Contestant],
    *,
    warm_up_s: float,
    on_round: OnRound,
) -> list[Cell]:
    """Warm every contestant up, then let them take turns.

    Args:
        scenario: who asks for what, and how often.
        contestants: all running; those not in turn have nothing to do.
        warm_up_s: length of a round that does not count, one for each.
        on_round: told of every round that counts.
    """
    for contestant in contestants:
        contestant.run(_question(scenario, 0, warm_up_s))
    collected = {one.facts.name: Collected() for one in contestants}
    for number in range(scenario.rounds):
        question = _question(scenario, number * BLOCK, scenario.seconds)
        for contestant in _turned(contestants, number):
            done = sum(len(one.rounds) for one in collected.values())
            on_round(scenario, contestant.facts.name, done, scenario.rounds * len(contestants))
            before_s = cpu_seconds(contestant.pid)
            outcome = contestant.run(question)
            after_s = cpu_seconds(contestant.pid)
            cpu_s = None if before_s is None or after_s is None else after_s - before_s
            collected[contestant.facts.name].add(outcome, cpu_s)
    return [rounds.cell(name, scenario) for name, rounds in collected.items()]


def _question(scenario: Scenario, first: int, seconds: float) -> Question:
    return Question(texts=scenario.texts, first=first, callers=scenario.callers, seconds=seconds)


def _turned(contestants: Sequence[Contestant], by: int) -> Iterator[Contestant]:
    """Go round the contestants, each round from another one, so that nobody always comes first."""
    for index in range(len(contestants)):
        yield contestants[(index + by) % len(contestants)]
