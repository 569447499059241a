"""A measurement as tables: for a terminal, and as Markdown for README.

Run it with ``python -m bench.report FILE``, which prints the Markdown.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from bench.aims import Ratio, Standing, rate, standing
from bench.results import ContestantFacts, Measurement, ModelResult, Scenario

MISSING = "-"
PLAIN_WIDTH = 160
"""Columns where there is no terminal to ask."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table, whatever it is printed as.

    Attributes:
        title: stands above it.
        columns: names; the first holds text, the others numbers.
        rows: as many cells each as there are columns.
        notes: stand below it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def show(measurement: Measurement, console: Console) -> None:
    """Print every table."""
    plain = not console.is_terminal
    if plain:
        console = Console(file=console.file, width=PLAIN_WIDTH, highlight=False)
    for line in _machine(measurement):
        console.print(line, markup=False)
    for sheet in sheets(measurement):
        table = Table(
            box=box.ASCII2 if plain else box.ROUNDED, title=sheet.title, title_justify="left"
        )
        for index, name in enumerate(sheet.columns):
            table.add_column(name, justify="right" if index else "left", no_wrap=True)
        for row in sheet.rows:
            table.add_row(*row)
        console.print()
        console.print(table)
        for note in sheet.notes:
            console.print(note, markup=False)


def markdown(measurement: Measurement) -> str:
    """Write every table as Markdown."""
    lines = [f"* {line}" for line in _machine(measurement)]
    for sheet in sheets(measurement):
        lines += ["", f"### {sheet.title}", ""]
        lines.append("| " + " | ".join(sheet.columns) + " |")
        lines.append("|---" + "|---:" * (len(sheet.columns) - 1) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in sheet.rows]
        lines += ["", *(f"* {note}" for note in sheet.notes)] if sheet.notes else []
    return "\n".join(lines) + "\n"


def sheets(measurement: Measurement) -> Iterator[Sheet]:
    """Make the tables: speeds by model and scenario, then what else is known of each model."""
    for model in measurement.models:
        for scenario in measurement.scenarios:
            yield _speeds(model, scenario)
        yield _facts(model)


def _speeds(model: ModelResult, scenario: Scenario) -> Sheet:
    present = [one for one in model.contestants if one.absent is None]
    standings = [standing(model, one.name, scenario.texts, scenario.callers) for one in present]
    callers = "1 caller" if scenario.callers == 1 else f"{scenario.callers} callers"
    columns = (
        "",
        "requests/s",
        "tokens/s",
        "p50 ms",
        "p99 ms",
        "x transformers",
        "of its limit",
        "load's CPU",
    )
    aimed = any(one.aim is not None for one in standings)
    return Sheet(
        title=f"{model.name}, {scenario.texts} texts, {callers}",
        columns=columns + (("aim",) if aimed else ()),
        rows=tuple(_speed_row(one, aimed=aimed) for one in standings),
        notes=tuple(
            f"{one.facts.name}: {sum(each.failures for each in one.cell.rounds)} requests failed, "
            f"the first so: {one.cell.first_failure}"
            for one in standings
            if one.cell.first_failure
        ),
    )


def _speed_row(one: Standing, *, aimed: bool) -> tuple[str, ...]:
    rounds = one.cell.rounds
    seconds = sum(each.seconds for each in rounds)
    generator = sum(each.generator_cpu_s for each in rounds) / seconds
    row = (
        one.facts.name,
        _number(rate(one.cell)),
        f"{sum(each.tokens for each in rounds) / seconds:,.0f}",
        _number(one.cell.p50_ms),
        _number(one.cell.p99_ms),
        _ratio(one.over_baseline),
        _ratio(one.of_limit),
        MISSING if one.facts.kind == "limit" else f"{generator:.1%}",
    )
    return row + ((", ".join(one.verdicts()) or MISSING,) if aimed else ())


def _facts(model: ModelResult) -> Sheet:
    agreements = {one.contestant: one for one in model.agreements}
    rows = []
    for facts in model.contestants:
        agreement = agreements.get(facts.name)
        rows.append(
            (
                facts.name,
                MISSING if facts.peak_memory_mb is None else f"{facts.peak_memory_mb:,.0f}",
                MISSING if facts.idle_cpu_share is None else f"{facts.idle_cpu_share:.1%}",
                f"{agreement.greatest_difference:.1e}" if agreement else MISSING,
                f"{agreement.same_label} of {agreement.texts}" if agreement else MISSING,
            )
        )
    return Sheet(
        title=f"{model.name}, {model.parameters / 1e6:.1f} M weights: memory, rest, agreement",
        columns=("", "peak memory MB", "CPU at rest", "score off by at most", "same label"),
        rows=tuple(rows),
        notes=tuple(f"{one.name}: {_note(one)}" for one in model.contestants if _note(one)),
    )


def _note(facts: ContestantFacts) -> str:
    return f"not measured: {facts.absent}" if facts.absent else facts.note


def _ratio(ratio: Ratio | None) -> str:
    if ratio is None:
        return MISSING
    return f"{ratio.middle:.2f} ({ratio.least:.2f}-{ratio.most:.2f})"


def _number(value: float) -> str:
    """Three digits are as many as a measurement is worth."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004


def _machine(measurement: Measurement) -> Iterator[str]:
    machine = measurement.machine
    memory = "" if machine.memory_gb is None else f", {machine.memory_gb:.0f} GB"
    sets = " ".join(machine.instruction_sets) or "none known"
    yield f"{machine.processor}, {machine.cores} cores ({sets}){memory}, {machine.system}"
    yield ", ".join(f"{name} {number}" for name, number in measurement.versions.items())
    yield (
        f"{measurement.command}, {measurement.date}, commit {measurement.commit or 'unknown'}, "
        f"{measurement.seconds:.0f} s"
    )
    for name, spread in measurement.texts.items():
        yield (
            f"{name} texts: {spread['least']:.0f} to {spread['most']:.0f} tokens, mean "
            f"{spread['mean']:.1f}, median {spread['median']:.0f}, p90 {spread['p90']:.0f}"
        )


def main() -> None:
    """Print a measurement's Markdown."""
    parser = argparse.ArgumentParser(description="Print a measurement as Markdown.")
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    print(markdown(msgspec.json.decode(arguments.file.read_bytes(), type=Measurement)), end="")


if __name__ == "__main__":
    main()
