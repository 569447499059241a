"""How an error looks on a terminal: one line, and a hint where one helps."""

from dataclasses import dataclass

from cyclopts import CycloptsError, MissingArgumentError, UnusedCliTokensError
from rich.console import Console
from rich.text import Text

from earmark.errors import EarmarkError


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong.

    Attributes:
        message: what was found and what was expected.
        hint: what to do; None where the message says it.
    """

    message: str
    hint: str | None = None


def explain_usage(error: CycloptsError) -> Problem:
    """Describe an error of the command line's parser in a line."""
    error.verbose = False
    message = str(error).strip()
    message = message[:1].lower() + message[1:]
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        message = f"unexpected argument {error.unused_tokens[0]!r}"
    elif isinstance(error, MissingArgumentError) and error.argument is not None:
        message = f"{error.argument.name} needs a value"
    command = " ".join(("earmark", *(error.command_chain or ())))
    return Problem(message, f"{command} --help lists what it takes")


def explain_error(error: EarmarkError) -> Problem:
    """Describe an error of ours by its message; notes that were added to it are the hint."""
    notes = "; ".join(getattr(error, "__notes__", ()))
    return Problem(str(error), notes or None)


def show_problem(problem: Problem) -> None:
    """Print an error to standard error."""
    _show("error", "bold red", problem.message)
    if problem.hint:
        _show("hint", "cyan", problem.hint)


def show_warning(message: str) -> None:
    """Print a warning to standard error."""
    _show("warning", "bold yellow", message)


def show_note(message: str) -> None:
    """Print a note to standard error: worth knowing, but no warning."""
    _show("note", "cyan", message)


def _show(kind: str, style: str, message: str) -> None:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(Text.assemble("earmark: ", (f"{kind}:", style), f" {message}"))
