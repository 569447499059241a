"""Where access keys are kept, and how a change to them is noticed."""

import dataclasses
import sqlite3
from pathlib import Path
from typing import Protocol

from earmark.database import open_database, reading_faults
from earmark.errors import SettingsError, StateUnavailable
from earmark.serving.access.keys import AccessKey

_SCHEMA = """
CREATE TABLE IF NOT EXISTS access_keys (
    key_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    ending TEXT NOT NULL,
    created_s REAL NOT NULL,
    revoked_s REAL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS active_key_names
    ON access_keys (name) WHERE revoked_s IS NULL;
"""

_MARK = ".had-keys"
"""Ends the name of a file beside the database; while the file is there, no keys means lost keys."""

_COLUMNS = ", ".join(column.name for column in dataclasses.fields(AccessKey))


class KeyStore(Protocol):
    """Keeps access keys, the revoked ones too."""

    def add(self, key: AccessKey) -> None:
        """Keep a key.

        Raises:
            SettingsError: a key that is not revoked has its name.
        """
        ...

    def revoke(self, key_id: str, *, now_s: float) -> None:
        """Mark a key as revoked at this Unix time; one that is revoked already stays as it is."""
        ...

    def all_keys(self) -> tuple[AccessKey, ...]:
        """List every key, the oldest first."""
        ...

    def version(self) -> object:
        """Return a value that differs from the last one if a key was changed since."""
        ...

    def close(self) -> None:
        """Close what is open; no method may be called any more."""
        ...


class KeysInMemory:
    """Keys in memory, for a server on loopback without a file: they end with the process."""

    def __init__(self) -> None:
        """Start without a key."""
        self._keys: dict[str, AccessKey] = {}
        self._changes = 0

    def add(self, key: AccessKey) -> None:
        """Keep a key."""
        if any(one.name == key.name and one.revoked_s is None for one in self._keys.values()):
            raise _taken(key)
        self._keys[key.key_id] = key
        self._changes += 1

    def revoke(self, key_id: str, *, now_s: float) -> None:
        """Mark a key as revoked."""
        key = self._keys.get(key_id)
        if key is not None and key.revoked_s is None:
            self._keys[key_id] = dataclasses.replace(key, revoked_s=now_s)
            self._changes += 1

    def all_keys(self) -> tuple[AccessKey, ...]:
        """List every key."""
        return tuple(self._keys.values())

    def version(self) -> object:
        """Count the changes."""
        return self._changes

    def close(self) -> None:
        """Do nothing: no file is open."""


class SqliteKeys:
    """Keys in a database, which other processes may change at any time.

    Without a file there are no keys. Whichever process adds the first key makes the file. From then
    on the file is held open: when it is deleted, a running server keeps its keys.
    """

    def __init__(self, file: Path) -> None:
        """Name the file; it is not opened yet.

        Every method raises `StateUnavailable` where the file cannot be used.
        """
        self._file = file
        self._connection: sqlite3.Connection | None = None

    def add(self, key: AccessKey) -> None:
        """Keep a key, in a new file where there is none."""
        connection = self._opened()
        self._mark()
        with reading_faults(self._file):
            try:
                connection.execute(
                    f"INSERT INTO access_keys ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own names
                    dataclasses.astuple(key),
                )
            except sqlite3.IntegrityError:
                # Of two processes that add the same name at once, the database accepts one.
                raise _taken(key) from None

    def revoke(self, key_id: str, *, now_s: float) -> None:
        """Mark a key as revoked."""
        connection = self._opened()
        with reading_faults(self._file):
            connection.execute(
                "UPDATE access_keys SET revoked_s = ? WHERE key_id = ? AND revoked_s IS NULL",
                (now_s, key_id),
            )

    def all_keys(self) -> tuple[AccessKey, ...]:
        """List every key; none where there is no file."""
        connection = self._found()
        if connection is None:
            return ()
        with reading_faults(self._file):
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM access_keys ORDER BY created_s, rowid"  # noqa: S608 - our own names
            ).fetchall()
        if rows:
            self._mark()  # keys of an earlier release, which did not make that file
        return tuple(
            AccessKey(
                key_id=key_id,
                name=name,
                digest=digest,
                ending=ending,
                created_s=created_s,
                revoked_s=revoked_s,
            )
            for key_id, name, digest, ending, created_s, revoked_s in rows
        )

    def refuse_loss(self) -> None:
        """Refuse a database that lost its keys, so that it is not taken for one without keys.

        Raises:
            StateUnavailable: there were keys, and now there is none, not even a revoked one.
        """
        with reading_faults(self._file):
            had_keys = self._mark_file.exists()
        if had_keys and not self.all_keys():
            raise StateUnavailable(
                f"there were access keys in {self._file}, and now there is none: everyone would be"
                f" let in; put the file back, create a key (earmark keys create NAME), or delete"
                f" {self._mark_file} to begin anew"
            )

    def version(self) -> object:
        """Ask SQLite whether anything was committed; this takes microseconds and reads no row.

        ``data_version`` (https://sqlite.org/pragma.html#pragma_data_version) counts what other
        connections commit and leaves out our own changes.
        """
        connection = self._found()
        if connection is None:
            return None
        with reading_faults(self._file):
            others = connection.execute("PRAGMA data_version").fetchone()
        return (others, connection.total_changes)

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()

    @property
    def _mark_file(self) -> Path:
        return self._file.with_name(self._file.name + _MARK)

    def _mark(self) -> None:
        with reading_faults(self._file):
            self._mark_file.touch(mode=0o600)

    def _found(self) -> sqlite3.Connection | None:
        """Return the database, or None where no process has made one yet."""
        if self._connection is None:
            with reading_faults(self._file):
                try:
                    self._file.stat()
                except FileNotFoundError:
                    # Only a missing file means no keys: one that cannot be read may hold some.
                    return None
        return self._opened()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_database(self._file, _SCHEMA)
        return self._connection


def _taken(key: AccessKey) -> SettingsError:
    return SettingsError(
        f"there is an access key named {key.name} already; revoke it first, or choose another name"
    )
