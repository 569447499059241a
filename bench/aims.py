"""What the project has set out to reach, and whether a measurement does."""

from dataclasses import dataclass
from statistics import median

from bench.results import Cell, ContestantFacts, ModelResult

AIMED_MODEL = "distilbert-base shape"
AIMED_TEXTS, AIMED_CALLERS = "mixed", 32
AIMS = {"float32": 1.4, "bfloat16": 3.0, "int8": 4.0}
"""Times as many requests a second as `transformers` behind FastAPI, by precision."""
LIMIT_AIM = 0.8
"""Share of what the bare session does at the same precision."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """One contestant's rate over another's.

    Attributes:
        middle: ratio of the medians over all rounds.
        least: of the ratios round by round.
        most: the same.
    """

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, cell: Cell, other: Cell) -> "Ratio":
        """Compare two contestants of one scenario; their rounds stood side by side."""
        pairs = zip(cell.rounds, other.rounds, strict=True)
        ratios = [ours.rate / theirs.rate for ours, theirs in pairs if theirs.requests]
        if not ratios:
            return cls(0.0, 0.0, 0.0)
        return cls(rate(cell) / rate(other), min(ratios), max(ratios))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a contestant stands in a scenario.

    Attributes:
        cell: its rounds.
        facts: what it is.
        over_baseline: against `transformers`; None for itself.
        of_limit: against the bare session at its precision; None where there is none.
        aim: for `over_baseline`; None where nothing was set.
    """

    cell: Cell
    facts: ContestantFacts
    over_baseline: Ratio | None
    of_limit: Ratio | None
    aim: float | None

    def verdicts(self) -> tuple[str, ...]:
        """Say of each aim whether it is met; empty where none are set."""
        if self.aim is None or self.over_baseline is None or self.of_limit is None:
            return ()
        return (
            _verdict("x", self.aim, self.over_baseline),
            _verdict(" of its limit", LIMIT_AIM, self.of_limit),
        )


def _verdict(unit: str, aim: float, ratio: Ratio) -> str:
    return f"{aim}{unit} {'met' if ratio.middle >= aim else 'not met'}"


def rate(cell: Cell) -> float:
    """Return the median over rounds of requests a second."""
    return median(one.rate for one in cell.rounds)


def standing(model: ModelResult, contestant: str, texts: str, callers: int) -> Standing:
    """Compare a contestant with `transformers` and with its limit.

    Raises:
        KeyError: it took no part in the scenario.
    """
    cells = {
        cell.contestant: cell
        for cell in model.cells
        if (cell.texts, cell.callers) == (texts, callers)
    }
    facts = {one.name: one for one in model.contestants}[contestant]
    cell = cells[contestant]
    limit = cells.get(f"limit {facts.precision}") if facts.kind == "earmark" else None
    aimed = (model.name, texts, callers) == (AIMED_MODEL, AIMED_TEXTS, AIMED_CALLERS)
    return Standing(
        cell=cell,
        facts=facts,
        over_baseline=(
            None if facts.kind == "transformers" else Ratio.of(cell, cells["transformers"])
        ),
        of_limit=None if limit is None else Ratio.of(cell, limit),
        aim=AIMS[facts.precision] if aimed and facts.kind == "earmark" else None,
    )
