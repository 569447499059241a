"""Turns errors and panics of the `tokenizers` library over a file or a text into ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from earmark.errors import EarmarkError, InvalidCheckpoint, TokenizerFault

PANIC = "PanicException"
"""Name of the exception for a Rust panic. It derives from BaseException and cannot be imported."""


@contextmanager
def complaints_about(path: Path, *, expected: str) -> Iterator[None]:
    """Turn any error of the library while it reads a file into one that names the file.

    Args:
        path: the file.
        expected: what it should be, such as "a tokenizer".

    Raises:
        InvalidCheckpoint: the library raised something; it raises bare Exception for anything wrong
            with a file, and panics for some faults (a merge whose second half is too short).
    """
    try:
        yield
    except EarmarkError:
        raise
    except Exception as error:
        raise InvalidCheckpoint(f"{path} cannot be read as {expected}: {error}") from error
    except BaseException as error:
        if type(error).__name__ != PANIC:
            raise
        raise InvalidCheckpoint(f"{path} cannot be read as {expected}: {error}") from error


@contextmanager
def panics_over_a_text() -> Iterator[None]:
    """Turn a panic of the library over a text into an error.

    It panics, for example, if a regular expression of `tokenizer.json` searches for too long.

    Raises:
        TokenizerFault: the library panicked. Its own message is left out: it may quote the text.
    """
    try:
        yield
    except Exception:
        raise
    except BaseException as error:
        if type(error).__name__ != PANIC:
            raise
        raise TokenizerFault(
            "the model's tokenizer broke on a text, most likely on a regular expression of its own;"
            " other texts are not affected"
        ) from None
