"""A load that never ends does not keep the program alive."""

import subprocess
import sys
from pathlib import Path

import pytest

import earmark.errors

_SOURCE = Path(earmark.errors.__file__).parents[1]
_PROGRAM = """
import threading
from earmark.cli import leaving
from earmark.models.load_threads import beside, start_load

leaving.LOADS_END_WITHIN_S = 0.1
with leaving.leaving_loads_behind():
    {load}
    {end}
"""
_NEVER = "start_load(threading.Event().wait)"
_SHORT = "assert beside(lambda: 3) == 3"
_PATIENCE_S = 60.0


@pytest.mark.parametrize("load", [_NEVER, _SHORT])
@pytest.mark.parametrize(("end", "code"), [("pass", 0), ("raise SystemExit(130)", 130)])
def test_the_program_ends_with_its_own_code(load: str, end: str, code: int) -> None:
    """Whether or not a load goes on; a hang would be a `TimeoutExpired`."""
    program = _PROGRAM.format(load=load, end=end)
    words = [sys.executable, "-c", program]
    done = subprocess.run(  # noqa: S603 - our own words
        words, env={"PYTHONPATH": str(_SOURCE)}, timeout=_PATIENCE_S, check=False
    )
    assert done.returncode == code


_INTERRUPTED = """
import os, signal, threading
from earmark.cli import leaving
from earmark.models.load_threads import start_load

leaving.LOADS_END_WITHIN_S = 600.0
with leaving.leaving_loads_behind():
    start_load(threading.Event().wait)
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    raise SystemExit(0)
"""


def test_a_second_interrupt_ends_the_wait_for_a_load() -> None:
    """At once and without a word: Python's own end would tear the runtime's threads apart."""
    words = [sys.executable, "-c", _INTERRUPTED]
    done = subprocess.run(  # noqa: S603 - our own words
        words,
        env={"PYTHONPATH": str(_SOURCE)},
        timeout=_PATIENCE_S,
        check=False,
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (130, b"")
