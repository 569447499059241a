"""Engines in processes against engines in threads: speed of one model, and memory of three.

Run as ``python -m bench.engine_places``. For the speed, ``earmark serve`` runs once with each, with
the same flags otherwise, and they take turns: one that has no turn has nothing to do. For the
memory, each in turn loads the models in the box, and is asked 200 texts of each.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import httpx

from bench.contestants import Server, free_port, until_ready
from bench.machine import cpu_seconds, memory_mb, this_machine
from bench.outcome import Question
from bench.pipes import Helper
from bench.results import ContestantFacts
from bench.suite import SEED
from bench.texts import BLOCK, make_texts, write_texts
from earmark.checkpoint.bundled import BUNDLED, DEFAULT_MODEL, bundled_folder

PLACES: dict[str, tuple[str, ...]] = {
    "thread": ("--engine", "thread"),
    "process": ("--engine", "process"),
    "process for each model": ("--engine", "process", "--shared-engine-bytes", "0"),
}
CALLERS = (1, 8, 32)
SECONDS = 3.0


def server(place: str, *models: str, load: Helper, log: Path, folder: str) -> Server:
    """Start models with their engines in this place."""
    port = free_port()
    command = [sys.executable, "-m", "earmark", "serve", "--port", str(port), *PLACES[place]]
    command += [word for model in models for word in ("--model", model)]
    command += ["--cache-bytes", "0"]  # the load repeats its texts
    command += ["--state-folder", folder, "--cache-folder", folder, "--log-level", "error"]
    facts = ContestantFacts(name=place, kind="earmark", precision="auto")
    return Server(facts, command, port=port, load=load, log=log)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args(arguments).rounds
    machine = this_machine()
    print(f"{machine.processor}, {machine.cores} cores; {rounds} rounds of {SECONDS:.0f} s\n")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        sets = make_texts(bundled_folder(DEFAULT_MODEL) / "tokenizer.json", seed=SEED)
        texts = Path(folder) / "texts.json"
        write_texts(sets, texts)
        load = Helper("bench.load", [str(texts)], log=Path(folder) / "load.log")
        stack.enter_context(closing(load))
        log = Path(folder) / "server.log"
        with ExitStack() as running:
            servers = []
            for place in ("thread", "process"):
                one = server(place, DEFAULT_MODEL, load=load, log=log, folder=folder)
                running.enter_context(closing(one))
                one.wait()
                servers.append(one)
            print("| callers | engine in | texts/s | p50, ms | p99, ms | ms of a core per text |")
            print("|---:|---|---:|---:|---:|---:|")
            for callers in CALLERS:
                _compare(servers, callers, rounds)
        print("\n| engines in | memory after the start, MB | after 600 texts, MB |")
        print("|---|---:|---:|")
        for place in PLACES:
            with closing(server(place, *BUNDLED, load=load, log=log, folder=folder)) as one:
                until_ready(one.address)
                before_mb = memory_mb(one.pid)
                for model in BUNDLED:
                    _ask(one, model, sets[0].texts[:200])
                print(f"| {place} | {before_mb:.0f} | {memory_mb(one.pid):.0f} |", flush=True)


def _ask(one: Server, model: str, texts: Sequence[str]) -> None:
    labels = {"parameters": {"candidate_labels": ["a", "b"]}} if "zero-shot" in model else {}
    for text in texts:
        body = {"inputs": text, **labels}
        httpx.post(f"{one.address}/models/{model}", json=body).raise_for_status()


def _compare(servers: Sequence[Server], callers: int, rounds: int) -> None:
    rates: dict[str, list[float]] = {one.facts.name: [] for one in servers}
    costs: dict[str, list[float]] = {one.facts.name: [] for one in servers}
    latencies: dict[str, list[float]] = {one.facts.name: [] for one in servers}
    for number in range(-1, rounds):
        for one in servers:
            question = Question(
                texts="mixed", first=max(number, 0) * BLOCK, callers=callers, seconds=SECONDS
            )
            cpu_s = cpu_seconds(one.pid) or 0.0
            outcome = one.run(question)
            if outcome.failures:
                raise RuntimeError(f"{one.facts.name}: {outcome.first_failure}")
            if number < 0:
                continue  # warms up
            name, texts = one.facts.name, len(outcome.latencies_ms)
            rates[name].append(texts / outcome.seconds)
            costs[name].append(((cpu_seconds(one.pid) or 0.0) - cpu_s) * 1000 / texts)
            latencies[name] += outcome.latencies_ms
    for name, found in rates.items():
        cuts = statistics.quantiles(latencies[name], n=100)
        print(
            f"| {callers} | {name} | {statistics.median(found):.0f} | {cuts[49]:.2f} |"
            f" {cuts[98]:.2f} | {statistics.median(costs[name]):.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
