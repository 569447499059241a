"""Prints tables: as wide as the terminal for a person, in whole lines for a program."""

import sys

from rich.console import Console

_WHOLE_LINES = 100_000
"""Width where no terminal is: `grep` and `cut` need each path on one line."""


def table_console() -> Console:
    """Make a console for standard output that takes no text for markup."""
    width = None if sys.stdout.isatty() else _WHOLE_LINES
    return Console(markup=False, highlight=False, width=width)
