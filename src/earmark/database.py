"""The database file in which a server keeps state between runs.

Each store creates its own tables. The file is created when a store first has something to keep, so
a server that keeps nothing leaves no file.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from earmark.errors import StateUnavailable

_OTHERS = 0o077
"""Rights of the group and of all others."""
_PATIENCE_S = 5.0
"""How long a writer waits for another writing process, such as ``earmark keys create``."""


def open_database(file: Path, schema: str) -> sqlite3.Connection:
    """Open the database; create the folder, the file and the tables if they are missing.

    The connection commits each statement by itself. Any thread may use it, one at a time. A writer
    does not block readers in other processes (write-ahead logging).

    Args:
        file: created with its folder; only their owner may read them.
        schema: statements of the kind ``CREATE TABLE IF NOT EXISTS``.

    Raises:
        StateUnavailable: the file cannot be created, read or written, or is no such database.
    """
    with reading_faults(file):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite would make it readable for everyone; the files beside it take its permissions.
        file.touch(mode=0o600)
        _close_to_others(file)
        connection = sqlite3.connect(
            file, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            # Deleted content is overwritten: it may contain callers' texts.
            connection.execute("PRAGMA secure_delete = ON")
            connection.executescript(schema)
        except BaseException:
            connection.close()
            raise
    return connection


def _close_to_others(file: Path) -> None:
    """Take from others what an earlier program, or a copy from elsewhere, gave them of the file."""
    if os.name == "posix" and file.stat().st_mode & _OTHERS:
        with suppress(PermissionError):  # the file is another user's
            file.chmod(0o600)


@contextmanager
def reading_faults(file: Path) -> Iterator[None]:
    """Turn errors of SQLite and the system into one line that names the file.

    Raises:
        StateUnavailable: something inside the block failed.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StateUnavailable(
            f"the database {file} cannot be used: {error}; name another folder with --state-folder"
        ) from error
