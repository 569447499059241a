"""The calls into the `tokenizers` library that a malformed file, or a text, can break."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from earmark.errors import EarmarkError, InvalidCheckpoint, TokenizerFault

__all__ = ["complaints_about", "panics_over_a_text"]

PANIC = "PanicException"
"""What a Rust panic arrives as. It derives from BaseException and cannot be imported."""


@contextmanager
def complaints_about(path: Path, *, expected: str) -> Iterator[None]:
    """Turn whatever the library raises while it takes a file in into an error that names it.

    Args:
        path: the file.
        expected: what it was to be read as, such as "a tokenizer".

    Raises:
        InvalidCheckpoint: the library raised; it uses bare Exception for anything wrong with a
            file, and panics over some (a merge whose second half is too short).
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
    """Turn a panic of the library over a text into an error of that text.

    A regular expression of `tokenizer.json` whose search goes on for too long is one.

    Raises:
        TokenizerFault: the library panicked. Its own words are left out, since they may quote the
            text.
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
