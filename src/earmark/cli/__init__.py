"""The command line: `earmark serve`, `classify`, `models`, `pull`, `keys`.

Owns what a person at a terminal sees. What the commands do stands below this floor.
"""

from collections.abc import Sequence

from earmark.cli.signals import INTERRUPTED, end_quietly_from_now_on

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; an interrupt ends it without a traceback, however often and whenever it comes.

    Args:
        arguments: what follows the program's name; the process's own by default.

    Returns:
        The exit code.
    """
    try:
        # Imported here: it takes a second, in which an interrupt may come.
        from earmark.cli.app import run  # noqa: PLC0415

        return run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        if arguments is None:  # the process's own: what is left of it is the interpreter's end
            end_quietly_from_now_on()
