"""The commands, and the one place where an error becomes a line and an exit code.

Exit codes: 0 done; 1 a failure that the user did not cause; 2 wrong use, wrong settings or an
unusable model; 130 interrupted; 141 the reader of our output has closed the pipe.
"""

import io
import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from earmark import __version__
from earmark.cli.lines import STANDARD_INPUT
from earmark.cli.problems import explain_error, explain_usage, show_problem
from earmark.errors import CapacityError, EarmarkError, EngineError

FAILED = 1
WRONG_USE = 2
PIPE_CLOSED = 141
"""128 + SIGPIPE: the exit code of a program that this signal ends."""

app = App(
    name="earmark",
    help="Text classification with Hugging Face encoder checkpoints, without PyTorch.",
    help_epilogue="Try: earmark classify 'I like it'",
    help_format="plaintext",
    version=f"earmark {__version__}",
    result_action="return_value",
)
# By import path, so that --help and --version load neither a runtime nor a web server.
app.command(
    "earmark.cli.serve:serve",
    name="serve",
    help="Serve models over HTTP.",
    help_epilogue=(
        "Try: earmark serve --model my-id=./folder --port 8081\n\n"
        "In earmark.toml settings are named as variables are, as in port = 8081."
    ),
)
app.command(
    "earmark.cli.classify:classify",
    name="classify",
    help="Classify texts, or the lines of a pipe.",
    help_epilogue="Try: earmark classify 'I like it' \"I don't\", or < lines.txt",
)
app.command(
    "earmark.cli.models:models",
    name="models",
    help="List the models at hand.",
    help_epilogue="Try: earmark models --json",
)
app.command(
    "earmark.cli.pull:pull",
    name="pull",
    help="Fetch models of the Hugging Face Hub.",
    help_epilogue="Try: earmark pull org/name, or org/name@revision",
)
app.command(
    "earmark.cli.keys:keys",
    name="keys",
    help="Create, list and revoke access keys.",
)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: what follows the program's name; the process's own by default.

    Returns:
        The exit code.
    """
    tokens = _mark_standard_input(sys.argv[1:] if arguments is None else arguments)
    _print_anything()
    try:
        app(tokens, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        show_problem(explain_usage(error))
        return WRONG_USE
    except EarmarkError as error:
        show_problem(explain_error(error))
        return FAILED if isinstance(error, EngineError | CapacityError) else WRONG_USE
    except BrokenPipeError:
        _discard_output()
        return PIPE_CLOSED
    return 0


def _mark_standard_input(arguments: Sequence[str]) -> list[str]:
    """Replace each lone `-` before a `--`, after which everything is text.

    cyclopts would take it for an option that it does not know.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    marked = [STANDARD_INPUT if one == "-" else one for one in arguments[:end]]
    return [*marked, *arguments[end:]]


def _print_anything() -> None:
    """Let output escape characters that its encoding cannot write, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Keep Python's last flush from failing on the closed pipe again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
