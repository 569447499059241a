"""The command line: `earmark serve`, `classify`, `models`, `pull`, `keys`.

Owns what a person at a terminal sees. The work of the commands is done in lower packages.
"""

from collections.abc import Sequence

from earmark.cli.signals import INTERRUPTED, end_quietly_from_now_on

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; interrupts end it without a traceback, at any time and however many come.

    Args:
        arguments: what follows the program's name; the process's own by default.

    Returns:
        The exit code.
    """
    try:
        # Imported here: the import takes a second, in which an interrupt may come.
        from earmark.cli.app import run  # noqa: PLC0415

        return run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        if arguments is None:  # for the process's own arguments, the program ends after this
            end_quietly_from_now_on()
