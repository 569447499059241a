"""Reads a checkpoint's JSON files, none of them larger than any real one."""

import json
from pathlib import Path
from typing import Final

from earmark.errors import InvalidCheckpoint

MOST_JSON_BYTES: Final = 16 * 1024 * 1024
"""The largest file. Python takes up to 27 times its size in memory; a load with the most expensive
file of this size takes a quarter of a minute. A `config.json` that names 100,000 labels in both
directions has 8 MB."""

UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""First bytes of a file in UTF-16, which some editors and shells write."""


def load_json(path: Path) -> object:
    """Read the value in a file.

    ``NaN`` and ``Infinity``, which Python writes though JSON has no such numbers, are read as
    floats. A byte order mark is skipped.

    Raises:
        InvalidCheckpoint: the file cannot be read, is too large, or is not JSON.
    """
    try:
        raw = _bounded(path)
        value: object = json.loads(raw.decode("utf-16" if raw[:2] in UTF_16_MARKS else "utf-8-sig"))
        # JSON allows half of a surrogate pair, but an answer cannot contain it.
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise InvalidCheckpoint(
            f"{path} cannot be read as JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        ) from error
    # ValueError: text in no encoding, and numbers of thousands of digits.
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidCheckpoint(f"{path} cannot be read as JSON: {error}") from error
    return value


def _bounded(path: Path) -> bytes:
    """Read a file whole.

    Raises:
        InvalidCheckpoint: it is too large, or empty as far as the system says. Some links lead to
            such a file in which there is no end to read (`/proc/kmsg`).
    """
    size = path.stat().st_size
    if not size:
        raise InvalidCheckpoint(f"{path} is empty, expected JSON")
    if size > MOST_JSON_BYTES:
        raise InvalidCheckpoint(
            f"{path} has {size:,} bytes, and at most {MOST_JSON_BYTES:,} are read; use the"
            " checkpoint with the file that it was published with"
        )
    return path.read_bytes()
