"""Ends the program even where a load never ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from earmark.cli.signals import end_quietly_from_now_on
from earmark.models.threads import loads_ended

LOADS_END_WITHIN_S: Final = 5.0
"""How long a program that ends waits for loads in progress."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.cli")


@contextmanager
def leaving_loads_behind() -> Iterator[None]:
    """End the process with its own exit code, also where a load never ends.

    A load runs in a runtime's native code. Nothing can interrupt it, and Python must not shut down
    while it runs. Where a load goes on, the process therefore ends without Python's shutdown.
    """
    code = 0
    try:
        yield
    except SystemExit as ended:
        # A second signal ends the process at once: Python's shutdown would free what the load uses.
        end_quietly_from_now_on()
        if loads_ended(within_s=LOADS_END_WITHIN_S):
            raise
        code = ended.code if isinstance(ended.code, int) else 0
    else:
        if loads_ended(within_s=LOADS_END_WITHIN_S):
            return
    _log.warning("a load that does not end is left behind")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
