"""Where tables are printed: to a terminal as wide as it is, to a program in whole lines."""

import sys

from rich.console import Console

__all__ = ["table_console"]

_WHOLE_LINES = 100_000
"""Columns where no person reads: a path that is broken in two is no path to `grep` and `cut`."""


def table_console() -> Console:
    """Make a console for standard output; what is printed is never taken for markup."""
    width = None if sys.stdout.isatty() else _WHOLE_LINES
    return Console(markup=False, highlight=False, width=width)
