"""A measurement, as its JSON file holds it."""

from typing import Literal

import msgspec

from bench.machine import Machine

Kind = Literal["earmark", "transformers", "limit"]


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for what.

    Attributes:
        texts: name of the text set.
        callers: how many ask at once.
        rounds: how many rounds each contestant gets.
        seconds: of a round.
    """

    texts: str
    callers: int
    rounds: int
    seconds: float


class RoundResult(msgspec.Struct, frozen=True, kw_only=True):
    """One round of one contestant; counts are of good answers.

    Attributes:
        seconds: from the first request to the last answer.
        requests: answered; a request is one text.
        tokens: in them.
        failures: requests that got a wrong answer, or none.
        cpu_s: processor time of the contestant; None where the system does not tell.
        generator_cpu_s: processor time of the load generator.
    """

    seconds: float
    requests: int
    tokens: int
    failures: int
    cpu_s: float | None
    generator_cpu_s: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One contestant in one scenario.

    Attributes:
        contestant: its name.
        texts: of the scenario.
        callers: the same.
        rounds: in the order in which they ran.
        p50_ms: median latency over all rounds.
        p99_ms: 99th percentile.
        first_failure: what was wrong with the first request that failed.
    """

    contestant: str
    texts: str
    callers: int
    rounds: tuple[RoundResult, ...]
    p50_ms: float
    p99_ms: float
    first_failure: str | None = None


class ContestantFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A contestant, and how it was when it had nothing to do.

    Attributes:
        name: such as ``earmark int8``.
        kind: what it is.
        precision: what it computes in.
        note: what its server says about how the processor carries the precision out.
        absent: why it does not take part; None where it does.
        idle_cpu_share: share of one core it took with nothing to do.
        peak_memory_mb: most memory it ever held, in units of 10^6 bytes.
    """

    name: str
    kind: Kind
    precision: str
    note: str = ""
    absent: str | None = None
    idle_cpu_share: float | None = None
    peak_memory_mb: float | None = None


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How near a contestant's scores are to those of `transformers`.

    Attributes:
        contestant: its name.
        texts: how many were compared.
        greatest_difference: of a label's score, between 0 and 1.
        same_label: for how many texts the best label was the same.
    """

    contestant: str
    texts: int
    greatest_difference: float
    same_label: int


class ModelResult(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one model.

    Attributes:
        name: what the tables call it.
        parameters: its weights.
        contestants: also those that could not take part.
        cells: one for each contestant and scenario.
        agreements: one for each earmark.
    """

    name: str
    parameters: int
    contestants: tuple[ContestantFacts, ...]
    cells: tuple[Cell, ...]
    agreements: tuple[Agreement, ...]


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the benchmark.

    Attributes:
        command: that made it.
        date: when it began, ISO 8601, UTC.
        commit: of the checkout; None outside of one. Ends in ``+`` where files were changed.
        machine: where.
        versions: of what took part.
        seed: of texts and weights.
        texts: name of a text set -> distribution of its lengths in tokens.
        scenarios: in the order in which they ran.
        models: what was measured.
        seconds: that the whole run took.
    """

    command: str
    date: str
    commit: str | None
    machine: Machine
    versions: dict[str, str]
    seed: int
    texts: dict[str, dict[str, float]]
    scenarios: tuple[Scenario, ...]
    models: tuple[ModelResult, ...]
    seconds: float
