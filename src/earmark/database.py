"""The one file in which a server keeps what has to outlive it.

Each store makes its own tables on the connection it is given. Nothing is written before a store has
something to keep, so that a server that keeps nothing leaves no file behind.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from earmark.errors import StateUnavailable

__all__ = ["open_database", "reading_faults"]

_PATIENCE_S = 5.0
"""How long a writer waits for another process that writes, such as ``earmark keys create``."""


def open_database(file: Path, schema: str) -> sqlite3.Connection:
    """Open the database, and make the folder, the file and the tables that are not there yet.

    The connection commits each statement by itself and may be used from any thread, by one at a
    time. Readers in other processes are not held up by a writer (write-ahead logging).

    Args:
        file: made with its folder; both are for their owner alone.
        schema: statements of the kind ``CREATE TABLE IF NOT EXISTS``.

    Raises:
        StateUnavailable: the file cannot be made, read or written, or is no such database.
    """
    with reading_faults(file):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Before SQLite makes it readable for everyone; the files beside it take its permissions.
        file.touch(mode=0o600)
        connection = sqlite3.connect(
            file, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            # What is deleted is overwritten: texts of callers may have stood there.
            connection.execute("PRAGMA secure_delete = ON")
            connection.executescript(schema)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def reading_faults(file: Path) -> Iterator[None]:
    """Turn what SQLite and the system say into one line that names the file.

    Raises:
        StateUnavailable: something inside the block failed.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StateUnavailable(
            f"the database {file} cannot be used: {error}; name another folder with --state-folder"
        ) from error
