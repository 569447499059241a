"""The whole run: models, contestants, scenarios."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.aims import AIMED_MODEL
from bench.checkpoint import write_distilbert, write_float32_sentiment
from bench.contestants import (
    Contestant,
    Limit,
    NotStartedError,
    Server,
    baseline,
    earmark_server,
)
from bench.machine import commit, cpu_seconds, peak_memory_mb, this_machine, versions
from bench.pipes import Helper
from bench.progress import Progress
from bench.results import Agreement, ContestantFacts, Measurement, ModelResult, Scenario
from bench.rounds import run_scenario
from bench.texts import TextSet, describe, make_texts, write_texts
from earmark.checkpoint.bundled import DEFAULT_MODEL, bundled_folder

SEED = 20_260_101
PRECISIONS = ("float32", "bfloat16", "int8")
COMPARED_TEXTS = 32
SETTLE_S, IDLE_S = 1.0, 2.0
"""How long the contestants have to come to rest, and how long their rest is then watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long everything takes.

    Attributes:
        scenarios: in order; the first is the one that aims are set for.
        warm_up_s: of each contestant before each scenario.
    """

    scenarios: tuple[Scenario, ...]
    warm_up_s: float


FULL = Schedule(
    scenarios=(
        Scenario(texts="mixed", callers=32, rounds=5, seconds=3.0),
        Scenario(texts="mixed", callers=1, rounds=3, seconds=2.0),
        Scenario(texts="short", callers=32, rounds=3, seconds=2.0),
        Scenario(texts="short", callers=1, rounds=3, seconds=2.0),
    ),
    warm_up_s=1.0,
)
QUICK = Schedule(
    scenarios=(
        Scenario(texts="mixed", callers=32, rounds=3, seconds=1.0),
        Scenario(texts="mixed", callers=1, rounds=2, seconds=0.5),
    ),
    warm_up_s=0.5,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model to measure.

    Attributes:
        name: what the tables call it.
        model: what earmark is given: a bundled id or a folder.
        float32_folder: what `transformers` is given; the same weights.
    """

    name: str
    model: str
    float32_folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all models share.

    Attributes:
        schedule: what is run.
        sets: the texts.
        texts_file: the same, for other processes.
        folder: for logs.
        load: the load generator.
        progress: told how far it is.
    """

    schedule: Schedule
    sets: tuple[TextSet, ...]
    texts_file: Path
    folder: Path
    load: Helper
    progress: Progress


def measure(schedule: Schedule, *, command: str, progress: Progress) -> Measurement:
    """Measure every model.

    Args:
        schedule: what is run.
        command: how a reader can do the same.
        progress: told how far it is.

    Raises:
        NotStartedError: a server did not start.
        RuntimeError: another process of the benchmark has ended early.
    """
    started_s, date = time.monotonic(), datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="earmark-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        sets = make_texts(bundled_folder(DEFAULT_MODEL) / "tokenizer.json", seed=SEED)
        texts_file = folder / "texts.json"
        write_texts(sets, texts_file)
        load = Helper("bench.load", [str(texts_file)], log=folder / "load.log")
        stack.enter_context(closing(load))
        bench = Bench(
            schedule=schedule,
            sets=sets,
            texts_file=texts_file,
            folder=folder,
            load=load,
            progress=progress,
        )
        models = tuple(measure_model(bench, subject) for subject in _subjects(folder))
    return Measurement(
        command=command,
        date=date.isoformat(timespec="seconds"),
        commit=commit(),
        machine=this_machine(),
        versions=versions(),
        seed=SEED,
        texts={one.name: describe(one) for one in sets},
        scenarios=schedule.scenarios,
        models=models,
        seconds=round(time.monotonic() - started_s),
    )


def measure_model(bench: Bench, subject: Subject) -> ModelResult:
    """Start every contestant of a model, check that they agree, let them run, end them.

    Raises:
        NotStartedError: a server did not start.
        RuntimeError: another process of the benchmark has ended early.
    """
    bench.progress.model(subject.name)
    with _contestants(bench, subject) as (present, absent):
        servers = [one for one in present if isinstance(one, Server)]
        agreements = _compare(servers, bench.sets[0].texts[:COMPARED_TEXTS])
        cells = [
            cell
            for scenario in bench.schedule.scenarios
            for cell in run_scenario(
                scenario,
                present,
                warm_up_s=bench.schedule.warm_up_s,
                on_round=bench.progress.round,
            )
        ]
        facts = [*_at_rest(present), *absent]
        parameters = max(server.parameters for server in servers)
    return ModelResult(
        name=subject.name,
        parameters=parameters,
        contestants=tuple(facts),
        cells=tuple(cells),
        agreements=agreements,
    )


def _subjects(folder: Path) -> Iterator[Subject]:
    made = write_distilbert(folder / "distilbert-base-shape", seed=SEED)
    yield Subject(name=AIMED_MODEL, model=str(made), float32_folder=made)
    shutil.rmtree(made)
    unpacked = write_float32_sentiment(folder / "sentiment-float32")
    yield Subject(name=DEFAULT_MODEL, model=DEFAULT_MODEL, float32_folder=unpacked)


@contextmanager
def _contestants(
    bench: Bench, subject: Subject
) -> Iterator[tuple[list[Contestant], list[ContestantFacts]]]:
    """Start every contestant, and end them all.

    Yields:
        Those that run, and what is known of those that cannot.
    """
    with ExitStack() as stack:
        servers: list[Server] = []
        for precision in PRECISIONS:
            log = bench.folder / f"earmark-{precision}.log"
            server = earmark_server(subject.model, precision, load=bench.load, log=log)
            servers.append(stack.enter_context(closing(server)))
        log = bench.folder / "transformers.log"
        server = baseline(subject.float32_folder, load=bench.load, log=log)
        servers.append(stack.enter_context(closing(server)))
        present: list[Contestant] = []
        absent: list[ContestantFacts] = []
        for server in servers:
            try:
                server.wait()
            except NotStartedError as error:
                # The one precision that a sound machine may lack; it says so and ends.
                if server.facts.precision != "bfloat16":
                    raise
                absent.append(msgspec.structs.replace(server.facts, absent=str(error)))
            else:
                present.append(server)
        for server in servers:
            if server in present and server.facts.kind == "earmark":
                limit = _limit(bench, subject, server.facts.precision)
                present.append(stack.enter_context(closing(limit)))
        yield present, absent


def _limit(bench: Bench, subject: Subject, precision: str) -> Limit:
    log = bench.folder / f"limit-{precision}.log"
    return Limit(subject.model, precision, texts=bench.texts_file, log=log)


def _compare(servers: Sequence[Server], texts: Sequence[str]) -> tuple[Agreement, ...]:
    """Compare the scores of every earmark with those of `transformers`."""
    reference = next(one for one in servers if one.facts.kind == "transformers")
    expected = [reference.scores(text) for text in texts]
    return tuple(
        _agreement(server.facts.name, [server.scores(text) for text in texts], expected)
        for server in servers
        if server is not reference
    )


def _agreement(
    name: str, found: Sequence[dict[str, float]], expected: Sequence[dict[str, float]]
) -> Agreement:
    pairs = list(zip(found, expected, strict=True))
    differences = [abs(ours[label] - theirs[label]) for ours, theirs in pairs for label in theirs]
    return Agreement(
        contestant=name,
        texts=len(pairs),
        greatest_difference=max(differences),
        same_label=sum(
            max(ours, key=ours.__getitem__) == max(theirs, key=theirs.__getitem__)
            for ours, theirs in pairs
        ),
    )


def _at_rest(contestants: Sequence[Contestant]) -> list[ContestantFacts]:
    """Watch everyone do nothing: who spins takes from whoever is in turn."""
    time.sleep(SETTLE_S)
    before_s = [cpu_seconds(one.pid) for one in contestants]
    time.sleep(IDLE_S)
    after_s = [cpu_seconds(one.pid) for one in contestants]
    return [
        msgspec.structs.replace(
            one.facts,
            idle_cpu_share=None if then is None or now is None else round((now - then) / IDLE_S, 3),
            peak_memory_mb=peak_memory_mb(one.pid),
        )
        for one, then, now in zip(contestants, before_s, after_s, strict=True)
    ]
