"""How much memory does a burst of large requests leave behind?

Run as ``python -m bench.burst_memory``. Starts ``earmark serve`` with the models in the box. Eight
callers at once ask with bodies of 1 to 2 MB that all have to be read, tokenized and partly run; so
often as ``--rounds`` says. Prints the server's resident memory before, after each round, and five
seconds after the last. Linux only.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import httpx

from bench.contestants import free_port, until_ready
from bench.machine import memory_mb, this_machine

MEGABYTE = 1_000_000
CALLERS = 8
SETTLE_S = 5.0
PATIENCE_S = 180.0
LABELLED = {
    "candidate_labels": ["a", "b", "c", "d"],
    "hypothesis_template": "! " * 490_000 + "{}",
}
BODIES: tuple[tuple[str, dict[str, object]], ...] = (
    ("/models/earmark/sentiment", {"inputs": "ab " * 690_000}),
    ("/models/earmark/sentiment", {"inputs": "!" * MEGABYTE}),
    ("/models/earmark/ner", {"inputs": ["Ada met Bob in Paris. " * 80] * 1000}),
    ("/models/earmark/zero-shot", {"inputs": "text " * 60, "parameters": LABELLED}),
)


@contextmanager
def server() -> Iterator[tuple[str, int]]:
    """Run a server with a state and a cache folder of its own; its address and its process."""
    port = free_port()
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "earmark", "serve", "--port", str(port)]
        command += ["--state-folder", folder, "--cache-folder", folder, "--log-level", "error"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
        try:
            url = f"http://127.0.0.1:{port}"
            until_ready(url)
            yield url, process.pid
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def ask(url: str, asked: tuple[str, dict[str, object]]) -> int:
    """Ask once, and return the status."""
    path, body = asked
    return httpx.post(url + path, json=body, timeout=PATIENCE_S).status_code


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    machine = this_machine()
    print(f"{machine.processor}, {machine.cores} cores\n")
    print("| moment | resident, MB | statuses |\n|---|---:|---|")
    with server() as (url, pid), ThreadPoolExecutor(CALLERS) as callers:
        print(f"| before | {memory_mb(pid):.0f} | |", flush=True)
        for turn in range(1, arguments.rounds + 1):
            asked = [BODIES[place % len(BODIES)] for place in range(CALLERS)]
            answers = sorted(callers.map(lambda one: ask(url, one), asked))
            shown = ", ".join(map(str, answers))
            print(f"| round {turn} | {memory_mb(pid):.0f} | {shown} |", flush=True)
        time.sleep(SETTLE_S)
        print(f"| {SETTLE_S:.0f} s later | {memory_mb(pid):.0f} | |")


if __name__ == "__main__":
    main()
