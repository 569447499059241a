"""`python -m soak`: a mixed load for a while, and what the memory of each process does meanwhile.

Run by ``make soak``. Starts ``earmark serve`` with the models in the box. Callers ask all three in
both dialects, in every size from a word to several batches, with texts that never repeat, and now
and then with a body or a model that is none. Exits with 1 where an answer was not the right one, or
where a process still grows by more than the bound once it is warm.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from e2e.processes import running_server
from soak.callers import Callers
from soak.memory import Memory, grown_mb_per_minute

CALLERS = 8
SAMPLED_EVERY_S = 2.0
WARM_PART, LONGEST_WARM_S = 0.5, 300.0
"""The part that does not count: processes learn every shape of batch in it."""
SHOWN = 5


def main() -> int:
    """Run the load, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=float, default=1.0, help="megabytes a minute, once warm")
    parser.add_argument("flags", nargs="*", help="further flags of earmark serve, behind --")
    arguments = parser.parse_args()
    seconds = arguments.minutes * 60
    with tempfile.TemporaryDirectory() as name:
        flags = ("--cache-bytes", "16000000", "--hub-models", "deny", *arguments.flags)
        with running_server(*flags, folder=Path(name)) as server:
            address, memory = server.address, Memory(server.process.pid)
            with Callers(address, CALLERS, arguments.seed) as callers:
                began_s = time.monotonic()
                while (elapsed_s := time.monotonic() - began_s) < seconds:
                    memory.sample(elapsed_s)
                    time.sleep(SAMPLED_EVERY_S)
                    server.events.clear()  # thousands of lines: ours would grow, not the server
            code = server.stop()
    from_s = min(seconds * WARM_PART, LONGEST_WARM_S)
    print(f"{callers.count} requests in {seconds:.0f} s, {len(callers.wrong)} wrong; exit {code}\n")
    print("| process | at the start, MB | at the end, MB | grows once warm, MB a minute |")
    print("|---|---:|---:|---:|")
    grows = False
    for pid, samples in memory.samples.items():
        slope = grown_mb_per_minute(samples, from_s=from_s)
        grows |= slope > arguments.most
        role = "server" if pid == server.process.pid else "engine"
        print(f"| {role} | {samples[0][1]:.0f} | {samples[-1][1]:.0f} | {slope:.2f} |")
    for wrong in callers.wrong[:SHOWN]:
        print(wrong)
    return int(grows or bool(callers.wrong) or code != 0)


if __name__ == "__main__":
    sys.exit(main())
